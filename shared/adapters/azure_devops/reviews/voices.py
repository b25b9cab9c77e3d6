"""What people say of a pull request on Azure Repos: their votes, with the commit they were cast on, and the threads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.adapters.azure_devops.reviews.asking import person, plain, sha, speaker, utc
from shared.domain.change import PersonReview, ReviewState, Thread, ThreadComment

# https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-reviewers
_VOTES = {
    10: ReviewState.APPROVED,
    5: ReviewState.APPROVED,
    -5: ReviewState.CHANGES_REQUESTED,
    -10: ReviewState.CHANGES_REQUESTED,
}
_WORDS = {5: "Approved with suggestions", -5: "Waiting for the author", -10: "Rejected"}
_OPEN = {"active", "pending"}
_SETTLED = {"fixed", "wontfix", "closed", "bydesign"}


def is_system(thread: Any) -> bool:
    """Whether the service itself wrote it: of a push, a vote, a change of reviewers."""
    comments = thread.comments or []
    return bool(comments) and all(str(one.comment_type).lower() == "system" for one in comments)


def threads(found: Sequence[Any]) -> tuple[Thread, ...]:
    """The discussions. Comments that were taken back are left out, as are emptied threads."""
    shown: list[Thread] = []
    for one in found:
        if is_system(one):
            continue
        comments = tuple(
            ThreadComment(
                id=f"{one.id}:{comment.id}",
                author=speaker(comment.author, comment.content or ""),
                body=comment.content or "",
                at=utc(comment.published_date),
            )
            for comment in one.comments or []
            if not comment.is_deleted and str(comment.comment_type).lower() != "system"
        )
        if not comments:
            continue
        path, line = place(one)
        status = status_of(one)
        shown.append(
            Thread(
                id=str(one.id),
                path=path,
                line=line,
                resolvable=status in _OPEN | _SETTLED,
                resolved=status in _SETTLED,
                comments=comments,
            )
        )
    return tuple(shown)


def place(thread: Any) -> tuple[str, int | None]:
    """The file and the line at the head where it stands; an empty path for one about the whole change."""
    context = thread.thread_context
    if context is None or not context.file_path:
        return "", None
    line = context.right_file_start.line if context.right_file_start else None
    return str(context.file_path).lstrip("/"), line


def status_of(thread: Any) -> str:
    """In lower case; empty for a comment that nobody is to settle."""
    return str(thread.status or "").lower()


def reviews(
    pull: Any, found: Sequence[Any], iterations: Sequence[Any], *, reset_on_push: bool, head: str
) -> tuple[PersonReview, ...]:
    """The votes that stand. Groups vote through their members, who are told by themselves.

    The service keeps no commit with a vote: it is the head of the push that was the newest when the vote was cast, as
    the thread of the vote tells; without one it is ``head`` where each push takes the votes back, else not known.
    """
    casts = _casts(found)
    told: list[PersonReview] = []
    for reviewer in pull.reviewers or []:
        vote = int(reviewer.vote or 0)
        if vote not in _VOTES or reviewer.is_container:
            continue
        who = person(reviewer)
        at = next((at for voter, cast, at in reversed(casts) if voter == who.id and cast == vote), None)
        commit = _newest_at(iterations, at) if at is not None else head if reset_on_push else ""
        told.append(
            PersonReview(
                reviewer=who,
                state=_VOTES[vote],
                body=_WORDS.get(vote, ""),
                commit=commit,
                at=at,
                remarks=sum(_wrote_in_code(thread, who.id) for thread in found),
            )
        )
    return tuple(told)


def _casts(found: Sequence[Any]) -> list[tuple[str, int, datetime]]:
    """Voter, vote and moment of every vote that was cast, oldest first."""
    casts: list[tuple[str, int, datetime]] = []
    for thread in found:
        properties = thread.properties if isinstance(thread.properties, dict) else {}
        if plain(properties.get("CodeReviewThreadType")) != "VoteUpdate":
            continue
        vote = plain(properties.get("CodeReviewVoteResult"))
        # The property is a key into the people that the thread names beside it.
        voter = (thread.identities or {}).get(plain(properties.get("CodeReviewVotedByIdentity")))
        if voter is None and thread.comments:
            voter = thread.comments[0].author
        at = utc(thread.published_date)
        if voter is not None and at is not None and vote.lstrip("-").isdigit():
            casts.append((str(voter.id).lower(), int(vote), at))
    return sorted(casts, key=lambda cast: cast[2])


def _newest_at(iterations: Sequence[Any], at: datetime) -> str:
    before = [one for one in iterations if (made := utc(one.created_date)) is not None and made <= at]
    return sha(before[-1].source_ref_commit) if before else ""


def _wrote_in_code(thread: Any, who: str) -> int:
    if not place(thread)[0]:
        return 0
    return sum(str(one.author.id).lower() == who and not one.is_deleted for one in thread.comments or [] if one.author)
