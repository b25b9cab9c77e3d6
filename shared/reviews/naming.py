"""Finds the criteria that somebody means by a name: a criterion's own, or that of the gate that decides it."""

from __future__ import annotations

import difflib
from collections.abc import Set as AbstractSet

from shared.domain.definition import Criterion, DefinitionOfDone, GateId, KnownByGate
from shared.domain.forge import Frozen
from shared.errors import RefusedError
from shared.reviews.judging import asked_of_a_change


class Named(Frozen):
    """What a name stands for."""

    name: str
    gate: GateId | None
    criteria: tuple[Criterion, ...]


def named(name: str, definition: DefinitionOfDone) -> Named:
    """The criterion of that name, or every criterion of the gate of that name. Raises ``RefusedError`` for neither."""
    known = definition.by_id()
    if name in known:
        return Named(name=name, gate=_gate_of(known[name]), criteria=(known[name],))
    by_gate = _by_gate(definition)
    if name in by_gate:
        return Named(name=name, gate=GateId(name), criteria=by_gate[name])
    near = difflib.get_close_matches(name, [*known, *by_gate], n=1, cutoff=0.6)
    raise RefusedError(
        f"there is no gate or criterion {name}",
        f"Perhaps you mean {near[0]}." if near else "The summary of the review names those there are.",
    )


def several(name: str, definition: DefinitionOfDone, unmet: AbstractSet[str]) -> tuple[Criterion, ...]:
    """The criteria that stand in the way under ``name``: a gate's are only those among ``unmet``.

    Raises ``RefusedError`` where a review asks for none of them.
    """
    found = named(name, definition)
    asked = tuple(one for one in found.criteria if asked_of_a_change(one))
    if not asked:
        raise RefusedError(f"{name} is not asked of a change", "It has its own occasion; a review says nothing of it.")
    if len(asked) == 1:
        return asked
    left = tuple(one for one in asked if one.id in unmet)
    if not left:
        names = ", ".join(one.id for one in asked)
        raise RefusedError(
            f"{name} decides {len(asked)} criteria, and none of them was found unmet", f"Name one: {names}."
        )
    return left


def one(name: str, definition: DefinitionOfDone, undecided: AbstractSet[str]) -> Criterion:
    """The one criterion under ``name``. Raises ``RefusedError`` where it may be any of several."""
    found = several(name, definition, undecided)
    if len(found) > 1:
        raise RefusedError(
            f"{name} may be any of {len(found)} criteria", f"Name one: {', '.join(c.id for c in found)}."
        )
    return found[0]


def _by_gate(definition: DefinitionOfDone) -> dict[str, tuple[Criterion, ...]]:
    found: dict[str, tuple[Criterion, ...]] = {}
    for criterion in definition.criteria:
        gate = _gate_of(criterion)
        # The threshold gate decides whatever has a figure; its name means nothing.
        if gate is not None and gate is not GateId.THRESHOLD and asked_of_a_change(criterion):
            found[gate] = (*found.get(gate, ()), criterion)
    return found


def _gate_of(criterion: Criterion) -> GateId | None:
    return criterion.known_by.gate if isinstance(criterion.known_by, KnownByGate) else None
