"""Decides what offering an update comes to, from what the forge shows: nothing is offered twice or against a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.pull_request import EXECUTABLE, PullRequest, PullRequestState
from shared.domain.scaffold_update import Offer, UpdatePreview, UpdateState
from shared.projects.admission import is_advisory
from shared.projects.updates.describing import is_ours
from shared.projects.updates.surveying import Survey


@dataclass(frozen=True)
class Decision:
    """What is to be done, and what was seen of the branch and its pull requests."""

    state: UpdateState
    reason: str = ""
    remedy: str = ""
    pull: PullRequest | None = None
    """The open pull request of the branch."""
    offer: Offer | None = None
    """What is written down of the branch's offer."""
    branch_head: str | None = None
    written: bool = False
    """Whether the branch is the wanted commit already."""
    newest: int = 0
    """Number of the newest pull request of the branch; 0 for none."""


def decide(survey: Survey, *, force: bool) -> Decision:
    """What offering ``survey``'s update comes to; changes nothing. ``force`` offers again what was declined."""
    offer = next((found for found in survey.standing.offers if found.branch == survey.offer_branch), None)
    pulls = survey.forge.pull_requests(survey.ref, survey.offer_branch)
    newest = pulls[0].number if pulls else 0
    pull = next((found for found in pulls if found.state is PullRequestState.OPEN), None)
    url = pull.url if pull else ""
    if not survey.comparison.change:
        kept = len(survey.comparison.files)
        reason = f"of what changed in the template, {kept} files stay as the team has them" if kept else ""
        return Decision(UpdateState.UP_TO_DATE, reason, pull=pull, offer=offer, newest=newest)
    if pull is None and not force and _was_declined(pulls, offer):
        return Decision(
            UpdateState.DECLINED,
            f"the team closed {pulls[0].url} without merging it",
            "Ask with force=true to offer this version again; the next version is offered by itself.",
            offer=offer,
            newest=newest,
        )
    if is_advisory(survey.connection):
        return Decision(
            UpdateState.ADVISED, "the connection is in advisory mode", pull=pull, offer=offer, newest=newest
        )
    head = survey.forge.branch_head(survey.ref, survey.offer_branch)
    if head is not None and not _is_ours(survey, offer, head):
        return Decision(
            UpdateState.IN_HAND,
            f"{survey.offer_branch} holds commits that Doneright did not make",
            f"Merge or close {url}." if url else f"Delete the branch {survey.offer_branch} to be offered the update.",
            pull=pull,
            offer=offer,
            branch_head=head,
            newest=newest,
        )
    written = head is not None and _is_wanted(survey, head)
    if pull is None:
        state = UpdateState.OFFERED
    elif written and offer is not None and not offer.writing and offer.render == survey.render:
        state = UpdateState.UNCHANGED
    else:
        state = UpdateState.REVISED
    return Decision(state, pull=pull, offer=offer, branch_head=head, written=written, newest=newest)


def as_preview(survey: Survey, decision: Decision) -> UpdatePreview:
    """The decision and the merge, as data."""
    return UpdatePreview(
        project=survey.record.id,
        forge=survey.standing.forge,
        would=decision.state,
        reason=decision.reason,
        remedy=decision.remedy,
        repository=survey.url,
        branch=survey.branch,
        head=survey.head,
        base_version=survey.standing.base_version,
        version=survey.version,
        url=decision.pull.url if decision.pull else "",
        draft=survey.comparison.marked,
        files=survey.comparison.files,
    )


def _was_declined(pulls: Sequence[PullRequest], offer: Offer | None) -> bool:
    after = offer.after if offer else 0
    return bool(pulls) and pulls[0].state is PullRequestState.CLOSED and pulls[0].number > after


def _is_ours(survey: Survey, offer: Offer | None, head: str) -> bool:
    """Whether the branch shows what we put there. While a write is under way its commit's message has to tell."""
    if offer is None:
        return is_ours(survey.forge.commit(survey.ref, head).message, survey.render)
    if head == offer.commit:
        return True
    return offer.writing and is_ours(survey.forge.commit(survey.ref, head).message, offer.render)


def _is_wanted(survey: Survey, head: str) -> bool:
    if survey.forge.commit(survey.ref, head).parents != (survey.head,):
        return False
    return holds(survey, head)


def holds(survey: Survey, commit: str) -> bool:
    """Whether ``commit`` holds exactly the wanted files, as runnable as the forge can keep them."""
    found = survey.forge.tree(survey.ref, commit)
    if {path: file.digest for path, file in found.items()} != survey.expected():
        return False
    change = survey.comparison.change
    return not survey.forge.takes_modes or all(
        (found[path].mode == EXECUTABLE) == (path in change.executable) for path in (*change.added, *change.edited)
    )
