"""A change that breaks its users comes with a guide that moves them over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import ChangeKind, GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.conventional import conventional
from shared.evidence.changes.functions import touched
from shared.evidence.changes.headings import placed
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.lines import gained
from shared.evidence.changes.versions import after
from shared.evidence.prose.placeholders import says_something
from shared.gates import Asked, Gate
from shared.gates._concerns import of_kind

_PROSE = frozenset({".md", ".markdown", ".rst", ".adoc", ".txt"})
_GUIDE = re.compile(r"migrat|upgrad|moving (?:from|to|over)|how to (?:move|adapt|change over)", re.IGNORECASE)
_LEAST_WORDS = 5


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether prose that the change writes under a title about migrating or upgrading tells users what to do."""
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    breaking = _says_so(evidence)
    if breaking is None:
        return Judgement.not_available(
            "whether the change breaks its users is not known: its commits or its kind are not"
        )
    if not breaking:
        return Judgement.not_applicable("migration guide: nothing says that the change breaks its users")
    written, lost = 0, []
    where = ""
    for file in evidence.files:
        if PurePosixPath(file.path).suffix.lower() not in _PROSE or file.status is FileStatus.REMOVED:
            continue
        words = _words_of_guide(file)
        if words is None:
            lost.append(f"what changed in {file.path} could not be had")
        elif words > written:
            written, where = words, file.path
    measured = {"words": written}
    if written >= _LEAST_WORDS:
        return Judgement.met(f"{where} tells users how to move over", measured=measured)
    if lost:
        return Judgement.not_available("; ".join(lost)[:2_000], measured=measured)
    return Judgement.unmet(
        "no document of this change tells users how to move over", remarks=tuple(_broken(evidence)), measured=measured
    )


def _says_so(evidence: ChangeEvidence) -> bool | None:
    """Whether its kind, its title or a commit says that it breaks; None: what could say so is not known."""
    kinds = () if isinstance(evidence.kinds, Unknown) else evidence.kinds
    commits = () if isinstance(evidence.commits, Unknown) else evidence.commits
    messages = (evidence.change.title, *(one.message for one in commits))
    if ChangeKind.BREAKING in kinds or any(one.breaking for text in messages if (one := conventional(text))):
        return True
    # Kinds are drawn from the commits as well, so to know them is enough.
    return None if isinstance(evidence.kinds, Unknown) else False


def _words_of_guide(file: ChangedFile) -> int | None:
    """Words that the file gains under a title about migrating, or anywhere where its own name says that."""
    text, numbers = after(file), gained(file)
    if isinstance(text, Unknown) or numbers is None:
        return None
    guide = bool(_GUIDE.search(file.path))
    return sum(
        len(re.findall(r"\w+", line.text))
        for line in placed(text)
        if line.number in numbers
        and not line.is_heading
        and says_something(line.text)
        and (guide or any(_GUIDE.search(heading) for heading in line.headings))
    )


def _broken(evidence: ChangeEvidence) -> Iterator[Remark]:
    """Public functions, classes and routes that callers cannot use as they did."""
    for file in of_kind(evidence, FileKind.CODE, removed=True):
        found = touched(file)
        if isinstance(found, Unknown):
            continue
        for one in found.touched:
            if one.breaks:
                what = "is gone" if one.after is None else "is called otherwise now"
                yield Remark(
                    message=f"{one.name} {what}; the guide should say what to use in its place."[:2_000],
                    path=one.path,
                    line=one.after.line if one.after else None,
                    severity=Harm.MEDIUM,
                    rule="breaks_callers",
                )


GATE = Gate(
    id=GateId.BREAKING_CHANGE_HAS_MIGRATION_GUIDE,
    motivation="Each user who has to find out alone what broke pays for what one guide would have told all of them.",
    reads=("files", "commits", "kinds"),
    effort=Effort.HOURS,
    remedy="Write under a title such as Migrating to version 2 what users have to change, with before and after.",
    evaluate=evaluate,
)
