"""Ensures the project's wiki with its first pages, and leaves to people what they wrote there since."""

from __future__ import annotations

from shared.domain.forge import WikiPage
from shared.domain.plan import PlanStep, StepOutcome
from shared.errors import DefectError
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    text,
    waiting,
)


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """The wiki exists, and each planned page was there once with its text."""
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    resource = f"azure_devops.wiki:{project.lower()}"
    wiki = boards.wiki(project)
    created = wiki is None
    if wiki is None:
        boards.create_wiki(project, f"{project}.wiki")
        wiki = boards.wiki(project)
        if wiki is None:
            return waiting("the wiki was created and does not show yet")
    due = [page for page in planned if not context.ledger.intended(_done(resource, page))]
    if due:
        repository = context.forge(step.forge).repository(repository_ref(step))
        if repository is None:
            return waiting(f"{repository_ref(step)}, which the wiki links to, does not show yet", url=wiki.url)
        due = [page.model_copy(update={"text": page.text.replace("{repository}", repository.url)}) for page in due]
    theirs = 0
    for page in due:
        found = boards.wiki_page(project, wiki, page.path)
        if found is None:
            boards.create_wiki_page(project, wiki, page)
            found = boards.wiki_page(project, wiki, page.path)
            if found is None:
                return waiting(f"page {page.path} was created and does not show yet", url=wiki.url)
            if _lines(found) != _lines(page.text):
                return failed(
                    f"page {page.path} was written, and read back otherwise",
                    "Somebody may be editing it. Look at the page, then try again: what it says then stays.",
                    wiki.url,
                )
            created = True
        theirs += _lines(found) != _lines(page.text)
        context.ledger.intend(_done(resource, page))
    # Made once. What people changed, moved or removed since is theirs.
    reason = f"{len(planned)} pages" + (f", {theirs} of them written by somebody else" if theirs else "")
    return (applied if created else confirmed)(wiki.url, reason, id=wiki.id, pages=[page.path for page in planned])


def _done(resource: str, page: WikiPage) -> str:
    return f"{resource}{page.path.lower()}:done"


def _lines(written: str) -> list[str]:
    return [line.rstrip() for line in written.strip().splitlines()]


def _planned(step: PlanStep) -> list[WikiPage]:
    raw = step.inputs.get("pages")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'pages' is not a list")
    return [WikiPage.model_validate(item) for item in raw]


STEP = StepDefinition(
    kind="wiki",
    title="Wiki",
    ensures="The project wiki exists with Home, Getting started, Architecture decisions and Architecture.",
    reads_back="The wiki, and the text of every page it wrote; pages that people changed since are left alone.",
    reverses="Nothing of its own: the project's reversal removes it.",
    ensure=ensure,
)
