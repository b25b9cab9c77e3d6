"""The documentation or specification of a change was committed ahead of its code."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from shared.domain.change import ChangeCommit, ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.globs import fits
from shared.domain.review import Effort, Judgement
from shared.evidence.changes.conventional import conventional
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.gates import Asked, Gate

_NO_SPECIFICATION = (
    "**/CHANGELOG*",
    "**/HISTORY*",
    "**/NEWS*",
    "**/LICEN[CS]E*",
    "**/docs/release-notes/**",
    "docs/release-notes/**",
)
"""Documentation that is written afterwards."""
_SPECIFICATIONS = ("**/*.feature", "**/*.proto", "**/*.graphql", "**/*.raml", "**/asyncapi*.y*ml")
_CODE = frozenset({FileKind.CODE, FileKind.MIGRATION})
_CODE_TYPES = frozenset(["feat", "fix", "perf", "refactor", "hotfix", "security"])
_OTHER_TYPES = frozenset(["build", "chore", "ci", "deps", "i18n", "release", "style", "test"])


class _Holds(StrEnum):
    DOCS = "docs"
    CODE = "code"
    BOTH = "both"
    NEITHER = "neither"
    UNKNOWN = "unknown"


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether the first commit that documents comes before the first that holds code."""
    if isinstance(evidence.commits, Unknown):
        return Judgement.unseen("the commits", evidence.commits)
    told = [(one, _holds(one)) for one in evidence.commits if not one.message.startswith("Merge ")]
    for commit, holds in told:
        if holds is _Holds.UNKNOWN:
            return Judgement.not_available(f"what {_named(commit)} changes is not known, and its message does not say")
        if holds is _Holds.DOCS:
            return _after(commit, [later for _, later in told], evidence)
        if holds is _Holds.BOTH:
            return Judgement.unmet(
                f"{_named(commit)} brings code and documentation at once",
                remedy="Commit the documentation by itself, ahead of the code.",
            )
        if holds is _Holds.CODE:
            later = next((one for one, what in told if what in {_Holds.DOCS, _Holds.BOTH}), None)
            rest = f"; {_named(later)} documents it afterwards" if later else "; nothing documents it"
            return Judgement.unmet(f"{_named(commit)} brings code first{rest}")
    return _nothing(evidence)


def _after(docs: ChangeCommit, holds: Iterable[_Holds], evidence: ChangeEvidence) -> Judgement:
    if {_Holds.CODE, _Holds.BOTH, _Holds.UNKNOWN} & set(holds) or _brings_code(evidence) is not False:
        return Judgement.met(f"{_named(docs)} documents it ahead of the code")
    return Judgement.not_applicable("it brings no code")


def _nothing(evidence: ChangeEvidence) -> Judgement:
    code = _brings_code(evidence)
    if code is False:
        return Judgement.not_applicable("it brings no code")
    if code is None:
        return Judgement.not_available("no commit is seen to bring code, and the changed files are not known")
    return Judgement.not_available("the change brings code, and none of its known commits does")


def _brings_code(evidence: ChangeEvidence) -> bool | None:
    if isinstance(evidence.files, Unknown):
        return None
    return any(kind_of(file.path) in _CODE for file in evidence.files)


def _holds(commit: ChangeCommit) -> _Holds:
    """By the files it changes; where they were not asked for, by its type."""
    if commit.paths is None:
        found = conventional(commit.message)
        if found is None:
            return _Holds.UNKNOWN
        if found.type in _CODE_TYPES:
            return _Holds.CODE
        return _Holds.DOCS if found.type == "docs" else _Holds.NEITHER if found.type in _OTHER_TYPES else _Holds.UNKNOWN
    docs = any(_documents(path) for path in commit.paths)
    code = any(kind_of(path) in _CODE for path in commit.paths)
    if docs and code:
        return _Holds.BOTH
    return _Holds.DOCS if docs else _Holds.CODE if code else _Holds.NEITHER


def _documents(path: str) -> bool:
    if fits(path, _SPECIFICATIONS):
        return True
    return kind_of(path) is FileKind.DOCUMENTATION and not fits(path, _NO_SPECIFICATION)


def _named(commit: ChangeCommit) -> str:
    return f"{commit.id[:8]} {commit.message.strip().split(chr(10))[0][:60]!r}"


GATE = Gate(
    id=GateId.DOCS_BEFORE_CODE,
    motivation="Whoever has to explain an interface before it exists finds out that it is awkward while that is still cheap.",
    reads=("commits", "files"),
    effort=Effort.HOURS,
    remedy="Commit the reference first; for code that is there already, say so and have the reference reviewed alone.",
    evaluate=evaluate,
)
