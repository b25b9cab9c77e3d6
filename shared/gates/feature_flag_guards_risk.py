"""Risky behaviour that a change brings stands behind a flag, and the flag is off until somebody switches it on.

What is risky, by the lines that a change adds to code: it is labelled so; it breaks users; it lies where people sign in, get
rights or pay; it deletes data; it begins to talk to the outside. Anything else is not asked for a flag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.domain.change import ChangedFile, ChangeEvidence, Unknown
from shared.domain.definition import ChangeKind, GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.lines import Line, added, gained
from shared.evidence.changes.versions import after
from shared.gates import Asked, Gate
from shared.gates._concerns import of_kind

LABELS = frozenset({"risk", "risky", "high risk", "high-risk", "risk: high", "risk:high", "experimental"})
_PLACES = re.compile(
    r"(?:^|[/_.-])(?:auth\w*|login|sign-?in|permissions?|rbac|payments?|billing|checkout|invoices?|security|crypto\w*)(?=[/_.-]|$)",
    re.IGNORECASE,
)
_DELETES = re.compile(
    r"\bDROP\s+(?:TABLE|COLUMN|DATABASE)\b|\bTRUNCATE\s+TABLE\b|\bDELETE\s+FROM\b|\.delete_(?:many|all|blob|table)\(|\brmtree\(|\bos\.(?:remove|unlink)\(|\.deleteMany\(|\bdelete_bucket\(",
    re.IGNORECASE,
)
_TALKS = re.compile(
    r"\b(?:requests|httpx|aiohttp|urllib3?)\.(?:get|post|put|patch|delete|request|stream|Client|AsyncClient|Session|ClientSession)\b"
    r"|\bsubprocess\.(?:run|Popen|check_\w+|call)\(|\bfetch\(|\baxios[.(]|\bHttpClient\b|\bsmtplib\.|\bboto3\.|\bpaypal|\bstripe\.",
)
_FLAG = re.compile(
    r"feature[_-]?(?:flag|toggle|switch|gate)|is_?(?:feature_?)?enabled\b|\bflags?\.(?:\w+)|\bflag_is_active|switch_is_active|\.variation\(|\bunleash\b"
    r"|launch_?darkly|open_?feature|growthbook|FeatureManager|get_?boolean_?value|\bFEATURE_[A-Z0-9_]+|\b(?:ENABLE|USE)_[A-Z0-9_]+"
    r"|\benable_[a-z_]|_enabled\b|posthog\.\w*feature",
    re.IGNORECASE,
)
_ON = re.compile(
    r"(?:\b(?:FEATURE|ENABLE|USE)_[A-Z0-9_]+|\benable_\w+|_enabled\b|feature_?flags?\w*|_flag\b)[\"']?\]?\s*(?::\s*bool\s*)?[:=]\s*[\"']?(?:True|on|1|yes)\b(?!\s*(?:if|and|or))"
    r"|(?:get_?boolean_?value|variation|is_?enabled)\([^()]*,\s*(?:default(?:_value)?\s*=\s*)?True\s*\)"
    r"|(?:\b(?:FEATURE|ENABLE|USE)_[A-Z0-9_]+[\"']\s*,\s*(?:default\s*=\s*)?[\"']?(?:True|1|on|yes)\b)",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"^\s*(?:#|//|\*|/\*|<!--)")
_LONGEST = 2_000
"""Characters of a line; whatever is longer was not written by hand, and is not searched to its end."""
_DEFINED_IN = (FileKind.CODE, FileKind.OTHER, FileKind.INFRASTRUCTURE)


class _Risk(NamedTuple):
    why: str
    path: str = ""
    line: int | None = None


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether a change with something risky in it asks a flag in its code, and switches none on from the start.

    Risky is what is labelled so (risk, risky, high risk, experimental), what breaks users, and added code that lies where
    people sign in, get rights or pay, that deletes data, or that begins to talk to the outside.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    code = of_kind(evidence, FileKind.CODE)
    if not any(_lines(file) is None or _lines(file) for file in code):
        return Judgement.not_applicable("flags: the change adds no code")
    risks = list(_risks(evidence, code))
    if risks:
        return _of_risks(risks, code, evidence)
    if lost := _lost(code):
        return Judgement.not_available(lost)
    return Judgement.not_applicable("flags: nothing in the change is risky by its labels, its place or what it calls")


def _of_risks(risks: list[_Risk], code: Iterable[ChangedFile], evidence: ChangeEvidence) -> Judgement:
    measured = {"risks": len(risks)}
    if on := list(_switched_on(of_kind(evidence, *_DEFINED_IN))):
        where = f"{on[0].path}:{on[0].line}"
        return Judgement.unmet(
            f"a flag is on from the start: {where}", remarks=[_remark(one) for one in on], measured=measured
        )
    flags = [(file.path, line.number) for file in code for line in _lines(file) or () if _FLAG.search(line.text)]
    if flags:
        path, number = flags[0]
        return Judgement.met(f"a flag is asked at {path}:{number}: {risks[0].why}", measured=measured)
    if lost := _lost(code):
        return Judgement.not_available(f"{lost}; {risks[0].why}", measured=measured)
    return Judgement.unmet(
        f"no flag guards it: {'; '.join(dict.fromkeys(one.why for one in risks))}"[:2_000],
        remarks=[_remark(one) for one in risks if one.path],
        measured=measured,
    )


def _lost(code: Iterable[ChangedFile]) -> str:
    return next((f"what changed in {file.path} could not be had" for file in code if _lines(file) is None), "")


def _lines(file: ChangedFile) -> tuple[Line, ...] | None:
    """The added lines that are no comments; None: not known."""
    numbers = gained(file)
    if numbers is None:
        return None
    if file.patch is not None:
        every: Iterable[Line] = added(file)
    else:
        text = after(file)
        every = (
            [] if isinstance(text, Unknown) else [Line(number, one) for number, one in enumerate(text.split("\n"), 1)]
        )
    return tuple(
        Line(line.number, line.text[:_LONGEST]) for line in every if line.text.strip() and not _COMMENT.match(line.text)
    )


def _risks(evidence: ChangeEvidence, code: Iterable[ChangedFile]) -> Iterator[_Risk]:
    labels = [label for label in evidence.change.labels if label.casefold() in LABELS]
    if labels:
        yield _Risk(f"it is labelled {labels[0]!r}")
    if not isinstance(evidence.kinds, Unknown) and ChangeKind.BREAKING in evidence.kinds:
        yield _Risk("it breaks users")
    for file in code:
        lines = _lines(file) or ()
        if lines and _PLACES.search(file.path):
            yield _Risk(f"{file.path} decides who may do what, or moves money", file.path, lines[0].number)
        for line in lines:
            if _DELETES.search(line.text):
                yield _Risk("it deletes data", file.path, line.number)
            elif _TALKS.search(line.text):
                yield _Risk("it talks to the outside", file.path, line.number)


def _switched_on(files: Iterable[ChangedFile]) -> Iterator[_Risk]:
    for file in files:
        for line in _lines(file) or ():
            if _ON.search(line.text):
                yield _Risk(
                    "this flag is on from the start; let it be off until somebody switches it on",
                    file.path,
                    line.number,
                )


def _remark(risk: _Risk) -> Remark:
    text = risk.why[0].upper() + risk.why[1:]
    return Remark(message=f"{text}.", path=risk.path, line=risk.line, severity=Harm.MEDIUM, rule="unguarded_risk")


GATE = Gate(
    id=GateId.FEATURE_FLAG_GUARDS_RISK,
    motivation="What goes wrong in production should be switched off in seconds, not rolled back in a hurry.",
    reads=("files", "kinds"),
    effort=Effort.HOURS,
    remedy="Ask a flag before the new behaviour begins, with off as its default, and say who switches it on.",
    evaluate=evaluate,
)
