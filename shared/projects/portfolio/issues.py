"""A portfolio epic on GitHub: an issue with a list of its features and of the same epic in the other projects."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.domain.connection import Connection
from shared.domain.forge import IssueSnapshot, RepositoryRef
from shared.domain.portfolio import PortfolioEpic, SeededEpic, features_of, key_of
from shared.domain.project import ProjectRequest
from shared.errors import RefusedError, TransientError
from shared.projects.portfolio.boards import Seeded
from shared.projects.portfolio.ports import EpicIssues

LABEL = "portfolio"
_OTHERS = re.compile(r"<!-- doneright:others -->.*?<!-- /doneright:others -->", re.DOTALL)


def mark_of(portfolio: str, epic: str) -> str:
    """The hidden mark that finds the issue again, whatever becomes of its title."""
    return f"<!-- doneright:portfolio:{portfolio}:{epic} -->"


def repository(connection: Connection, request: ProjectRequest) -> RepositoryRef:
    """Where the project's issues are."""
    return RepositoryRef(owner=connection.github.organization, name=request.project_id)


def seed(
    issues: EpicIssues,
    connection: Connection,
    portfolio: str,
    epic: PortfolioEpic,
    request: ProjectRequest,
    made: frozenset[str],
) -> Seeded:
    """The epic's issue is there once, with a task for each feature. ``made`` are keys of what was ever made.

    Raises ``TransientError`` while a created issue does not show.
    """
    ref, mark, root = repository(connection, request), mark_of(portfolio, epic.key), f"portfolio-{portfolio}-{epic.key}"
    features = {f"{root}-{key_of(title)}": title for title in features_of(epic, request.project_id)}
    planned = {root, *features}
    found = _marked(issues, ref, mark)
    if found is None and root in made:
        return Seeded(number=0, url="", created=0, made=tuple(sorted(made)))
    new = [key for key in features if key not in made]
    created = 0
    if found is None:
        issues.create_issue(ref, epic.title, _body(portfolio, epic, mark, list(features.values())), [LABEL])
        created = len(planned)
        found = _marked(issues, ref, mark)
        if found is None:
            raise TransientError("the issue was created and does not show yet", 2)
    elif root in made and new:
        tasks = "\n".join(f"- [ ] {_plain(features[key])}" for key in new)
        found = issues.edit_issue_body(ref, found.number, _with_tasks(found.body, tasks))
        created = len(new)
    return Seeded(number=found.number, url=found.url, created=created, made=tuple(sorted(made | planned)))


def link(
    issues: EpicIssues,
    connection: Connection,
    request: ProjectRequest,
    portfolio: str,
    mine: SeededEpic,
    others: Sequence[SeededEpic],
) -> bool:
    """The issue lists the same epic in every other project, as read back; whether that was missing.

    What people wrote around the list stays.
    """
    ref = repository(connection, request)
    found = _marked(issues, ref, mark_of(portfolio, mine.epic))
    if found is None:
        raise RefusedError("the issue is not there any more", "Restore it, or take the epic out of the file.")
    listed = _listed(others)
    if listed in found.body.replace("\r\n", "\n"):
        return False
    body = found.body.replace("\r\n", "\n")
    body = _OTHERS.sub(lambda _: listed, body) if _OTHERS.search(body) else f"{body.rstrip()}\n\n{listed}"
    issues.edit_issue_body(ref, found.number, body)
    again = _marked(issues, ref, mark_of(portfolio, mine.epic))
    if again is None or listed not in again.body.replace("\r\n", "\n"):
        raise TransientError("the list of other projects was written and does not show yet", 2)
    return True


def _marked(issues: EpicIssues, ref: RepositoryRef, mark: str) -> IssueSnapshot | None:
    return next((issue for issue in issues.labelled_issues(ref, LABEL) if mark in issue.body), None)


def _body(portfolio: str, epic: PortfolioEpic, mark: str, features: Sequence[str]) -> str:
    parts = [mark, _plain(epic.description)] if epic.description else [mark]
    if epic.acceptance:
        parts.append("### Met when\n\n" + "\n".join(f"- {_plain(one)}" for one in epic.acceptance))
    parts.append(
        "### Features\n\n<!-- doneright:features -->\n" + "\n".join(f"- [ ] {_plain(one)}" for one in features)
    )
    parts.append(f"An epic of the portfolio `{portfolio}`.")
    return "\n\n".join(parts)


def _with_tasks(body: str, tasks: str) -> str:
    mark = "<!-- doneright:features -->"
    return body.replace(mark, f"{mark}\n{tasks}", 1) if mark in body else f"{body.rstrip()}\n\n{tasks}"


def _listed(others: Sequence[SeededEpic]) -> str:
    rows = "\n".join(f"- {other.project}: {other.url}" for other in others)
    return f"<!-- doneright:others -->\n### The same epic in other projects\n\n{rows}\n<!-- /doneright:others -->"


def _plain(text: str) -> str:
    """Text as it was written: no comment of ours can be forged, and nobody is mentioned by it."""
    return text.replace("<!--", "&lt;!--").replace("-->", "--&gt;").replace("@", "@\u200b")
