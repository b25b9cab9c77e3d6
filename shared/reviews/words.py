"""Keeps what people said of a pull request beyond one review of it: the latest word counts, however often it is heard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from shared.domain.change import ChangeRef
from shared.domain.keys import bounded
from shared.domain.review import Attestation, BegunMove, Spoken, Waiver
from shared.errors import ConflictError, TransientError
from shared.reviews.ports import ReviewPorts

_TRIES = 8
_FOLLOWING = timedelta(minutes=2)
"""How long whoever follows a comment is believed to be at it; a worker that died is not waited for longer."""
_MOST_COMMENTS = 2_000
"""Ids of comments that are kept; older ones are never delivered again."""


def spoken_of(ports: ReviewPorts, ref: ChangeRef) -> Spoken:
    """All that was said; nothing for a pull request nobody spoke of."""
    found = ports.spoken.get(_partition(ref), str(ref.number))
    return found[0] if found else Spoken(ref=ref)


def waiver_of(spoken: Spoken, criterion: str, at: datetime) -> Waiver | None:
    """The waiver of ``criterion`` that is in force at that time."""
    return next((one for one in spoken.waivers if one.criterion == criterion and at < one.until), None)


def attestation_of(spoken: Spoken, criterion: str) -> Attestation | None:
    """The latest attestation of ``criterion``."""
    return next((one for one in spoken.attestations if one.criterion == criterion), None)


def attest(ports: ReviewPorts, ref: ChangeRef, attestation: Attestation) -> Spoken:
    """Keep an attestation; one that was said later stays."""

    def said(spoken: Spoken) -> Spoken:
        before = attestation_of(spoken, attestation.criterion)
        if before is not None and before.at > attestation.at:
            return spoken
        others = tuple(one for one in spoken.attestations if one.criterion != attestation.criterion)
        return spoken.model_copy(update={"attestations": (*others, attestation)})

    return changed(ports, ref, said)


def waive(ports: ReviewPorts, ref: ChangeRef, waiver: Waiver) -> Spoken:
    """Keep a waiver; one that was granted later stays."""

    def said(spoken: Spoken) -> Spoken:
        before = next((one for one in spoken.waivers if one.criterion == waiver.criterion), None)
        if before is not None and before.at > waiver.at:
            return spoken
        others = tuple(one for one in spoken.waivers if one.criterion != waiver.criterion)
        return spoken.model_copy(update={"waivers": (*others, waiver)})

    return changed(ports, ref, said)


def decide(ports: ReviewPorts, ref: ChangeRef, *, accepted: bool, at: datetime) -> Spoken:
    """Keep whether the work was accepted."""

    def said(spoken: Spoken) -> Spoken:
        if spoken.accepted_at is not None and spoken.accepted_at > at:
            return spoken
        return spoken.model_copy(update={"accepted": accepted, "accepted_at": at})

    return changed(ports, ref, said)


def choose(ports: ReviewPorts, ref: ChangeRef, *, design: int, at: datetime) -> Spoken:
    """Keep which design option was chosen."""

    def said(spoken: Spoken) -> Spoken:
        if spoken.design_at is not None and spoken.design_at > at:
            return spoken
        return spoken.model_copy(update={"design": design, "design_at": at})

    return changed(ports, ref, said)


def begin_move(ports: ReviewPorts, ref: ChangeRef, ticket: str, move: BegunMove) -> None:
    """Put down that a ticket is being moved."""
    changed(ports, ref, lambda spoken: spoken.model_copy(update={"moving": spoken.moving | {ticket: move}}))


def end_move(ports: ReviewPorts, ref: ChangeRef, ticket: str) -> None:
    """Put down that a ticket was moved, or is left where it is."""
    changed(
        ports,
        ref,
        lambda spoken: spoken.model_copy(
            update={"moving": {name: move for name, move in spoken.moving.items() if name != ticket}}
        ),
    )


def take(ports: ReviewPorts, ref: ChangeRef, comment: str) -> Spoken | None:
    """Begin to follow a comment; what was said when it was followed already, ``None`` when it is ours to follow.

    A repository's hook doubles its organisation's, so that two workers may hear the same comment at the same moment.
    Raises ``TransientError`` while another one follows it.
    """
    now = ports.clock.now()
    done: list[Spoken] = []

    def taken(spoken: Spoken) -> Spoken:
        done.clear()
        if comment in spoken.comments:
            done.append(spoken)
            return spoken
        until = spoken.under_way.get(comment)
        if until is not None and now < until:
            raise TransientError(f"comment {comment} of {ref.key} is being followed", retry_after=5)
        return spoken.model_copy(update={"under_way": _live(spoken, now) | {comment: now + _FOLLOWING}})

    changed(ports, ref, taken)
    return done[0] if done else None


def let_go(ports: ReviewPorts, ref: ChangeRef, comment: str) -> None:
    """Leave a comment to the next who hears of it: following it broke off."""

    def left(spoken: Spoken) -> Spoken:
        return spoken.model_copy(update={"under_way": {k: v for k, v in spoken.under_way.items() if k != comment}})

    changed(ports, ref, left)


def finish(ports: ReviewPorts, ref: ChangeRef, comment: str, *, heeded: bool) -> None:
    """Put down that a comment was followed, and whether it asked for another look."""

    def ended(spoken: Spoken) -> Spoken:
        return spoken.model_copy(
            update={
                "under_way": {k: v for k, v in spoken.under_way.items() if k != comment},
                "comments": _with(spoken.comments, comment),
                "heeded": _with(spoken.heeded, comment) if heeded else spoken.heeded,
            }
        )

    changed(ports, ref, ended)


def changed(ports: ReviewPorts, ref: ChangeRef, change: Callable[[Spoken], Spoken]) -> Spoken:
    """Let ``change`` have its way with what was said, as it stands now.

    Raises ``TransientError`` when others change it all the time.
    """
    partition, key = _partition(ref), str(ref.number)
    for _ in range(_TRIES):
        found = ports.spoken.get(partition, key)
        before = found[0] if found else Spoken(ref=ref)
        after = change(before)
        if after == before:
            return after
        try:
            if found is None:
                ports.spoken.create(partition, key, after)
            else:
                ports.spoken.replace(partition, key, after, found[1])
        except ConflictError:
            continue
        return after
    raise TransientError(f"too many speak of {ref.key} at once", retry_after=2)


def _partition(ref: ChangeRef) -> str:
    return bounded(f"{ref.forge}:{str(ref.repository).lower()}")


def _live(spoken: Spoken, now: datetime) -> dict[str, datetime]:
    return {comment: until for comment, until in spoken.under_way.items() if now < until}


def _with(known: tuple[str, ...], comment: str) -> tuple[str, ...]:
    return known if comment in known else (*known, comment)[-_MOST_COMMENTS:]
