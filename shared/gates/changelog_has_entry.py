"""The change stands in the changelog, as Keep a Changelog has it: a line under Unreleased, or a fragment of its own.

The form: https://keepachangelog.com/en/1.1.0/. A line under a version that this same change brings counts as well.
Fragments are those of towncrier, changesets and scriv: a new file in ``changelog.d``, ``newsfragments`` or ``.changeset``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.globs import fits
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.headings import Placed, placed
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.lines import gained
from shared.evidence.changes.versions import after
from shared.evidence.prose.placeholders import says_something
from shared.gates import Asked, Gate
from shared.gates._concerns import aside

_FILE = re.compile(
    r"^(?:changelog|changes|history|news|release[-_]?notes)(?:\.(?:md|markdown|rst|txt|adoc))?$", re.IGNORECASE
)
_FRAGMENTS = ("**/changelog.d/*", "**/changelog.d/**/*", "**/newsfragments/*", "**/.changeset/*.md", "**/.changes/**/*")
_NO_FRAGMENT = re.compile(r"^(?:readme|config|template|\.)", re.IGNORECASE)
_UNRELEASED = re.compile(r"\bunreleased\b|^\[?(?:upcoming|next)\b", re.IGNORECASE)
_VERSION = re.compile(r"^(?:version\s+)?\[?v?\d+(?:\.\d+)+[^\]\s]*\]?", re.IGNORECASE)
_DATED = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")
_NO_ENTRY = re.compile(r"\[[^\]]+\]:|<!--|---|===")
"""Links, comments and rules."""
_RELEASE = re.compile(r"\brelease\b|\bbump version\b|^v?\d+\.\d+", re.IGNORECASE)
_TOPICS = frozenset({"added", "changed", "deprecated", "removed", "fixed", "security"})
_LEAST_WORDS = 2


class _Entry(NamedTuple):
    path: str
    line: Placed
    release: str
    """Heading of the version or of what is unreleased; empty: under neither."""
    topic: str
    fresh: bool
    """Under Unreleased, or under a version that this change brings."""


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether the changelog gains a line about the change; of ``sections`` each one that is asked for.

    A line counts under Unreleased, or under a version that this same change brings; so does a new fragment in
    ``changelog.d``, ``newsfragments`` or ``.changeset``. ``sections`` may name topics (added, changed, deprecated, removed,
    fixed, security), or ``version_with_date``: then a change that makes a release has to bring a heading with version and
    date, and leave no line under Unreleased. A change of tests, documentation and workflows alone is not asked.
    """
    sections = asked.entries("sections")
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    if "version_with_date" in sections:
        return _release(evidence, evidence.files)
    logs = _changelogs(evidence.files)
    answer = aside(evidence, "changelog", FileKind.DOCUMENTATION, FileKind.TEST, FileKind.WORKFLOW)
    if answer is not None and not logs:
        return answer
    fragments = [file for file in evidence.files if _is_fragment(file)]
    if fragments and not sections:
        return Judgement.met(f"{fragments[0].path} tells of it", measured={"entries": len(fragments)})
    return _told(logs, sections)


def _told(logs: list[ChangedFile], sections: tuple[str, ...]) -> Judgement:
    """Whether the changelogs gain a line where lines belong."""
    entries, lost = _entries(logs)
    fresh = [one for one in entries if one.fresh]
    topics = {one.topic for one in fresh} | ({"unreleased"} if fresh else set())
    measured = {"entries": len(fresh)}
    if fresh and set(sections) <= topics:
        return Judgement.met(fresh[0].line.text.strip()[:200], measured=measured)
    if lost:
        return Judgement.not_available("; ".join(lost), measured=measured)
    remarks: list[Remark] = []
    if fresh:
        why = f"no line of the changelog stands under {', '.join(sorted(set(sections) - topics))}"
    elif entries:
        why = f"the changelog gains a line under {entries[0].release or 'no version'}, which is not Unreleased"
        remarks = [_misplaced(one) for one in entries]
    else:
        why = f"{logs[0].path} gains no line that says what changed" if logs else "the changelog gains no line"
    return Judgement.unmet(why, remarks=remarks, measured=measured)


def _release(evidence: ChangeEvidence, files: Iterable[ChangedFile]) -> Judgement:
    """Whether what was unreleased became a section with version and date; asked of a change that makes a release."""
    logs = _changelogs(files)
    brought: list[tuple[str, Placed]] = []
    waiting: list[Placed] = []
    lost: list[str] = []
    for file in logs:
        text, numbers = after(file), gained(file)
        if isinstance(text, Unknown) or numbers is None:
            lost.append(f"what changed in {file.path} could not be had")
            continue
        lines = placed(text)
        brought += [
            (file.path, one)
            for one in lines
            if one.is_heading and one.number in numbers and _is_version(one.headings[-1])
        ]
        waiting += [one for one in lines if _is_entry(one) and _release_of(one)[1]]
    if lost:
        return Judgement.not_available("; ".join(lost))
    if not brought:
        if _RELEASE.search(evidence.change.title) or _RELEASE.search(evidence.change.source):
            return Judgement.unmet("the release brings no section with version and date into the changelog")
        return Judgement.not_applicable("release: the change makes none")
    undated = [(path, one) for path, one in brought if not _DATED.search(one.text)]
    if undated:
        path, line = undated[0]
        remark = Remark(
            message="The version has no date (YYYY-MM-DD).",
            path=path,
            line=line.number,
            severity=Harm.LOW,
            rule="undated_version",
        )
        return Judgement.unmet(f"{line.headings[-1][:100]} has no date", remarks=(remark,))
    if waiting:
        return Judgement.unmet(f"{len(waiting)} lines still stand under Unreleased")
    return Judgement.met(f"{brought[0][1].headings[-1][:100]} holds what was unreleased")


def _is_version(heading: str) -> bool:
    return bool(_VERSION.match(heading)) and not _UNRELEASED.search(heading)


def _changelogs(files: Iterable[ChangedFile]) -> list[ChangedFile]:
    return [
        file for file in files if file.status is not FileStatus.REMOVED and _FILE.match(PurePosixPath(file.path).name)
    ]


def _is_fragment(file: ChangedFile) -> bool:
    path = PurePosixPath(file.path)
    if file.status is not FileStatus.ADDED or not fits(file.path, _FRAGMENTS):
        return False
    text = after(file)
    return not _NO_FRAGMENT.match(path.name) and isinstance(text, str) and says_something(text)


def _entries(logs: Iterable[ChangedFile]) -> tuple[list[_Entry], list[str]]:
    """Lines that changelogs gain and that say something, and which changelogs could not be had."""
    entries: list[_Entry] = []
    lost: list[str] = []
    for file in logs:
        text, numbers = after(file), gained(file)
        if isinstance(text, Unknown) or numbers is None:
            lost.append(f"what changed in {file.path} could not be had")
            continue
        lines = placed(text)
        new = {one.headings[-1] for one in lines if one.is_heading and one.number in numbers}
        for one in lines:
            if one.number in numbers and _is_entry(one):
                release, open_ = _release_of(one)
                topic = next((part.lower() for part in one.headings if part.lower() in _TOPICS), "")
                entries.append(_Entry(file.path, one, release, topic, open_ or release in new))
    return entries, lost


def _release_of(line: Placed) -> tuple[str, bool]:
    """The heading of the version that a line stands under, and whether it is yet to be released."""
    for heading in line.headings:
        if _UNRELEASED.search(heading):
            return heading, True
        if _VERSION.match(heading):
            return heading, False
    return "", False


def _is_entry(line: Placed) -> bool:
    text = _ITEM.sub("", line.text).strip()
    if line.is_heading or not text or _NO_ENTRY.match(text):
        return False
    return says_something(text) and len(re.findall(r"\w+", text)) >= _LEAST_WORDS


def _misplaced(entry: _Entry) -> Remark:
    return Remark(
        message="This line stands under a version that is out already; readers of the next one will not see it.",
        path=entry.path,
        line=entry.line.number,
        severity=Harm.LOW,
        rule="misplaced_entry",
    )


GATE = Gate(
    id=GateId.CHANGELOG_HAS_ENTRY,
    motivation="Users read the changelog to learn what an update does to them; nobody can write it from memory at the release.",
    reads=("files",),
    effort=Effort.MINUTES,
    remedy="Add a line under Unreleased in CHANGELOG.md that says, in words for users, what is different now.",
    evaluate=evaluate,
    takes=("sections",),
)
