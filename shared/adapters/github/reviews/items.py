"""Decides which issues a pull request is for: those it closes, and those its title, text or branch names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shared.adapters.github.reviews.people import BOT
from shared.domain.change import LinkedItem
from shared.domain.definition import WorkItemKind
from shared.domain.forge import ForgeName, RepositoryRef

MOST_NAMED = 50
"""Issues that are looked up because a text names them; whoever names more is not describing one change."""

LINK = "doneright.link"
"""Field of an item that says how the change is linked to it."""
CLOSES, NAMES = "closes", "names"

_IGNORED = re.compile(r"<!--.*?-->|```.*?```|~~~.*?~~~|`[^`\n]*`", re.DOTALL)
_NAME = r"[A-Za-z0-9_.-]+"
# AB#7 is a work item of Azure Boards, and &#39; is an apostrophe.
_MENTION = re.compile(
    rf"(?:https?://[^/\s]+/(?P<uo>{_NAME})/(?P<un>{_NAME})/issues/(?P<u>\d{{1,9}})\b)"
    rf"|(?:(?<![\w/.-])(?P<o>{_NAME})/(?P<n>{_NAME})#(?P<r>\d{{1,9}})\b)"
    r"|(?:(?<![\w&/#])(?:#|GH-)(?P<p>\d{1,9})\b)"
)
_BRANCH = re.compile(r"(?:^|[/_-])(?:issue-?|gh-?|#)?(?P<p>\d{1,9})(?=$|[/_-])", re.IGNORECASE)
_VERSION = re.compile(r"(?:^|/)v?\d+(?:[._-]\d+)+(?:$|[/_-])")
_LEVELS = {
    "epic": WorkItemKind.EPIC,
    "feature": WorkItemKind.FEATURE,
    "requirement": WorkItemKind.REQUIREMENT,
    "user story": WorkItemKind.REQUIREMENT,
    "story": WorkItemKind.REQUIREMENT,
    "product backlog item": WorkItemKind.REQUIREMENT,
    "pbi": WorkItemKind.REQUIREMENT,
    "task": WorkItemKind.TASK,
    "bug": WorkItemKind.BUG,
}
_PREFIX = re.compile(r"^(?:type|kind|level)\s*[:/]\s*", re.IGNORECASE)


class Named(NamedTuple):
    """An issue, by its repository in lower case and its number."""

    owner: str
    name: str
    number: int


def named(repository: RepositoryRef, number: int, texts: Iterable[str], branch: str) -> tuple[Named, ...]:
    """Issues that a pull request's texts and branch name, in that order; the pull request itself is none."""
    own = (repository.owner.lower(), repository.name.lower())
    found: dict[Named, None] = {}
    for text in texts:
        for match in _MENTION.finditer(_IGNORED.sub(" ", text)):
            if match["u"]:
                found[Named(match["uo"].lower(), match["un"].lower(), int(match["u"]))] = None
            elif match["r"]:
                found[Named(match["o"].lower(), match["n"].lower(), int(match["r"]))] = None
            else:
                found[Named(*own, int(match["p"]))] = None
    if not _VERSION.search(branch):
        for match in _BRANCH.finditer(branch):
            found[Named(*own, int(match["p"]))] = None
    found.pop(Named(*own, number), None)
    return tuple(one for one in found if one.number > 0)[:MOST_NAMED]


def lookup(wanted: Sequence[Named], template: str, repository: RepositoryRef, fragment: str) -> str:
    """One query for the issues named and the text of the template whose blob has that name; either may be none."""
    by_repository: dict[tuple[str, str], list[int]] = {}
    for one in wanted:
        by_repository.setdefault((one.owner, one.name), []).append(one.number)
    parts = []
    for index, ((owner, name), numbers) in enumerate(by_repository.items()):
        asked = " ".join(
            f"i{number}: issueOrPullRequest(number: {number}) {{ __typename ... on Issue {{ ...Item }} }}"
            for number in numbers
        )
        parts.append(f"r{index}: {_repository(owner, name)} {{ {asked} }}")
    if template:
        blob = f"object(oid: {json.dumps(template)}) {{ ... on Blob {{ text }} }}"
        parts.append(f"t: {_repository(repository.owner, repository.name)} {{ {blob} }}")
    return f"query Named {{ {' '.join(parts)} }} {fragment if wanted else ''}"


def _repository(owner: str, name: str) -> str:
    return f"repository(owner: {json.dumps(owner)}, name: {json.dumps(name)})"


def linked(node: Mapping[str, Any], how: str) -> LinkedItem:
    """An issue as the change is linked to it, with what stands above it."""
    parents: list[LinkedItem] = []
    above = node.get("parent")
    while above:
        parents.append(_item(above))
        above = above.get("parent")
    said = tuple(
        comment["body"] for comment in (node.get("comments") or {}).get("nodes") or () if not _by_program(comment)
    )
    return _item(node).model_copy(update={"parents": tuple(parents), "comments": said, "fields": {LINK: how}})


def _by_program(comment: Mapping[str, Any]) -> bool:
    author = comment.get("author") or {}
    return author.get("__typename") == "Bot" or str(author.get("login", "")).endswith(BOT)


def _item(node: Mapping[str, Any]) -> LinkedItem:
    tags = tuple(label["name"] for label in (node.get("labels") or {}).get("nodes") or ())
    type_ = (node.get("issueType") or {}).get("name") or ""
    return LinkedItem(
        id=node["number"],
        forge=ForgeName.GITHUB,
        project=node["repository"]["nameWithOwner"],
        type=type_,
        kind=_kind(type_, tags),
        title=node["title"],
        state=str(node["state"]).lower(),
        body=node.get("body") or "",
        tags=tags,
        url=node.get("url") or "",
    )


def _kind(type_: str, tags: Iterable[str]) -> WorkItemKind | None:
    """The level that the issue's type says, or else a label of it: ``epic``, ``type: user-story``."""
    for name in (type_, *tags):
        plain = _PREFIX.sub("", name.strip()).replace("-", " ").replace("_", " ").casefold()
        if plain in _LEVELS:
            return _LEVELS[plain]
    return None
