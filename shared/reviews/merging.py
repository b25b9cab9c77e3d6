"""Merges what passed its review, exactly the head that was reviewed, and says what follows from it.

Nothing is merged that is a draft, comes from a fork, is only advised about, or shows another head by now.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from shared.domain.change import Change
from shared.domain.connection import Connection
from shared.domain.definition import ChangeKind
from shared.domain.forge import MergeKind
from shared.domain.publication import MergeOutcome
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Reviewed, Ruling
from shared.errors import ConflictError, RefusedError, TransientError
from shared.reviews.ports import ReviewForge

Follow = Callable[[MergeOutcome], Sequence[str]]
"""Something that is done after a merge; what there is to tell about it."""

EVERY_KIND = frozenset(MergeKind)
_MOST_OTHERS = 100
"""Open pull requests that are looked at before a branch is deleted."""
_NEXT_BEST = (MergeKind.SQUASH, MergeKind.MERGE, MergeKind.REBASE)
"""Where the wanted kind is not allowed: one commit on the branch is the least that people have to read."""

_ABOUT_THE_KIND = re.compile(r"\bnot allow|\bnot permitted|\bpolicy\b|\bstrategy\b|\bmethod\b", re.IGNORECASE)
"""Words by which a forge may mean the kind of merge. Anything else it says would be said of every kind: a missing approval,
a merge that is under way already."""

LOOKS = (0.5, 1.0, 2.0)
"""Seconds between the looks at what a merge began, which a forge shows a moment later."""
_MOST_RUNS = 3
_PAUSE = 5.0
"""Seconds until it is asked again."""


def nothing(_: MergeOutcome) -> Sequence[str]:
    """Follows where nothing does."""
    return ()


def wanted_merge(
    reviewed: Reviewed, connection: Connection, change: Change, allowed: AbstractSet[MergeKind] = EVERY_KIND
) -> MergeKind | None:
    """How the change is to be merged, out of what the repository allows; ``None`` where Doneright does not merge it."""
    return None if why_not(reviewed, connection, change) or not allowed else _kinds(reviewed, allowed)[0]


def why_not(reviewed: Reviewed, connection: Connection, change: Change) -> str:
    """Why Doneright does not merge it; empty where it does."""
    reasons = (
        (not connection.merge_on_green, "the connection does not merge what passed"),
        (reviewed.advisory, "the connection only advises"),
        (reviewed.ruling is not Ruling.PASSED, f"the review ended {reviewed.ruling}"),
        (change.state is not PullRequestState.OPEN, f"the pull request is {change.state}"),
        (change.draft, "it is a draft"),
        (change.fork, "it comes from a fork, and a person has to look at it"),
        (change.conflicts is True, "it conflicts with its target branch"),
        (change.head != reviewed.head, "its head is another than the one that was reviewed"),
    )
    return next((reason for stands, reason in reasons if stands), "")


def merge_when_green(
    forge: ReviewForge,
    reviewed: Reviewed,
    connection: Connection,
    change: Change,
    *,
    allowed: AbstractSet[MergeKind] = EVERY_KIND,
    moved: Follow = nothing,
) -> MergeOutcome:
    """Merge the change if it may be, then delete its branch, let its ticket move and see that the next deployment began.

    The merge itself begins it, as any push to the branch does: on both forges the workflow or pipeline says so. Whether it
    did is looked at and told.

    Doing it again merges nothing twice; what follows is done again, and has to bear that. A kind of merge that the
    forge turns down makes room for the next one that is allowed.

    Args:
        allowed: kinds of merge the repository takes, where that is known.
        moved: moves the ticket.

    Raises ``TransientError`` when the forge may answer later.
    """
    if reason := why_not(reviewed, connection, change):
        return MergeOutcome(merged=False, reason=reason)
    if not allowed:
        return MergeOutcome(merged=False, reason="the repository allows no kind of merge")
    outcome = _merged(forge, reviewed, change, allowed)
    if not outcome.merged:
        return outcome
    followed = [_branch_deleted(forge, change), *moved(outcome), *_begun(forge, change, outcome.commit)]
    return outcome.model_copy(update={"followed": tuple(followed)})


def _kinds(reviewed: Reviewed, allowed: AbstractSet[MergeKind]) -> list[MergeKind]:
    if ChangeKind.BREAKING in reviewed.kinds:
        first = MergeKind.MERGE
    elif ChangeKind.HOTFIX in reviewed.kinds:
        first = MergeKind.REBASE
    else:
        first = MergeKind.SQUASH
    return [kind for kind in dict.fromkeys((first, *_NEXT_BEST)) if kind in allowed]


def _merged(forge: ReviewForge, reviewed: Reviewed, change: Change, allowed: AbstractSet[MergeKind]) -> MergeOutcome:
    if (before := _settled_before(forge, reviewed, change)) is not None:
        return before
    reasons: list[str] = []
    for kind in _kinds(reviewed, allowed):
        try:
            outcome = forge.merge(change.ref, reviewed.head, kind, _message(reviewed, change))
        except ConflictError as error:
            return MergeOutcome(merged=False, reason=f"a newer push came after the review: {error.reason}")
        except RefusedError as error:
            outcome = MergeOutcome(merged=False, reason=error.reason)
        if outcome.merged:
            return outcome
        if outcome.under_way:
            raise TransientError(f"{change.ref.key}: {outcome.reason}", retry_after=_PAUSE)
        reasons.append(f"{kind}: {outcome.reason}")
        if not _ABOUT_THE_KIND.search(outcome.reason):
            break
    return MergeOutcome(merged=False, reason="; ".join(reasons))


def _settled_before(forge: ReviewForge, reviewed: Reviewed, change: Change) -> MergeOutcome | None:
    """What there is to say without trying: it is merged, closed, gone, or shows another head."""
    stands = forge.head_of(change.ref)
    if stands is None:
        return MergeOutcome(merged=False, reason="the pull request is gone")
    head, state = stands
    if state is PullRequestState.MERGED and head == reviewed.head:
        # Our own merge whose answer was lost, or somebody was quicker: either way it is where it should be.
        looked = forge.look_at(change.ref)
        return MergeOutcome(
            merged=True, commit=looked.change.merge_commit if looked else "", reason="it was merged already"
        )
    if state is not PullRequestState.OPEN:
        return MergeOutcome(merged=False, reason=f"the pull request is {state}")
    if head != reviewed.head:
        return MergeOutcome(merged=False, reason="a newer push came after the review")
    return None


def _message(reviewed: Reviewed, change: Change) -> str:
    title = " ".join(change.title.split())
    number = f" (#{change.ref.number})"
    titled = title if title.endswith(number) else f"{title}{number}"
    return f"{titled}\n\nDoneright-Review: {reviewed.review}"


def _begun(forge: ReviewForge, change: Change, commit: str) -> list[str]:
    """What the forge began for the merged commit, or that it began nothing. Never stops the rest."""
    if not commit:
        return []
    for pause in (*LOOKS, 0.0):
        try:
            runs = forge.begun_runs(change.ref.repository, change.target, commit)
        except (RefusedError, TransientError) as error:
            return [f"whether the merge began a run is not known: {error.reason}"]
        if runs:
            return [f"the merge began {run.name}: {run.url}" for run in runs[:_MOST_RUNS]]
        time.sleep(pause)
    return [
        f"the merge began nothing: no workflow or pipeline runs {commit[:7]} on {change.target}; "
        "where one is to deploy it, look at its triggers and begin it by hand"
    ]


def _branch_deleted(forge: ReviewForge, change: Change) -> str:
    """Delete the branch of a merged change where nobody else needs it; what became of it. Never stops the rest."""
    branch = change.source
    try:
        open_ones = forge.changes(change.ref.repository, open_only=True, limit=_MOST_OTHERS)
        others = [
            other.ref.number
            for other in open_ones
            if other.ref.key != change.ref.key
            and (other.target == branch or (other.source == branch and not other.fork))
        ]
        if others:
            named = ", ".join(str(number) for number in others[:5])
            return f"the branch {branch} stays: open pull requests need it ({named})"
        if len(open_ones) >= _MOST_OTHERS:
            return f"the branch {branch} stays: there are too many open pull requests to be sure nobody needs it"
        forge.delete_branch(change.ref.repository, branch, change.head)
    except (RefusedError, TransientError) as error:
        return f"the branch {branch} stays: {error.reason}"
    return f"the branch {branch} was deleted"
