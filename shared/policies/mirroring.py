"""Maps a ticket's state to labels, tags and board states on both forges, and reads it back from them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.lifecycle import Board, LifecycleState, Mirrored, Reading, TicketLifecycle
from shared.domain.project import Process


def mirrored(
    lifecycle: TicketLifecycle, state: LifecycleState, process: Process | None = None, type_: str = ""
) -> Mirrored:
    """How both forges show ``state``; the board's state where ``process`` has one for work items of ``type_``."""
    name = lifecycle.name_of(state)
    board = _board(lifecycle, process, type_)
    return Mirrored(
        state=state,
        label=name,
        tag=name,
        issue=lifecycle.definition_of(state).issue,
        board=board.states[state] if board else "",
    )


def relabelled(lifecycle: TicketLifecycle, names: Iterable[str], state: LifecycleState) -> tuple[str, ...]:
    """Labels or tags with ``state``'s in place of any other state's; all others stay, in their order."""
    kept = tuple(name for name in names if not _is_ours(lifecycle, name))
    return (*kept, lifecycle.name_of(state))


def read_names(lifecycle: TicketLifecycle, names: Iterable[str]) -> Reading:
    """The state that labels or tags say. Neither forge tells them apart by case."""
    by_name = {lifecycle.name_of(state).casefold(): state for state in LifecycleState}
    found = {state for name in names if (state := by_name.get(" ".join(name.casefold().split())))}
    candidates = tuple(state for state in LifecycleState if state in found)
    if len(candidates) == 1:
        return Reading(state=candidates[0], candidates=candidates)
    if not candidates:
        return Reading(problem=f"no label or tag begins with {lifecycle.prefix.strip()!r} and names a state")
    said = ", ".join(lifecycle.name_of(state) for state in candidates)
    return Reading(candidates=candidates, problem=f"says {len(candidates)} states at once: {said}; keep one")


def read_work_item(
    lifecycle: TicketLifecycle, process: Process, type_: str, board_state: str, tags: Iterable[str]
) -> Reading:
    """The state a work item says by its tag; without one, by its board's state where that leaves no choice.

    A tag that the board's state contradicts is told: somebody moved the card by hand.
    """
    said = read_names(lifecycle, tags)
    board = _board(lifecycle, process, type_)
    if board is None or len(said.candidates) > 1:
        return said
    possible = tuple(
        state for state in LifecycleState if board.states[state].casefold() == board_state.strip().casefold()
    )
    if said.state is None:
        if len(possible) == 1:
            return Reading(state=possible[0], candidates=possible)
        problem = said.problem if possible else f"{said.problem}; the board's {board_state!r} stands for none"
        return Reading(candidates=possible, problem=problem)
    if said.state in possible:
        return said
    expected = board.states[said.state]
    return Reading(
        candidates=(said.state, *possible),
        problem=f"the tag says {lifecycle.name_of(said.state)!r}, whose board state is {expected!r}; "
        f"the work item is {board_state!r}",
    )


def _board(lifecycle: TicketLifecycle, process: Process | None, type_: str) -> Board | None:
    return next(
        (
            board
            for board in lifecycle.boards
            if board.process is process and type_.casefold() in {name.casefold() for name in board.types}
        ),
        None,
    )


def _is_ours(lifecycle: TicketLifecycle, name: str) -> bool:
    ours = {lifecycle.name_of(state).casefold() for state in LifecycleState}
    return " ".join(name.casefold().split()) in ours
