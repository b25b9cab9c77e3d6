"""Where reviews stand: one record for each head of each pull request, so that every event meets the same review.

An event that arrives while a review runs is not lost and starts no second one: it raises what is *wanted*, and the run
does not end before it has *done* that. Both are decided on the same record, which changes only as somebody read it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from pydantic import Field

from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, Frozen, RepositoryRef
from shared.domain.keys import decode_key, encode_key
from shared.domain.review import Reviewed, ReviewInput, ReviewRecord, ReviewState, SeenHead
from shared.errors import ConflictError, TransientError
from shared.reviews.ports import ReviewPorts

_TRIES = 8
_HEADS_EACH = 20
"""Heads a pull request has at the most, as far as a list of pull requests goes."""
_END = 10_000_000_000_000
MOST_HEADS = 200
"""Heads of one pull request that are looked through; each push makes one."""


class Wanted(Frozen):
    """What follows from wanting a review."""

    record: ReviewRecord
    start: ReviewInput | None = Field(
        default=None, description="To be started; None: a run is under way and will see it."
    )


def review_id(ref: ChangeRef, head: str) -> str:
    """Name of the review of ``head``, as the API takes it: free of characters that an address or key refuses."""
    return encode_key(f"{ref.key}@{head}")


def want(ports: ReviewPorts, ref: ChangeRef, head: str, *, project: str, connection: str, reason: str) -> Wanted:
    """Ask for a round of the review of ``head``.

    Raises ``TransientError`` when too many ask at the same moment.
    """
    ident = review_id(ref, head)
    partition = encode_key(ref.key)

    for _ in range(_TRIES):
        now = ports.clock.now()
        found = ports.reviews.get(partition, head)
        try:
            if found is None:
                record = ReviewRecord(
                    id=ident, ref=ref, project=project, connection=connection, head=head, state=ReviewState.RUNNING,
                    instance=f"review-{ident}.1", created_at=now, updated_at=now,
                )  # fmt: skip
                # Seen first, so that whoever finds the review by its commit finds every review there is.
                _see(ports, record)
                ports.reviews.create(partition, head, record)
                return Wanted(record=record, start=run_of(record, reason))
            record, etag = found
            changes: dict[str, object] = {"wanted": record.wanted + 1, "updated_at": now}
            under_way = record.state is ReviewState.RUNNING
            if not under_way:
                run = record.run + 1
                changes |= {"run": run, "instance": f"review-{ident}.{run}", "state": ReviewState.RUNNING}
            record = record.model_copy(update=changes)
            ports.reviews.replace(partition, head, record, etag)
            return Wanted(record=record, start=None if under_way else run_of(record, reason))
        except ConflictError:
            continue
    raise TransientError(f"{ref.key} is asked about by too many at once", retry_after=2)


def of(ports: ReviewPorts, ident: str) -> ReviewRecord | None:
    """The review of that id."""
    key, _, head = decode_key(ident).rpartition("@")
    if not key or not head:
        return None
    found = ports.reviews.get(encode_key(key), head)
    return found[0] if found else None


def heads_of(ports: ReviewPorts, ref: ChangeRef) -> Sequence[ReviewRecord]:
    """Every review of a pull request, the latest first.

    Events may arrive in any order: a head that another one superseded is an earlier one, whenever it was heard of.
    """
    rows = [record for _, _, record in ports.reviews.list(encode_key(ref.key), MOST_HEADS)]
    return sorted(
        rows, key=lambda record: (record.state is not ReviewState.SUPERSEDED, record.created_at), reverse=True
    )


def latest_of(ports: ReviewPorts, ref: ChangeRef) -> ReviewRecord | None:
    """The review of the newest head that was seen."""
    return next(iter(heads_of(ports, ref)), None)


def reviews_of(ports: ReviewPorts, project: str, limit: int) -> Sequence[ReviewRecord]:
    """The latest reviews of a project, newest first, the newest head of each pull request."""
    found: dict[str, ReviewRecord] = {}
    for _, _, seen in ports.heads.list(_of_project(project), limit * _HEADS_EACH):
        known = found.get(seen.ref.key)
        if known is None and len(found) == limit:
            break
        if known is None or known.state is ReviewState.SUPERSEDED:
            kept = ports.reviews.get(encode_key(seen.ref.key), seen.head)
            if kept and (known is None or kept[0].state is not ReviewState.SUPERSEDED):
                found[seen.ref.key] = kept[0]
    return list(found.values())


def of_commit(ports: ReviewPorts, forge: ForgeName, repository: RepositoryRef, commit: str) -> Sequence[ReviewRecord]:
    """Reviews whose head is ``commit``: what a check or a report about it may change."""
    rows = ports.heads.list(_of_commit(forge, repository, commit), MOST_HEADS)
    found = (ports.reviews.get(encode_key(seen.ref.key), seen.head) for _, _, seen in rows)
    return [one[0] for one in found if one]


def quiet(ports: ReviewPorts, since: datetime) -> Sequence[ReviewInput]:
    """Runs that nothing was heard of since ``since``, to be offered to the engine, which may have lost them."""
    return [
        run_of(record)
        for _, _, record in ports.reviews.list(None, 10_000)
        if record.state is ReviewState.RUNNING and record.updated_at < since
    ]


def _see(ports: ReviewPorts, record: ReviewRecord) -> None:
    seen = SeenHead(ref=record.ref, head=record.head, project=record.project)
    ref = record.ref
    ports.heads.put(_of_commit(ref.forge, ref.repository, record.head), f"{ref.number:010d}", seen)
    # Tables list in the order of keys: the newest stands first.
    since = _END - int(record.created_at.timestamp() * 1000)
    ports.heads.put(_of_project(record.project), f"{since:014d}-{record.head[:12]}-{ref.forge}-{ref.number}", seen)


def _of_project(project: str) -> str:
    return encode_key(f"project:{project}")


def _of_commit(forge: ForgeName, repository: RepositoryRef, commit: str) -> str:
    return encode_key(f"{forge}:{str(repository).lower()}@{commit}")


def run_of(record: ReviewRecord, reason: str = "") -> ReviewInput:
    """What the run of ``record`` is, or was, started with."""
    return ReviewInput(
        instance=record.instance,
        review=record.id,
        ref=record.ref,
        project=record.project,
        connection=record.connection,
        head=record.head,
        round=record.wanted,
        reason=reason,
    )


def changed(
    ports: ReviewPorts, record: ReviewRecord, change: Callable[[ReviewRecord], ReviewRecord | None]
) -> ReviewRecord:
    """Let ``change`` have its way with the record as it is now; ``None`` from it leaves the record as it is.

    Raises ``TransientError`` when others change it all the time.
    """
    partition = encode_key(record.ref.key)
    for _ in range(_TRIES):
        found = ports.reviews.get(partition, record.head)
        if found is None:
            return record
        current, etag = found
        after = change(current)
        if after is None:
            return current
        after = after.model_copy(update={"updated_at": ports.clock.now()})
        try:
            ports.reviews.replace(partition, record.head, after, etag)
        except ConflictError:
            continue
        return after
    raise TransientError(f"the review {record.id} changes all the time", retry_after=2)


def reviewed_of(ports: ReviewPorts, record: ReviewRecord) -> Reviewed | None:
    """What the review came to last; ``None`` before its first verdict."""
    return Reviewed.model_validate_json(ports.artifacts.get(record.reviewed)) if record.reviewed else None
