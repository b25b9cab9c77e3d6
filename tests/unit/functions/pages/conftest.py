"""Projects in every state, built through the models the pages are given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.audit import AuditEvent, AuditTag
from shared.domain.connection import Connection
from shared.domain.decision import Choice, Decision, Question
from shared.domain.plan import ENDED, SUCCEEDED, Reversal, ReversalState, StepState
from shared.domain.project import ProjectRequest, RequestOrigin, Stack
from shared.domain.run import UNDER_WAY, ProjectState
from shared.projects.drawing import Surroundings, draw
from shared.projects.status import RecordView, StatusView, StepView

T0 = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ROOT = "9f2c4d1e" * 8
URLS = {
    "azure_devops.project": "https://dev.azure.com/contoso/Payments%20gateway",
    "azure_devops.repository": "https://dev.azure.com/contoso/Payments%20gateway/_git/Payments%20gateway",
    "github.repository": "https://github.com/contoso/payments-gateway",
}
type Ran = tuple[StepState, float, float]
"""State, seconds from the start of the run to the step's, and seconds it took."""

STARTS = {
    "azure_devops.project": (0.4, 6.1), "azure_devops.repository": (6.6, 1.2), "azure_devops.scaffold": (7.9, 2.4),
    "azure_devops.branch_rules": (10.4, 3.3), "azure_devops.pipeline": (10.4, 1.6), "azure_devops.hook": (7.9, 4.2),
    "azure_devops.backlog": (6.6, 5.0), "github.repository": (0.4, 1.1), "github.scaffold": (1.6, 3.8),
    "github.branch_rules": (5.5, 1.0), "github.hook": (1.6, 0.9),
}  # fmt: skip
ELSE = (6.6, 1.5)


def a_request(**changes: Any) -> ProjectRequest:
    given = {
        "name": "Payments gateway",
        "owner": "contoso/payments",
        "stack": Stack.FASTAPI,
        "description": "Takes card payments and tells the ledger.",
        "backlog": ("Accept a card payment", "Refund in part", "Daily settlement report"),
    }
    return ProjectRequest.model_validate(given | changes)


def a_view(
    state: ProjectState,
    states: dict[str, StepState] | None = None,
    default: StepState = StepState.APPLIED,
    *,
    notes: dict[str, tuple[str, str]] | None = None,
    until: float = 14.0,
    request: ProjectRequest | None = None,
    **changes: Any,
) -> StatusView:
    """A view whose steps are in ``states``, others in ``default``, as seen ``until`` seconds after the start."""
    request = request or a_request()
    around = Surroundings(
        connection="contoso", github_owner="contoso", github_hook_url="https://doneright.example/api/webhooks/github",
        azure_devops_hook_url="https://doneright.example/api/webhooks/azure-devops", scaffold="sha256:0", template_version="1",
        checks=("Unit tests",),
    )  # fmt: skip
    steps = []
    for planned in draw(request, around).steps:
        now = (states or {}).get(planned.id, default)
        begun = now not in {StepState.PENDING, StepState.SKIPPED}
        start, took = STARTS.get(planned.id, ELSE)
        took = took if now in ENDED else until - start
        reason, remedy = (notes or {}).get(planned.id, ("", ""))
        steps.append(
            StepView(
                id=planned.id, title=planned.title, forge=planned.forge, depends_on=planned.depends_on, state=now,
                attempts=int(begun), seconds=round(took, 3) if begun else None,
                started_at=T0 + timedelta(seconds=start) if begun else None,
                finished_at=T0 + timedelta(seconds=start + took) if begun and now in ENDED else None,
                reason=reason, remedy=remedy, url=URLS.get(planned.id, "") if now in SUCCEEDED else "",
            )
        )  # fmt: skip
    running = state in UNDER_WAY
    links = {"issue": "https://github.com/contoso/requests/issues/42"}
    done = {step.id for step in steps if step.state in SUCCEEDED}
    links |= {"github": URLS["github.repository"]} if "github.repository" in done else {}
    links |= {"azure_devops": URLS["azure_devops.project"]} if "azure_devops.project" in done else {}
    given = {
        "id": request.project_id, "name": request.name, "state": state, "reason": "", "connection": "contoso", "run": 1,
        "instance": "issue-I_kwDOAA.1", "request": request,
        "origin": RequestOrigin(
            subject="issue-I_kwDOAA", requester="p-7c1f0a", repository="contoso/requests", issue=42,
            url="https://github.com/contoso/requests/issues/42",
        ),
        "created_at": T0, "started_at": T0, "finished_at": None if running else T0 + timedelta(seconds=until),
        "done": len(done), "ended": sum(step.state in ENDED for step in steps), "total": len(steps), "steps": tuple(steps),
        "plan": "sha256:" + "ab12" * 16, "record": a_record(steps),
        "view_url": "https://doneright.example/api/view/payments-gateway?token=0f", "links": links,
    }  # fmt: skip
    return StatusView.model_validate(given | changes)


def a_record(steps: list[StepView], **changes: Any) -> RecordView:
    begun = [("request", AuditTag.REQUEST_RECEIVED, 0.0), ("draw_plan", AuditTag.PLAN_DRAWN, 0.2)]
    for step in steps:
        if step.finished_at:
            tag = AuditTag(f"{step.forge}:step:{step.state}")
            begun.append((step.id, tag, (step.finished_at - T0).total_seconds()))
    begun.sort(key=lambda row: row[2])
    events = tuple(
        AuditEvent(
            project="payments-gateway", sequence=number, at=T0 + timedelta(seconds=at), tag=tag, instance="issue-I_kwDOAA.1",
            step=name, subject="contoso/requests#42", actor="doneright", detail_digest="0" * 64,
        )
        for number, (name, tag, at) in enumerate(begun)
    )  # fmt: skip
    given = {
        "size": len(events), "root": ROOT, "events_url": "https://doneright.example/api/audit/payments-gateway",
        "verify_url": "https://doneright.example/api/audit/payments-gateway/verify", "latest": events,
    }  # fmt: skip
    return RecordView.model_validate(given | changes)


def running() -> StatusView:
    s = StepState
    states = {
        "azure_devops.project": s.WAITING, "github.repository": s.APPLIED, "github.scaffold": s.RUNNING,
        "github.hook": s.CONFIRMED,
    }  # fmt: skip
    notes = {"azure_devops.project": ("Azure DevOps is still creating the project", "")}
    return a_view(ProjectState.RUNNING, states, s.PENDING, notes=notes, until=4.2)


def failed() -> StatusView:
    s = StepState
    states = {
        "azure_devops.scaffold": s.FAILED, "azure_devops.branch_rules": s.SKIPPED, "azure_devops.pipeline": s.SKIPPED,
        "github.branch_rules": s.UNSUPPORTED, "azure_devops.repository": s.CONFIRMED,
    }  # fmt: skip
    notes = {
        "azure_devops.scaffold": (
            "TF401027: You need the Git 'GenericContribute' permission to perform this action.",
            "Give the identity of the connection Contribute on the repository, then ask again: POST /api/projects.",
        ),
        "github.branch_rules": (
            "Upgrade to GitHub Pro or make this repository public to enable this feature.",
            "Take a plan that protects branches of private repositories, or make the repository public.",
        ),
        "azure_devops.branch_rules": ("a step it needs failed: azure_devops.scaffold", ""),
        "azure_devops.pipeline": ("a step it needs failed: azure_devops.scaffold", ""),
    }
    return a_view(ProjectState.FAILED, states, notes=notes, reason="azure_devops.scaffold failed")


def completed() -> StatusView:
    return a_view(ProjectState.COMPLETED)


def advised() -> StatusView:
    return a_view(ProjectState.ADVISED, default=StepState.PENDING, until=0.6)


def drawing() -> StatusView:
    return a_view(ProjectState.RUNNING, until=0.1).model_copy(
        update={
            "steps": (),
            "done": 0,
            "ended": 0,
            "total": 0,
            "plan": "",
            "links": {},
            "record": a_record([], size=0, latest=()),
        }
    )


def _asked(**decided: Any) -> Question:
    decision = Decision(round=1, actor="p-7c1f0a", source="comment-9", at=T0, **decided) if decided else None
    return Question(round=1, due=T0 + timedelta(days=3), decision=decision)


def awaiting() -> StatusView:
    return failed().model_copy(
        update={"state": ProjectState.AWAITING_DECISION, "finished_at": None, "reason": "", "question": _asked()}
    )


def accepted() -> StatusView:
    return failed().model_copy(
        update={"state": ProjectState.ACCEPTED, "reason": "", "question": _asked(choice=Choice.ACCEPT)}
    )


def compensating() -> StatusView:
    return _taken_back(ProjectState.COMPENSATING, ReversalState.WAITING)


def compensated() -> StatusView:
    return _taken_back(ProjectState.COMPENSATED, ReversalState.REMOVED)


def not_taken_back() -> StatusView:
    return _taken_back(ProjectState.FAILED, ReversalState.FAILED)


def _taken_back(state: ProjectState, came_to: ReversalState) -> StatusView:
    view = failed()
    first = {
        "azure_devops.project": Reversal(
            state=came_to,
            reason="You may not delete projects." if came_to is ReversalState.FAILED else "",
            remedy="Ask an administrator of the organisation." if came_to is ReversalState.FAILED else "",
        )
    }
    steps = tuple(
        step.model_copy(update={"reversal": first.get(step.id, Reversal(state=ReversalState.REMOVED, reason="gone"))})
        for step in view.steps
    )
    return view.model_copy(
        update={"state": state, "reason": "", "steps": steps, "question": _asked(choice=Choice.COMPENSATE)}
    )


EXAMPLES: dict[str, Callable[[], StatusView]] = {
    "running": running, "failed": failed, "completed": completed, "advised": advised, "drawing": drawing,
    "awaiting": awaiting, "accepted": accepted, "compensating": compensating, "compensated": compensated,
    "not taken back": not_taken_back,
}  # fmt: skip


@pytest.fixture(params=EXAMPLES)
def example(request: pytest.FixtureRequest) -> StatusView:
    return EXAMPLES[request.param]()


@pytest.fixture
def view_of() -> Callable[..., StatusView]:
    return a_view


@pytest.fixture
def examples() -> dict[str, Callable[[], StatusView]]:
    return EXAMPLES


@pytest.fixture
def connection() -> Connection:
    return a_connection()


def a_connection() -> Connection:
    return Connection.model_validate(
        {
            "id": "contoso",
            "github": {"organization": "contoso", "credential": {"kind": "pat", "token_secret": "gh"}},
            "azure_devops": {
                "organization_url": "https://dev.azure.com/contoso", "credential": {"kind": "entra", "client_id": ""},
            },
            "requesters": ["contoso/leads"], "created_at": T0, "updated_at": T0,
        }
    )  # fmt: skip
