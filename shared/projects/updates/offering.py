"""Offers an update of one repository as one commit on a branch and one pull request, found again rather than repeated.

What is meant is written down before it is made, and all of it is read back before it is called done.
"""

from __future__ import annotations

from collections import Counter

from shared.domain.forge import ForgeName
from shared.domain.pull_request import PullRequest, PullRequestState, PullRequestText
from shared.domain.scaffold_update import (
    BrokenUpdate,
    Offer,
    Standing,
    UpdateOutcome,
    UpdatePreview,
    UpdateState,
    UpdateTask,
)
from shared.errors import RefusedError, TransientError
from shared.projects import bundle
from shared.projects.updates.deciding import Decision, as_preview, decide, holds
from shared.projects.updates.describing import message, text
from shared.projects.updates.ports import UpdatePorts
from shared.projects.updates.recording import FILES, conclude, keep, record_merged
from shared.projects.updates.surveying import Survey, survey

MOST_OFFERS = 10
"""Unmerged offers that are remembered; each costs one read a look."""


def preview(ports: UpdatePorts, project: str, forge: ForgeName, *, force: bool = False) -> UpdatePreview:
    """What ``offer`` would do now, file by file; changes nothing. What cannot be looked at is told as ``failed``."""
    try:
        found = survey(ports, project, forge, read_only=True)
        return as_preview(found, decide(found, force=force))
    except RefusedError as error:
        return UpdatePreview(
            project=project, forge=forge, would=UpdateState.FAILED, reason=error.reason, remedy=error.remedy
        )


def offer(ports: UpdatePorts, task: UpdateTask) -> UpdateOutcome:
    """Offer today's templates to one repository; doing it again changes nothing.

    Raises ``TransientError`` when the forge asks for patience, or does not show yet what was made.
    """
    try:
        found = survey(ports, task.project, task.forge)
        if found.connection.paused:
            raise RefusedError(f"connection {found.connection.id} is paused", "Resume it, then ask again.")
        _settle(ports, task, found)
        outcome = _carry_out(ports, task, found, decide(found, force=task.force))
    except RefusedError as error:
        outcome = UpdateOutcome(
            project=task.project,
            forge=task.forge,
            state=UpdateState.FAILED,
            reason=error.reason,
            remedy=error.remedy,
        )
    return conclude(ports, task, outcome)


def end_broken(ports: UpdatePorts, broken: BrokenUpdate) -> UpdateOutcome:
    """Write down that a step ended without an outcome."""
    task = broken.task
    outcome = UpdateOutcome(
        project=task.project,
        forge=task.forge,
        state=UpdateState.FAILED,
        reason=broken.reason,
        remedy="Ask again; when it stays so, Doneright's log has the reason under this run's id.",
    )
    return conclude(ports, task, outcome)


def _carry_out(ports: UpdatePorts, task: UpdateTask, found: Survey, decision: Decision) -> UpdateOutcome:
    url, state = decision.pull.url if decision.pull else "", decision.state
    match state:
        case UpdateState.UP_TO_DATE:
            _bring_up_to_date(ports, task, found, decision)
            url = ""
        case UpdateState.OFFERED | UpdateState.REVISED:
            made = _write(ports, task, found, decision)
            url, state = made.url, made.state
        case UpdateState.UNCHANGED if decision.offer and decision.offer.instance == task.instance:
            state = decision.offer.state  # this run's own doing, whose answer was lost
    return UpdateOutcome(
        project=task.project,
        forge=task.forge,
        state=state,
        version=found.version,
        base_version=found.standing.base_version,
        reason=decision.reason,
        remedy=decision.remedy,
        url=url,
        draft=found.comparison.marked,
        files=dict(Counter(file.fate for file in found.comparison.files)),
        merge=ports.projects.artifacts.put(FILES.dump_json(found.comparison.files), "application/json"),
    )


def _settle(ports: UpdatePorts, task: UpdateTask, found: Survey) -> None:
    """Write down which offers were merged since the last look."""
    if not found.merged:
        return
    for merged in found.merged:
        record_merged(ports, task, merged)
    keep(ports, found.standing)


def _bring_up_to_date(ports: UpdatePorts, task: UpdateTask, found: Survey, decision: Decision) -> None:
    """The team has it all: what is still open is closed, and today's render is what the next update begins from."""
    if decision.pull and decision.offer and decision.offer.commit:
        head = found.forge.branch_head(found.ref, found.offer_branch)
        if head == decision.offer.commit:
            words = PullRequestText(
                title=decision.pull.title,
                body="Nothing is left of this update that the default branch does not have.",
                draft=decision.pull.draft,
            )
            found.forge.edit_pull_request(found.ref, decision.pull.number, words, closed=True)
    if not found.comparison.files and found.standing.base != found.render:
        ports.projects.artifacts.put(found.packed, bundle.MEDIA_TYPE)
        keep(
            ports,
            found.standing.model_copy(update={"base": found.render, "base_version": found.version, "offers": ()}),
        )


def _write(ports: UpdatePorts, task: UpdateTask, found: Survey, decision: Decision) -> Offer:
    """Make branch and pull request as they should be; the offer as it stands then."""
    # Kept before it is offered: once it is merged, the next update begins from it.
    ports.projects.artifacts.put(found.packed, bundle.MEDIA_TYPE)
    before = decision.offer
    again = before is not None and before.instance == task.instance and before.writing
    offered = Offer(
        version=found.version,
        render=found.render,
        branch=found.offer_branch,
        after=_after(decision, again),
        commit=before.commit if before else "",
        # A try that was cut short after the pull request was opened has still opened it.
        state=before.state if before and again else decision.state,
        instance=task.instance,
        writing=True,
    )
    standing = _keep_offer(ports, found.standing, offered)
    commit = decision.branch_head
    if not decision.written or commit is None:
        commit = found.forge.write_branch(
            found.ref,
            found.offer_branch,
            found.comparison.change,
            onto=found.head,
            replacing=decision.branch_head,
            message=message(found.version, found.standing.base_version, found.render),
        )
    words = text(
        found.comparison,
        version=found.version,
        base_version=found.standing.base_version,
        branch=found.branch,
        head=found.head,
        whole=ports.projects.links.api(f"projects/{task.project}/scaffold-update"),
        limit=found.forge.body_limit,
    )
    pull = decision.pull or found.forge.create_pull_request(found.ref, found.offer_branch, found.branch, words)
    if not _reads(pull, words) or pull.draft != words.draft:
        found.forge.edit_pull_request(found.ref, pull.number, words)
    pull = _read_back(found, commit, words)
    _retire_older(found, standing, pull)
    done = offered.model_copy(update={"commit": commit, "number": pull.number, "url": pull.url, "writing": False})
    _keep_offer(ports, standing, done)
    return done


def _after(decision: Decision, again: bool) -> int:
    """The number that every pull request of this offer is above."""
    if decision.offer and (decision.pull or again):
        return decision.offer.after
    return decision.pull.number - 1 if decision.pull else decision.newest


def _read_back(found: Survey, commit: str, words: PullRequestText) -> PullRequest:
    """The open pull request, as the forge shows it now. Raises ``TransientError`` while it shows something else."""
    head = found.forge.branch_head(found.ref, found.offer_branch)
    if head != commit or not holds(found, commit):
        raise TransientError(f"{found.ref} does not show the commit that was written to {found.offer_branch}", 1)
    for pull in found.forge.pull_requests(found.ref, found.offer_branch):
        if pull.state is PullRequestState.OPEN and _reads(pull, words):
            return pull
    raise TransientError(f"{found.ref} does not show the pull request of {found.offer_branch} as it was written", 1)


def _reads(pull: PullRequest, words: PullRequestText) -> bool:
    return pull.title == words.title and _lines(pull.body) == _lines(words.body)


def _lines(body: str) -> list[str]:
    # Forges change line endings and trim.
    return [line.rstrip() for line in body.strip().splitlines()]


def _retire_older(found: Survey, standing: Standing, pull: PullRequest) -> None:
    """Close what this pull request stands instead of, unless the team has begun to work on it."""
    for older in standing.offers:
        if older.branch == found.offer_branch:
            continue
        for open_one in found.forge.pull_requests(found.ref, older.branch):
            ours = older.commit and found.forge.branch_head(found.ref, older.branch) == older.commit
            if open_one.state is PullRequestState.OPEN and ours:
                words = PullRequestText(
                    title=open_one.title,
                    body=f"{pull.url} brings this and what came after it.",
                    draft=open_one.draft,
                )
                found.forge.edit_pull_request(found.ref, open_one.number, words, closed=True)


def _keep_offer(ports: UpdatePorts, standing: Standing, offered: Offer) -> Standing:
    others = tuple(found for found in standing.offers if found.branch != offered.branch)
    return keep(ports, standing.model_copy(update={"offers": (*others, offered)[-MOST_OFFERS:]}))
