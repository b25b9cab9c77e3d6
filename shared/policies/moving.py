"""Moves a ticket through its lifecycle, or says why it stays, what is missing, and where it could go instead."""

from __future__ import annotations

from collections import deque
from collections.abc import Set as AbstractSet

from shared.domain.definition import DefinitionOfDone, OwnerRole
from shared.domain.lifecycle import IllegalMove, LifecycleState, Missing, Moved, TicketLifecycle


def move(
    lifecycle: TicketLifecycle,
    definition: DefinitionOfDone,
    origin: LifecycleState,
    to: LifecycleState,
    satisfied: AbstractSet[str],
    role: OwnerRole | None = None,
) -> Moved | IllegalMove:
    """The move from ``origin`` to ``to``, or why it is none.

    Args:
        satisfied: ids of criteria that stand in nobody's way: met, not applicable, waived, or not enforced by the policy.
            What could not be determined is not among them.
        role: who moves; ``None`` is Doneright, which makes only the moves it can see for itself.
    """
    legal = tuple(one.to for one in lifecycle.moves_from(origin))
    if origin is to:
        return IllegalMove(origin=origin, to=to, reason=f"the ticket is {_words(to)} already", legal=legal)
    found = lifecycle.move(origin, to)
    if found is None:
        way = shortest_way(lifecycle, origin, to)
        reason = f"no move leads from {_words(origin)} to {_words(to)}"
        if way:
            reason += f"; the way there is {', '.join(_words(one) for one in way)}"
        return IllegalMove(origin=origin, to=to, reason=reason, legal=legal, way=way)
    reasons: list[str] = []
    if found.by and role not in found.by:
        who = " or ".join(one.replace("_", " ") for one in found.by)
        reasons.append(f"only {who} may move it there")
    criteria = definition.by_id()
    missing = tuple(
        Missing(criterion=guard, statement=criteria[guard].statement, remedy=criteria[guard].remedy)
        for guard in found.guards
        if guard not in satisfied
    )
    if missing:
        reasons.append(f"{len(missing)} of {len(found.guards)} criteria are missing")
    if reasons:
        return IllegalMove(origin=origin, to=to, reason="; ".join(reasons), missing=missing, legal=legal)
    return Moved(origin=origin, to=to, direction=found.direction)


def shortest_way(lifecycle: TicketLifecycle, origin: LifecycleState, to: LifecycleState) -> tuple[LifecycleState, ...]:
    """The states on the shortest way from ``origin`` to ``to``, without the first; empty when none leads there."""
    came_from: dict[LifecycleState, LifecycleState | None] = {origin: None}
    ahead = deque([origin])
    while ahead:
        at = ahead.popleft()
        if at is to:
            break
        for one in lifecycle.moves_from(at):
            if one.to not in came_from:
                came_from[one.to] = at
                ahead.append(one.to)
    if to not in came_from or origin is to:
        return ()
    way = [to]
    while (before := came_from[way[-1]]) is not None and before is not origin:
        way.append(before)
    return tuple(reversed(way))


def _words(state: LifecycleState) -> str:
    return state.replace("_", " ")
