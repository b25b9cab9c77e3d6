"""Reads a commit message by Conventional Commits 1.0.0 (https://www.conventionalcommits.org/en/v1.0.0/)."""

from __future__ import annotations

import re

from pydantic import Field

from shared.domain.forge import Frozen

LONGEST = 100_000
"""Characters of a message that are read."""
_HEAD = re.compile(
    r"(?P<type>[A-Za-z][A-Za-z0-9_-]{0,29})(?:\((?P<scope>[^()\r\n]{1,60})\))?(?P<breaking>!)?:[ \t]+(?P<summary>\S.*)"
)
_FOOTER = re.compile(r"(?P<token>BREAKING CHANGE|[A-Za-z][A-Za-z0-9-]{0,59})(?:: (?P<value>.+)| (?P<reference>#.+))")
_BREAKING = frozenset({"BREAKING CHANGE", "BREAKING-CHANGE"})


class ConventionalCommit(Frozen):
    """One commit message of that form."""

    type: str = Field(description="In lower case: feat, fix …; the specification leaves further types free.")
    scope: str = ""
    summary: str
    breaking: bool = False
    why_breaking: str = Field(default="", description="Text of the footer; the summary speaks where there is none.")
    footers: tuple[tuple[str, str], ...] = Field(default=(), description="Token and value, as written.")


def conventional(message: str) -> ConventionalCommit | None:
    """``message`` read; ``None`` for one of another form."""
    lines = message[:LONGEST].replace("\r\n", "\n").strip("\n").split("\n")
    head = _HEAD.fullmatch(lines[0].rstrip())
    if head is None or (len(lines) > 1 and lines[1].strip()):
        return None
    footers = _footers(lines[1:])
    told = next((value for token, value in footers if token in _BREAKING), "")
    return ConventionalCommit(
        type=head["type"].lower(),
        scope=(head["scope"] or "").strip(),
        summary=head["summary"].strip(),
        breaking=bool(head["breaking"]) or any(token in _BREAKING for token, _ in footers),
        why_breaking=told,
        footers=footers,
    )


def _footers(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """Those of the last paragraphs from the first one that begins with a footer; a line that is none continues one."""
    start = None
    for number, line in enumerate(lines):
        begins = _FOOTER.fullmatch(line.rstrip())
        follows_blank = number == 0 or not lines[number - 1].strip()
        if begins and follows_blank and start is None:
            start = number
        elif start is not None and follows_blank and line.strip() and not begins:
            # A paragraph that begins with no footer: the earlier match was prose of the body.
            start = None
    found: list[tuple[str, str]] = []
    for line in lines[start:] if start is not None else []:
        one = _FOOTER.fullmatch(line.rstrip())
        if one:
            found.append((one["token"], (one["value"] or one["reference"]).strip()))
        elif found:
            token, value = found[-1]
            found[-1] = (token, f"{value}\n{line}".rstrip())
    # Prose such as "Note: ..." ends a body, yet a breaking change said anywhere is one.
    if not any(token in _BREAKING for token, _ in found):
        found += [
            (one["token"], one["value"].strip())
            for line in lines
            if (one := _FOOTER.fullmatch(line.rstrip())) and one["token"] in _BREAKING and one["value"]
        ]
    return tuple(found)
