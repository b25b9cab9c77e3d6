"""Changes and their evidence for tests of gates, agents and reviews; what a test does not say is an ordinary, sound change."""

from __future__ import annotations

import difflib
import hashlib
import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.definitions.load import definition_of_done
from shared.domain.change import (
    Change,
    ChangeCommit,
    ChangedFile,
    ChangeEvidence,
    ChangeRef,
    Check,
    CheckState,
    FileStatus,
    LinkedItem,
    Person,
    PersonReview,
    Reported,
    ReviewState,
    Scan,
    Thread,
    ThreadComment,
    Unknown,
)
from shared.domain.definition import GateId, KnownByGate, WorkItemKind
from shared.domain.evidence import EvidenceFormat, EvidenceRecord, EvidenceReport, EvidenceSummary, Finding
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.review import Judgement
from shared.domain.threshold import Direction, Threshold, Unit, Value
from shared.gates import Asked, Gate

HEAD = "a1" * 20
BASE = "b2" * 20
MERGE_BASE = "c3" * 20
TRIAL_MERGE = "d4" * 20
EARLIER = "e5" * 20
"""A head before the present one."""
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
UNKNOWN = Unknown(reason="the forge refused: 403")
UNSUPPORTED = Unknown(reason="the forge has no such thing", supported=False)


def person(login: str = "mira", *, bot: bool = False, **rest: Any) -> Person:
    """Somebody; the author of every change here is ``mira``, reviewers are ``noor`` and ``otis`` by custom."""
    return Person(**({"id": f"id-{login.lower()}", "login": login, "name": login.capitalize(), "bot": bot} | rest))


def a_ref(forge: ForgeName = ForgeName.GITHUB, number: int = 7) -> ChangeRef:
    """Pull request 7 of ``contoso/desk``."""
    return ChangeRef(forge=forge, repository=RepositoryRef(owner="contoso", name="desk"), number=number)


def a_change(forge: ForgeName = ForgeName.GITHUB, **rest: Any) -> Change:
    """An open pull request of ``mira``'s from ``feature/12-export`` to ``main``; ``rest`` are fields of ``Change``."""
    usual = {
        "ref": a_ref(forge),
        "title": "feat: export orders (#12)",
        "body": "## What changes, and why\n\nOrders can be exported as CSV, because the shop's accountant asks.\n\nCloses #12\n",
        "url": "https://github.example/contoso/desk/pull/7",
        "author": person(),
        "source": "feature/12-export",
        "target": "main",
        "head": HEAD,
        "base": BASE,
        "merge_base": MERGE_BASE,
        "behind": 0,
        "conflicts": False,
        "merge_commit": TRIAL_MERGE,
        "created_at": NOW,
    }
    return Change.model_validate(usual | rest)


def evidence(*files: ChangedFile, **rest: Any) -> ChangeEvidence:
    """Evidence with ``files``; ``rest`` are fields of ``ChangeEvidence``. What is not named is empty: known, and none."""
    return ChangeEvidence(**({"change": a_change(), "files": files} | rest))


def file(path: str, before: str | None = None, after: str | None = None, **rest: Any) -> ChangedFile:
    """The file at ``path`` with the texts it had and has; ``None`` is: not there. Hunks and counts are computed.

    ``rest`` overrides fields of ``ChangedFile``, such as ``patch=None`` for hunks that could not be had.
    """
    status = FileStatus.ADDED if before is None else FileStatus.REMOVED if after is None else FileStatus.MODIFIED
    if rest.get("previous_path"):
        status = FileStatus.RENAMED
    patch = patch_of(before or "", after or "")
    body = [line for line in patch.split("\n") if not line.startswith("@@")]
    usual = {
        "path": path,
        "status": status,
        "additions": sum(line.startswith("+") for line in body),
        "deletions": sum(line.startswith("-") for line in body),
        "patch": patch,
        "content": after,
        "before": before,
    }
    return ChangedFile.model_validate(usual | rest)


def patch_of(before: str, after: str) -> str:
    """The hunks of the unified diff, from the first ``@@``, as both forges write them; empty for equal texts."""
    lines = list(difflib.unified_diff(_lines(before), _lines(after), n=3))[2:]
    told = []
    for line in lines:
        # Only the last line of a text can lack its end, and diffs say so.
        told.append(line.removesuffix("\n"))
        if not line.endswith("\n"):
            told.append("\\ No newline at end of file")
    return "\n".join(told)


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def commit(message: str = "feat: export orders", *paths: str, id: str = "", **rest: Any) -> ChangeCommit:
    """A commit that changes ``paths``; without any, what it changes was not asked for. ``paths=()`` changes nothing."""
    digest = id or hashlib.sha256(message.encode()).hexdigest()[:40]
    return ChangeCommit.model_validate(
        {"id": digest, "message": message, "author": "mira", "paths": paths or None} | rest
    )


def item(id: int = 12, type: str = "User Story", *, parents: tuple[LinkedItem, ...] = (), **rest: Any) -> LinkedItem:
    """A work item of Azure Boards; its kind follows from its type."""
    kinds = {
        "Epic": WorkItemKind.EPIC, "Feature": WorkItemKind.FEATURE, "User Story": WorkItemKind.REQUIREMENT,
        "Product Backlog Item": WorkItemKind.REQUIREMENT, "Requirement": WorkItemKind.REQUIREMENT,
        "Issue": WorkItemKind.REQUIREMENT, "Task": WorkItemKind.TASK, "Bug": WorkItemKind.BUG,
    }  # fmt: skip
    usual = {
        "id": id,
        "forge": ForgeName.AZURE_DEVOPS,
        "project": "desk",
        "type": type,
        "kind": kinds.get(type),
        "title": f"{type or 'Item'} {id}",
        "state": "Active",
        "parents": parents,
    }
    return LinkedItem.model_validate(usual | rest)


def review(
    by: Person | str = "noor", state: ReviewState = ReviewState.APPROVED, body: str = "", **rest: Any
) -> PersonReview:
    """A review given on the head."""
    reviewer = person(by) if isinstance(by, str) else by
    return PersonReview.model_validate({"reviewer": reviewer, "state": state, "body": body, "commit": HEAD} | rest)


def thread(*said: tuple[str, str], id: str = "t1", **rest: Any) -> Thread:
    """A thread of comments, each given as login and words."""
    comments = tuple(
        ThreadComment(id=f"{id}-{place}", author=person(login), body=words) for place, (login, words) in enumerate(said)
    )
    return Thread.model_validate({"id": id, "comments": comments} | rest)


def check(name: str = "build", state: CheckState = CheckState.PASSED, **rest: Any) -> Check:
    """A check that ran on the head."""
    return Check.model_validate({"name": name, "state": state, "commit": HEAD} | rest)


def scan(scanner: str, *findings: Finding, **rest: Any) -> Scan:
    """What a scanner said; ``findings=UNKNOWN`` in ``rest`` for one that could say nothing."""
    return Scan.model_validate({"scanner": scanner, "version": "1.0", "findings": findings} | rest)


def reported(report: EvidenceReport, *, commit: str = HEAD, digest: str = "", flag: str = "", **rest: Any) -> Reported:
    """A report that was uploaded about ``commit``; ``rest`` are fields of its record."""
    usual = {
        "project": "desk",
        "commit": commit,
        "digest": digest or "sha256:" + hashlib.sha256(report.model_dump_json().encode()).hexdigest(),
        "format": report.format,
        "tool": report.tool,
        "tool_version": report.tool_version,
        "media_type": "application/json",
        "size": 100,
        "flag": flag,
        "actor": "p-1",
        "received_at": NOW,
        "summary": EvidenceSummary(),
    }
    return Reported(record=EvidenceRecord.model_validate(usual | rest), report=report)


def a_report(format: EvidenceFormat = EvidenceFormat.JUNIT, **rest: Any) -> EvidenceReport:
    """A report of ``format``."""
    return EvidenceReport.model_validate({"format": format} | rest)


def asked(criterion: str, **values: Value) -> Asked:
    """What ``criterion`` of the shipped definition asks, with ``values`` in place of its thresholds' own."""
    found = definition_of_done().by_id()[criterion]
    evidence_kind = found.known_by.evidence if isinstance(found.known_by, KnownByGate) else None
    return Asked(criterion=criterion, thresholds=_held(found.thresholds, values), evidence=evidence_kind)


def asked_for(**thresholds: Threshold | float | tuple[str, ...]) -> Asked:
    """What a criterion of no definition asks: a figure is at most so many, a list names what must all be there."""
    held = {
        name: one
        if isinstance(one, Threshold)
        else Threshold(required=one)
        if isinstance(one, tuple)
        else Threshold(at_most=one, unit=Unit.COUNT)
        for name, one in thresholds.items()
    }
    return Asked(criterion="some_criterion", thresholds=held)


def at_least(figure: float, unit: Unit = Unit.COUNT) -> Threshold:
    """A floor."""
    return Threshold.model_validate({Direction.AT_LEAST.value: figure, "unit": unit})


def judged(gate: GateId | str, seen: ChangeEvidence, wanted: Asked | None = None) -> Judgement:
    """What the gate says of ``seen``; it is shown only the fields it says that it reads."""
    one: Gate = importlib.import_module(f"shared.gates.{GateId(gate)}").GATE
    shown = {"change": seen.change} | {name: getattr(seen, name) for name in one.reads}
    return one.evaluate(ChangeEvidence(**shown), wanted or Asked(criterion=str(gate)))


def _held(own: Mapping[str, Threshold], values: Mapping[str, Value]) -> dict[str, Threshold]:
    if strange := set(values) - set(own):
        raise KeyError(f"the criterion has no threshold {', '.join(sorted(strange))}")
    return {name: one.with_value(values[name]) if name in values else one for name, one in own.items()}
