"""Drafts the changelog line and the version that a change asks for, from its conventional commits and what it breaks.

Reads commits, title, changed files and kinds. Returns the changelog entry (``changelog``), the next version (``version``)
and breaking changes that no commit tells of (``concern``).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath

from shared.agents import Agent
from shared.agents._semver import Bump, Version
from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import ChangeKind, Severity
from shared.domain.review import AgentName, Opinion, OpinionKind
from shared.evidence.changes.conventional import ConventionalCommit, conventional
from shared.evidence.changes.functions import Touched, touched
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.changes.lines import added
from shared.evidence.changes.versions import after, before

SECTIONS = {
    "feat": "Added", "feature": "Added", "fix": "Fixed", "bugfix": "Fixed", "hotfix": "Fixed", "perf": "Changed",
    "revert": "Changed", "deprecate": "Deprecated", "remove": "Removed", "security": "Security",
}  # fmt: skip
"""Type of a commit → section of Keep a Changelog 1.1.0; types left out are of no interest to users."""
_BUMPS = {"feat": Bump.MINOR, "feature": Bump.MINOR, "deprecate": Bump.MINOR, "remove": Bump.MAJOR}
_KIND_BUMPS = {
    ChangeKind.BREAKING: Bump.MAJOR, ChangeKind.FEATURE: Bump.MINOR, ChangeKind.BUG_FIX: Bump.PATCH,
    ChangeKind.HOTFIX: Bump.PATCH,
}  # fmt: skip
_CHANGELOG = re.compile(r"(?:.*/)?(?:CHANGELOG|CHANGES|HISTORY)(?:\.(?:md|rst|txt))?", re.IGNORECASE)
_HEADING = re.compile(r"#{1,3}\s+\[?v?(?P<version>\d+\.\d+\.\d+[^\]\s]*)\]?")
_UNRELEASED = re.compile(r"^##\s+\[?unreleased\]?.*$|^##\s+\[?v?\d\S*\]?\s+-\s+unreleased.*$", re.IGNORECASE)
_MOST_BREAKS = 5


def bump_of(commits: tuple[ConventionalCommit, ...]) -> Bump:
    """The largest bump that any of the commits asks for."""
    return max((_bump_of(one) for one in commits), default=Bump.NONE)


def changelog_lines(commits: tuple[ConventionalCommit, ...], reference: str = "") -> dict[str, tuple[str, ...]]:
    """Entries by section, in the order of the commits, each once; ``reference`` such as ``#12`` closes each."""
    found: dict[str, dict[str, None]] = {}
    for one in commits:
        section = SECTIONS.get(one.type, "Changed" if one.breaking else "")
        if section:
            found.setdefault(section, {})[_line(one, reference)] = None
    return {section: tuple(lines) for section, lines in found.items()}


def _bump_of(commit: ConventionalCommit) -> Bump:
    if commit.breaking:
        return Bump.MAJOR
    return _BUMPS.get(commit.type, Bump.PATCH if commit.type in SECTIONS else Bump.NONE)


def _line(commit: ConventionalCommit, reference: str) -> str:
    summary = commit.summary.rstrip(".")
    text = summary[:1].upper() + summary[1:]
    if commit.scope:
        text = f"{commit.scope}: {text}"
    if commit.breaking:
        text = f"**Breaking:** {text}" + (f" ({_flat(commit.why_breaking)})" if commit.why_breaking else "")
    return f"- {text}." if not reference or reference in text else f"- {text} ({reference})."


def _flat(text: str) -> str:
    return " ".join(text.split())[:300].rstrip(".")


def analyse(evidence: ChangeEvidence) -> tuple[Opinion, ...]:
    """The opinions of the release agent."""
    told, confidence, basis = _told(evidence)
    broken = tuple(_broken(evidence))
    bump = bump_of(told) or _bump_of_kinds(evidence)
    opinions: list[Opinion] = []
    if broken and bump is not Bump.MAJOR:
        opinions += _undeclared(broken)
        bump = Bump.MAJOR
    opinions += _version(evidence, bump, confidence, basis)
    opinions += _changelog(evidence, told, confidence)
    return tuple(opinions)


def _told(evidence: ChangeEvidence) -> tuple[tuple[ConventionalCommit, ...], float, str]:
    """What the commits say; the title where they say nothing, since a squashed merge takes it as its message."""
    messages = [] if isinstance(evidence.commits, Unknown) else [one.message for one in evidence.commits]
    own = [message for message in messages if not message.startswith(("Merge ", "fixup!", "squash!", "amend!"))]
    read = tuple(one for message in own if (one := conventional(message)) is not None)
    if read:
        whole = len(read) == len(own)
        return read, 0.9 if whole else 0.7, f"{len(read)} of {len(own)} commits are conventional"
    title = conventional(evidence.change.title)
    if title is not None:
        return (title,), 0.7, "the title is conventional, the commits are not"
    return (), 0.4, "neither commits nor title are conventional"


def _bump_of_kinds(evidence: ChangeEvidence) -> Bump:
    if isinstance(evidence.kinds, Unknown):
        return Bump.NONE
    return max((_KIND_BUMPS.get(kind, Bump.NONE) for kind in evidence.kinds), default=Bump.NONE)


def _broken(evidence: ChangeEvidence) -> Iterator[Touched]:
    for file in evidence.known_files:
        if kind_of(file.path) is not FileKind.CODE or _private(file.path):
            continue
        found = touched(file)
        if not isinstance(found, Unknown):
            yield from (one for one in found.touched if one.breaks)


def _private(path: str) -> bool:
    return any(part.startswith("_") and not part.startswith("__") for part in PurePosixPath(path).parts)


def _undeclared(broken: tuple[Touched, ...]) -> Iterator[Opinion]:
    for one in broken[:_MOST_BREAKS]:
        gone = one.after is None
        now = "is gone" if gone else f"is now `{one.name}{one.declaration.signature}`"
        was = one.before.signature if one.before else ""
        yield Opinion(
            agent=AgentName.RELEASE,
            kind=OpinionKind.CONCERN,
            title=f"{one.name} breaks its callers and no commit says so"[:200],
            message=f"`{one.name}{was}` {now}. Mark the commit with `!` or a `BREAKING CHANGE:` footer and write how to "
            "migrate, or keep the old form working beside the new one."[:4_000],
            path=one.path,
            line=None if gone else one.declaration.line,
            severity=Severity.MEDIUM,
            confidence=0.6,
        )


def _version(evidence: ChangeEvidence, bump: Bump, confidence: float, basis: str) -> Iterator[Opinion]:
    known = next(_versions(evidence), None)
    if known is not None:
        path, was, now = known
        step = was.step_to(now)
        if now != was:
            if step < _needed(was, bump):
                yield _opinion(
                    OpinionKind.VERSION,
                    f"The version should be {was.next(bump)}, not {now}",
                    f"{path} goes from {was} to {now}; the change asks for a {bump.word} release ({basis}).",
                    confidence,
                    severity=Severity.MEDIUM,
                    path=path,
                )
            return
    if bump is Bump.NONE:
        return
    if known is None:
        yield _opinion(
            OpinionKind.VERSION,
            f"This asks for a {bump.word} release",
            f"By Semantic Versioning the next release counts up its {bump.word} number: {basis}.",
            confidence,
        )
    else:
        path, was, _ = known
        yield _opinion(
            OpinionKind.VERSION,
            f"The next version is {was.next(bump)}",
            f"{path} says {was}; the change asks for a {bump.word} release ({basis}).",
            confidence,
            path=path,
        )


def _needed(was: Version, bump: Bump) -> Bump:
    return was.step_to(was.next(bump))


def _changelog(evidence: ChangeEvidence, told: tuple[ConventionalCommit, ...], confidence: float) -> Iterator[Opinion]:
    if isinstance(evidence.files, Unknown):
        return
    kept = [
        file for file in evidence.files if _CHANGELOG.fullmatch(file.path) and file.status is not FileStatus.REMOVED
    ]
    if any(line.text.strip() for file in kept for line in added(file)) or any(file.patch is None for file in kept):
        # It has an entry, or nobody can see whether it has.
        return
    entries = changelog_lines(told, _reference(evidence))
    if not entries:
        return
    text = "\n\n".join(f"### {section}\n\n" + "\n".join(lines) for section, lines in entries.items())
    patch: dict[str, str] = {}
    for file in kept[:1]:
        content = after(file)
        if not isinstance(content, Unknown) and (whole := with_entries(content, entries)) is not None:
            patch = {file.path: whole}
    yield Opinion(
        agent=AgentName.RELEASE,
        kind=OpinionKind.CHANGELOG,
        title="The changelog has no entry for this change",
        message=f"Add under *Unreleased*:\n\n{text}"[:4_000],
        path=kept[0].path if kept else "",
        severity=Severity.LOW,
        confidence=confidence,
        patch=patch,
    )


def with_entries(changelog: str, entries: dict[str, tuple[str, ...]]) -> str | None:
    """``changelog`` with ``entries`` in its unreleased part; ``None`` where it has none.

    Each goes to the end of its section, which is made where it is missing.
    """
    lines = changelog.split("\n")
    start = next((place for place, line in enumerate(lines) if _UNRELEASED.match(line)), None)
    if start is None:
        return None
    for section, new in entries.items():
        end = next((n for n in range(start + 1, len(lines)) if re.match(r"##?\s", lines[n])), len(lines))
        heading = next((n for n in range(start + 1, end) if lines[n].strip() == f"### {section}"), None)
        if heading is None:
            lines[start + 1 : start + 1] = ["", f"### {section}", "", *new]
            continue
        close = next((n for n in range(heading + 1, end) if lines[n].startswith("#")), end)
        while close > heading + 1 and not lines[close - 1].strip():
            close -= 1
        lines[close:close] = new if lines[close - 1].strip() and close > heading + 1 else ["", *new]
    return "\n".join(lines)


def _reference(evidence: ChangeEvidence) -> str:
    items = () if isinstance(evidence.items, Unknown) else evidence.items
    return f"#{items[0].id}" if items else ""


def _versions(evidence: ChangeEvidence) -> Iterator[tuple[str, Version, Version]]:
    """Files of the change that say a version, with what they said before and say now."""
    for file in sorted(evidence.known_files, key=lambda one: (one.path.count("/"), one.path)):
        was, now = _said(file, before(file)), _said(file, after(file))
        if was is not None and now is not None:
            yield file.path, was, now


def _said(file: ChangedFile, text: str | Unknown) -> Version | None:
    if isinstance(text, Unknown) or not text:
        return None
    name = PurePosixPath(file.path).name.lower()
    try:
        if name == "pyproject.toml":
            read = tomllib.loads(text)
            said = read.get("project", {}).get("version") or read.get("tool", {}).get("poetry", {}).get("version")
        elif name == "package.json":
            whole = json.loads(text)
            said = whole.get("version") if isinstance(whole, dict) else None
        elif _CHANGELOG.fullmatch(file.path):
            # What is not released yet has a heading too.
            headings = (line for line in text.split("\n") if "unreleased" not in line.lower())
            said = next((found["version"] for line in headings if (found := _HEADING.match(line))), None)
        else:
            return None
    except (ValueError, AttributeError, RecursionError):
        return None
    return Version.parse(said) if isinstance(said, str) else None


def _opinion(
    kind: OpinionKind,
    title: str,
    message: str,
    confidence: float,
    *,
    severity: Severity = Severity.LOW,
    path: str = "",
) -> Opinion:
    return Opinion(
        agent=AgentName.RELEASE,
        kind=kind,
        title=title[:200],
        message=message[:4_000],
        path=path,
        severity=severity,
        confidence=confidence,
    )


AGENT = Agent(
    name=AgentName.RELEASE,
    examines="What users will be told: the changelog entry and the version that the change asks for, and breaking changes "
    "that nobody declared.",
    reads=("change", "commits", "files", "items", "kinds"),
    returns=(OpinionKind.CHANGELOG, OpinionKind.VERSION, OpinionKind.CONCERN),
    analyse=analyse,
    asks="Say in one line for the changelog what users gain or lose by this change, in plain words and without naming "
    "internals. Name every behaviour of the public interface that callers must adapt to and that the commits do not call "
    "breaking.",
)
