"""Writes a page for each gate, and the index of them: what it asks, why, what it reads, and how one gets past it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial

from docs.generators.markdown import code, page, prose, table
from shared.definitions.load import definition_of_done
from shared.domain.change import ChangeEvidence
from shared.domain.definition import Criterion, GateId, KnownByGate
from shared.domain.policy import EffectiveRule
from shared.domain.review import UNDECIDED, Effort, Outcome
from shared.domain.threshold import Threshold
from shared.gates import Gate, gates
from shared.policies.parsing import shipped_policy
from shared.policies.resolving import resolve

FOLDER = "gates"

_PARTS = {
    "change": "the pull request itself: title, description, branches, labels, whether it is behind or in conflict",
    "files": "the changed files with their diffs, and their texts before and after",
    "commits": "the commits it brings: messages, authors, files",
    "items": "the linked work items and issues with all that stands above them",
    "reviews": "what reviewers said, and on which commit",
    "threads": "the discussions, and whether they are resolved",
    "checks": "check runs, statuses, builds and build policies of the head and of its trial merge",
    "alerts": "open alerts of the forge's own scanners",
    "scans": "what Doneright's own scanners say of the diff",
    "reports": "reports uploaded about the head or its trial merge",
    "base_reports": "reports uploaded about the target branch",
    "earlier_reports": "reports uploaded about earlier pushes of the same pull request",
    "template": "the target branch's pull request template",
    "kinds": "what the change is for: feature, bug fix, breaking and so on",
    "roles": "who holds which role, as the connection names them",
    "process": "the process of the board: CMMI, Agile, Scrum or Basic",
    "design": "the design option that somebody entitled chose by command",
}
"""Parts of the evidence in words."""

_EFFORTS = {Effort.MINUTES: "minutes", Effort.HOURS: "hours", Effort.DAYS: "days"}
_OUTCOMES = {
    Outcome.MET: "the criterion holds",
    Outcome.UNMET: "it does not; an enforced criterion blocks the merge",
    Outcome.NOT_APPLICABLE: "nothing in the change is asked about",
    Outcome.NOT_AVAILABLE: "the evidence could not be had",
    Outcome.NOT_SUPPORTED: "the forge, or its plan, has no such thing",
    Outcome.ERROR: "the gate broke; what it stumbled over is told",
}


def pages() -> Mapping[str, Callable[[], str]]:
    """Every page by its name: the index, and one for each gate."""
    every: dict[str, Callable[[], str]] = {f"{FOLDER}/index.md": index}
    return every | {f"{FOLDER}/{gate}.md": partial(one, gate) for gate in sorted(gates())}


def index() -> str:
    """The page ``gates/index.md``."""
    rows = [
        (_link(gate.id), _statement(gate), ", ".join(code(name) for name in gate.takes), _EFFORTS[gate.effort])
        for _, gate in sorted(gates().items())
    ]
    undecided = ", ".join(code(one) for one in Outcome if one in UNDECIDED)
    return page(
        "Gates",
        "A gate is one file of `shared/gates` that decides from evidence whether a criterion of the\n"
        "[definition of done](../definition-of-done.md) holds. It never passes what nobody could see.\n"
        "[Write a gate](../../how-to/write-a-gate.md) says how to add one.",
        [
            table(("Gate", "Holds when", "Thresholds", "Remedy takes"), rows),
            "## Outcomes",
            table(("Outcome", "Means"), [(code(outcome), _OUTCOMES[outcome]) for outcome in Outcome]),
            f"An enforced criterion that ends {undecided} leaves the verdict inconclusive: it asks a person, and never passes.",
        ],
    )


def one(gate_id: GateId) -> str:
    """The page of one gate."""
    gate = gates()[gate_id]
    criteria = _criteria(gate_id)
    blocks = ["## Why", gate.motivation, "## What it decides", prose(_rule(gate)), "## Evidence"]
    blocks.append(table(("Part", "What it is"), [(code(name), _part(name)) for name in gate.reads]))
    blocks += ["## Thresholds", *_thresholds(gate, criteria)]
    blocks += ["## Criteria", *_used(criteria)]
    blocks += ["## Remedy", f"{gate.remedy} That usually takes one person {_EFFORTS[gate.effort]}."]
    return page(
        _words(gate_id).capitalize(),
        f"Gate {code(gate_id)}: {_statement(gate)[:1].lower()}{_statement(gate)[1:]}",
        blocks,
    )


def _link(gate_id: GateId) -> str:
    return f"[{gate_id}]({gate_id}.md)"


def _statement(gate: Gate) -> str:
    """The sentence its file begins with."""
    module = sys.modules[gate.evaluate.__module__]
    first = inspect.cleandoc(module.__doc__ or "").split("\n\n")[0]
    return prose(" ".join(first.split()))


def _rule(gate: Gate) -> str:
    return " ".join((inspect.getdoc(gate.evaluate) or "").split())


def _part(name: str) -> str:
    if name not in ChangeEvidence.model_fields:
        raise LookupError(f"{name} is no part of the evidence of a change")
    return _PARTS[name]


def _criteria(gate_id: GateId) -> list[Criterion]:
    return [
        one
        for one in definition_of_done().criteria
        if isinstance(one.known_by, KnownByGate) and one.known_by.gate is gate_id
    ]


def _thresholds(gate: Gate, criteria: list[Criterion]) -> Iterator[str]:
    asked: dict[str, list[tuple[Criterion, Threshold]]] = {}
    for criterion in criteria:
        for name, threshold in criterion.thresholds.items():
            asked.setdefault(name, []).append((criterion, threshold))
    names = [*gate.takes, *(name for name in asked if name not in gate.takes)]
    if not names:
        yield "It takes none."
        return
    rows = [
        (code(name), _bounds(asked.get(name, [])) or "no shipped criterion sets it; a policy's criterion may")
        for name in names
    ]
    yield table(("Threshold", "As shipped"), rows)


def _bounds(asked: list[tuple[Criterion, Threshold]]) -> str:
    return "; ".join(f"{threshold.text} ({criterion.id})" for criterion, threshold in asked)


def _used(criteria: list[Criterion]) -> Iterator[str]:
    if not criteria:
        yield "No shipped criterion names it."
        return
    rules = _shipped()
    rows = [
        (
            f"[{one.id}](../definition-of-done.md#{one.id})",
            _words(one.stage),
            one.statement,
            code(rules[one.id].enforcement),
        )
        for one in criteria
    ]
    yield table(("Criterion", "Stage", "Statement", "Shipped policy"), rows)


@cache
def _shipped() -> dict[str, EffectiveRule]:
    return {rule.criterion: rule for rule in resolve(definition_of_done(), shipped_policy()).policy.rules}


def _words(name: str) -> str:
    return name.replace("_", " ")
