"""What a gate is, and which there are: each is one file of this folder whose stem is its id.

A gate is pure: it reads the evidence of one change and says whether a criterion holds. What it cannot tell it answers as
*not available*, with the reason; it never passes what nobody could see.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from shared.domain.change import ChangeEvidence
from shared.domain.definition import EvidenceKind, GateId
from shared.domain.review import Effort, Judgement
from shared.domain.threshold import Threshold
from shared.errors import DefectError


@dataclass(frozen=True)
class Asked:
    """What a criterion asks of a gate: several criteria may share one gate and differ in their thresholds."""

    criterion: str
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    """The figures and lists that hold under the policy, by name."""
    evidence: EvidenceKind | None = None
    """What the ``threshold`` gate measures."""

    def figure(self, name: str, default: float) -> float:
        """The bound of that name; ``default`` where the criterion has none."""
        found = self.thresholds.get(name)
        value = found.value if found else default
        if isinstance(value, tuple):
            raise DefectError(f"{self.criterion}: {name} is a list")
        return value

    def entries(self, name: str) -> tuple[str, ...]:
        """The list of that name; none where the criterion has none."""
        found = self.thresholds.get(name)
        value = found.value if found else ()
        if not isinstance(value, tuple):
            raise DefectError(f"{self.criterion}: {name} is a figure")
        return value


@dataclass(frozen=True)
class Gate:
    """One statement that a change makes true or false."""

    id: GateId
    motivation: str
    """Why anybody should care: one or two sentences for the reference page."""
    reads: tuple[str, ...]
    """Fields of ``ChangeEvidence`` it reads; all others are invisible to it."""
    effort: Effort
    """Of the usual remedy."""
    remedy: str
    """What to do when it does not hold, for whoever reads the verdict."""
    evaluate: Callable[[ChangeEvidence, Asked], Judgement]
    takes: tuple[str, ...] = ()
    """Names of the thresholds it understands; a criterion that gives another is at fault."""


@cache
def gates() -> Mapping[GateId, Gate]:
    """Every gate of this folder by its id. Raises ``DefectError`` for a file that is none."""
    found: dict[GateId, Gate] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg or module.name.startswith("_"):
            continue
        gate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "GATE", None)
        if not isinstance(gate, Gate):
            raise DefectError(f"shared/gates/{module.name}.py defines no GATE")
        if gate.id != module.name:
            raise DefectError(f"shared/gates/{module.name}.py defines the gate {gate.id}; name the file after it")
        found[gate.id] = gate
    return found
