"""Carries out what the quality agent proposed, where a connection wants that: tests as a branch, cases in a test plan.

It happens after the verdict was told, and never for a fork or a head that was left. What fails is told on the record and
in what it answers, and changes no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from shared.agents.offering import OfferingForge, branch_of, offer, proposed
from shared.agents.ports import TestCases
from shared.agents.quality import planned_cases
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.change import Change, ChangeEvidence, Unknown
from shared.domain.connection import Connection, Mode
from shared.domain.forge import ForgeName
from shared.domain.pull_request import PullRequestState
from shared.domain.review import AgentReport, Opinion, OpinionKind, ReviewInput
from shared.errors import RefusedError
from shared.reviews.collecting import connection_of, forge_of
from shared.reviews.ports import ReviewPorts

OURS = "doneright/"
"""Begins the names of our branches: what we offered ourselves asks for no further offer."""
PLAN = "Doneright"
"""The test plan that mirrored cases are kept in; each repository has a suite of its name there."""


@dataclass(frozen=True)
class OfferPorts:
    """Where what is proposed goes."""

    forge: Callable[[Connection, ForgeName], OfferingForge]
    cases: Callable[[Connection], TestCases | None]
    """Where planned test cases are kept; ``None`` on a connection without Azure DevOps."""


def wanted(connection: Connection, change: Change, reports: Iterable[AgentReport]) -> bool:
    """Whether the connection wants anything carried out of what agents proposed about ``change``."""
    opinions = tuple(one for report in reports for one in report.opinions)
    return wants_branch(connection, change, opinions) or _wants_cases(connection, change, opinions)


def wants_branch(connection: Connection, change: Change, opinions: Iterable[Opinion]) -> bool:
    """Whether proposed tests become a branch."""
    return connection.propose_tests and _may_write(connection, change) and bool(proposed(opinions))


def carry_out(
    ports: ReviewPorts, offers: OfferPorts, run: ReviewInput, evidence: ChangeEvidence, reports: Sequence[AgentReport]
) -> str:
    """Offer what is wanted, put it on record, and say what came of it. Doing it again changes nothing.

    Raises ``TransientError`` when a forge or storage does not answer, or the branch moved meanwhile.
    """
    connection, change = connection_of(ports, run.connection), evidence.change
    if forge_of(ports, connection, run.ref.forge).head_of(run.ref) != (run.head, PullRequestState.OPEN):
        return "nothing is offered: the pull request has another head by now, or is closed"
    opinions = tuple(one for report in reports for one in report.opinions)
    told: list[str] = []
    if wants_branch(connection, change, opinions):
        told.append(_offered(ports, offers, run, connection, change, opinions))
    if _wants_cases(connection, change, opinions):
        told.append(_mirrored(ports, offers, run, connection, evidence))
    return "; ".join(one for one in told if one)


def tell_failure(ports: ReviewPorts, run: ReviewInput, what: str, reason: str) -> str:
    """Put on record that something proposed could not be carried out; in words."""
    _record(ports, AuditTag.OFFER_FAILED, run, f"offer.{what}.failed.{run.round}", what=what, reason=reason[:500])
    return f"{what} could not be offered: {reason}"


def _may_write(connection: Connection, change: Change) -> bool:
    # A connection that only shows what it would do writes no branch either.
    shown_only = connection.paused or connection.mode is Mode.ADVISORY
    return not shown_only and not change.fork and not change.source.startswith(OURS)


def _wants_cases(connection: Connection, change: Change, opinions: Iterable[Opinion]) -> bool:
    return (
        connection.mirror_test_cases
        and change.ref.forge is ForgeName.AZURE_DEVOPS
        and _may_write(connection, change)
        and any(one.kind is OpinionKind.TEST and one.source == "analysis" for one in opinions)
    )


def _offered(
    ports: ReviewPorts,
    offers: OfferPorts,
    run: ReviewInput,
    connection: Connection,
    change: Change,
    opinions: Sequence[Opinion],
) -> str:
    try:
        found = offer(offers.forge(connection, run.ref.forge), change, opinions)
    except RefusedError as error:
        return tell_failure(ports, run, "tests", f"{error.reason}. {error.remedy}".strip())
    github = run.ref.forge is ForgeName.GITHUB
    _record(
        ports,
        AuditTag.GITHUB_TESTS_OFFERED if github else AuditTag.AZURE_DEVOPS_TESTS_OFFERED,
        # Not of this run alone: a branch that stands as it was offered is no news.
        run.model_copy(update={"instance": run.review}),
        f"offer.tests.{found.commit[:12]}",
        branch=found.branch,
        commit=found.commit,
        pull_request=found.pull_request,
        url=found.url,
        files=list(found.files)[:50],
    )
    return f"proposed tests are offered on {found.branch}, {found.url}"


def _mirrored(
    ports: ReviewPorts, offers: OfferPorts, run: ReviewInput, connection: Connection, evidence: ChangeEvidence
) -> str:
    cases = planned_cases(evidence, _requirement(evidence))
    mirror = offers.cases(connection)
    if not cases or mirror is None:
        return ""
    repository = run.ref.repository
    try:
        ids = mirror.mirror(repository.owner, PLAN, repository.name, cases)
    except RefusedError as error:
        return tell_failure(ports, run, "cases", f"{error.reason}. {error.remedy}".strip())
    _record(
        ports,
        AuditTag.AZURE_DEVOPS_CASES_MIRRORED,
        run,
        f"offer.cases.{run.round}",
        plan=PLAN,
        suite=repository.name,
        cases=list(ids)[:200],
    )
    return f"{len(ids)} test cases stand in the plan {PLAN}, suite {repository.name}"


def _requirement(evidence: ChangeEvidence) -> int | None:
    """The one work item the change is for; with several nobody can tell which of them a case tests."""
    items = () if isinstance(evidence.items, Unknown) else evidence.items
    boards = [one.id for one in items if one.forge is ForgeName.AZURE_DEVOPS]
    return boards[0] if len(boards) == 1 else None


def branch_told(connection: Connection, change: Change, reports: Iterable[AgentReport]) -> str:
    """Name of the branch that proposed tests are put on once the verdict is told; empty: none is wanted."""
    opinions = tuple(one for report in reports for one in report.opinions)
    return branch_of(change) if wants_branch(connection, change, opinions) else ""


def _record(ports: ReviewPorts, tag: AuditTag, run: ReviewInput, step: str, **detail: object) -> None:
    event = {"tag": tag, "instance": run.instance, "step": step, "subject": run.ref.key, "detail": detail}
    ports.audit.append(run.project, NewAuditEvent.model_validate(event))
