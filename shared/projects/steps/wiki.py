"""Ensures the project's wiki with its first pages, and leaves to people what they wrote there since."""

from __future__ import annotations

import re

from shared.domain.forge import Wiki, WikiPage
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.errors import DefectError
from shared.ports import WorkTracker
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    kept,
    removed,
    removing,
    repository_ref,
    text,
    waiting,
)
from shared.projects.undoing import creating, done, goes_along, listed, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """The wiki exists, and each planned page was there once with its text."""
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    resource = _resource(project)
    wiki = boards.wiki(project)
    created = empty = wiki is None
    if wiki is None:
        with creating(context.ledger, resource):
            boards.create_wiki(project, f"{project}.wiki")
        wiki = boards.wiki(project)
        if wiki is None:
            return waiting("the wiki was created and does not show yet")
    due = [page for page in planned if not context.ledger.intended(done(_page(resource, page)))]
    if due:
        repository = context.forge(step.forge).repository_page(repository_ref(step))
        if not repository:
            return waiting(f"{repository_ref(step)}, which the wiki links to, does not show yet", url=wiki.url)
        due = [page.model_copy(update={"text": page.text.replace("{repository}", repository)}) for page in due]
    theirs = 0
    for page in due:
        # A wiki that this very try made has no pages.
        found = None if empty else boards.wiki_page(project, wiki, page.path)
        if found is None:
            with creating(context.ledger, _page(resource, page)):
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
        context.ledger.intend(done(_page(resource, page)))
    # Made once. What people changed, moved or removed since is theirs.
    reason = f"{len(planned)} pages" + (f", {theirs} of them written by somebody else" if theirs else "")
    return (applied if created else confirmed)(wiki.url, reason, id=wiki.id, pages=[page.path for page in planned])


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The wiki this run made is gone, or of one with other people's pages the pages it made."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project = text(step, "project")
    resource = _resource(project)
    mine = {page.path: page for page in _planned(step) if context.ledger.made_here(_page(resource, page))}
    if not mine and not context.ledger.made_here(resource):
        return kept("no page was made by this run")
    wiki = boards.wiki(project)
    paths = boards.wiki_pages(project, wiki) if wiki else ()
    changed = [path for path in mine if wiki and path in paths and not _as_made(boards, project, wiki, mine[path])]
    # Deleting a page deletes those below it.
    changed += [path for path in mine if path not in changed and any(_below(path, one, mine, changed) for one in paths)]
    others = [path for path in paths if path not in mine or path in changed]
    if context.ledger.made_here(resource) and not others:
        if wiki:
            boards.delete_wiki(project, wiki)
            if boards.wiki(project):
                return removing("the wiki was deleted and still shows")
        for page in mine.values():
            context.ledger.withdraw(done(_page(resource, page)))
            context.ledger.withdraw(_page(resource, page))
        context.ledger.withdraw(resource)
        return removed("the wiki")

    def remove(path: str) -> None:
        if wiki:
            boards.delete_wiki_page(project, wiki, path)

    return take_back(
        context.ledger,
        {path: _page(resource, page) for path, page in mine.items()},
        lambda: boards.wiki_pages(project, wiki) if wiki else (),
        remove,
        marks=[done(_page(resource, page)) for path, page in mine.items() if path not in changed],
        changed=changed,
        nothing=f"it holds pages of other people: {listed(others)}",
    )


def _as_made(boards: WorkTracker, project: str, wiki: Wiki, page: WikiPage) -> bool:
    """Whether the page says what we wrote, whatever the repository's address was."""
    found = boards.wiki_page(project, wiki, page.path) or ""
    ours = ".+?".join(re.escape(part) for part in "\n".join(_lines(page.text)).split("{repository}"))
    return re.fullmatch(ours, "\n".join(_lines(found))) is not None


def _below(path: str, other: str, mine: dict[str, WikiPage], changed: list[str]) -> bool:
    return other.startswith(f"{path}/") and (other not in mine or other in changed)


def _resource(project: str) -> str:
    return f"azure_devops.wiki:{project.lower()}"


def _page(resource: str, page: WikiPage) -> str:
    return f"{resource}{page.path.lower()}"


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
    reverses="Goes with the project when this run made that; else deletes the wiki this run made when nobody else wrote in it, "
    "or else the pages this run made. Pages that somebody rewrote, or wrote pages below, stay.",
    ensure=ensure,
    reverse=reverse,
)
