"""An image has no critical vulnerability and does not run as root."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.domain.change import ChangedFile, ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import Severity
from shared.domain.review import Effort, Judgement, Outcome, Remark
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.versions import after
from shared.gates import Asked, Gate
from shared.gates._concerns import named, of_kind
from shared.gates._figures import asked_or, at_most, judged
from shared.gates._findings import Concern, Gathered, gathered, remarks_on, unlooked

_USUAL = {"critical": at_most(0)}
_INSTRUCTION = re.compile(r"^\s*(?P<word>FROM|USER)\s+(?P<rest>[^#]+?)\s*$", re.IGNORECASE)
_OPTION = re.compile(r"^--\S+\s+")
_ROOT = frozenset({"root", "0", "root:root", "0:0"})
_UNPRIVILEGED = re.compile(r"nonroot|rootless|unprivileged", re.IGNORECASE)
_ROOT_RULES = frozenset({"DL3002"})
"""Of hadolint: the last user is root. Told here already."""


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether ``critical`` findings stay within their bound, and no image runs as root.

    What is in an image shows only to a scanner of images: its report must be there, whatever the Dockerfile says.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    files = tuple(file for file in of_kind(evidence, FileKind.CONTAINER) if _describes_image(file))
    seen = gathered(evidence, Concern.CONTAINER)
    if not files and not seen.told:
        return Judgement.not_applicable("containers: the change touches no description of an image")
    gaps = list(seen.gaps)
    roots: list[Remark] = []
    for file in files:
        text = after(file)
        if isinstance(text, Unknown):
            gaps.append(text.reason)
        elif (root := _root(text)) is not None:
            roots.append(_remark(file, root))
    gaps += _unscanned(evidence, files, seen)
    told = [one for one in seen.told if not (roots and one.finding.rule in _ROOT_RULES)]
    judgement = judged(
        asked_or(asked, _USUAL),
        {"critical": sum(one.finding.severity is Severity.CRITICAL for one in told), "runs_as_root": len(roots)},
        {"critical": "; ".join(gaps)} if gaps else {},
        of=f"looked at by {', '.join(seen.sources)}",
        remarks=(*roots, *remarks_on(evidence, told, Severity.CRITICAL)),
        evidence=seen.digests,
    )
    if not roots:
        return judgement
    also = f"; {judgement.reason}" if judgement.outcome is Outcome.UNMET else ""
    places = named([f"{one.path}:{one.line}" for one in roots])
    return Judgement.model_validate(
        judgement.model_dump() | {"outcome": Outcome.UNMET, "reason": f"the image runs as root: {places}{also}"[:2_000]}
    )


class _Root(NamedTuple):
    line: int
    why: str


def _describes_image(file: ChangedFile) -> bool:
    return "dockerfile" in file.path.rsplit("/", 1)[-1].lower()


def _root(text: str) -> _Root | None:
    """Where the last stage of a Dockerfile is left to root; None: it is not, or there is no stage."""
    users: dict[str, str] = {}
    stage, base, user, line, seen = "", "", "", 0, False
    for number, row in enumerate(text.split("\n"), 1):
        found = _INSTRUCTION.match(row)
        if not found:
            continue
        rest = _OPTION.sub("", found["rest"])
        if found["word"].upper() == "FROM":
            if seen:
                users[stage.lower()] = user
            name, _, alias = re.sub(r"\s+as\s+", " ", rest, flags=re.IGNORECASE).partition(" ")
            base, stage, line, seen = name, alias.strip(), number, True
            # A stage built on another goes on as that one's user.
            user = users.get(name.lower(), "nonroot" if _UNPRIVILEGED.search(name) else "")
        else:
            user, line = rest.strip("\"'"), number
    if not seen or (user and user.lower() not in _ROOT):
        return None
    return _Root(line, f"`USER {user}` is root" if user else f"no USER is named after `FROM {base}`, so it is root")


def _remark(file: ChangedFile, root: _Root) -> Remark:
    return Remark(
        message=f"The image runs as root: {root.why}. Whoever breaks out of the process owns the container.",
        path=file.path,
        line=root.line,
        severity=Harm.CRITICAL,
        rule="runs_as_root",
    )


def _unscanned(evidence: ChangeEvidence, files: tuple[ChangedFile, ...], seen: Gathered) -> Iterator[str]:
    """What nobody looked at: a Dockerfile, or the image it makes."""
    if missed := unlooked(evidence, files, seen, Concern.CONTAINER):
        yield f"no scanner looked at {named(missed)}"
    if files and not set(seen.sources) - {scan.scanner for scan in evidence.scans}:
        yield "no report of a scanner of images was uploaded about the commit: send Trivy's or Grype's SARIF"


GATE = Gate(
    id=GateId.CONTAINERS_ARE_SECURE,
    motivation="An image carries a whole system with it; what is broken in that, or runs as root, undoes the care taken with the code.",
    reads=("files", "scans", "reports", "alerts"),
    effort=Effort.HOURS,
    remedy="Raise the base image, name a USER who is not root, and let the pipeline upload a scan of the image.",
    evaluate=evaluate,
    takes=("critical",),
)
