"""Drift is what a dry run of a finished project's own plan would change; it is recorded once a round."""

from __future__ import annotations

import pytest

from shared.domain.audit import AuditTag
from shared.domain.forge import RepositoryRef
from shared.domain.plan import StepState
from shared.domain.run import Conclusion, ProjectState, StepTask
from shared.errors import DefectError, RefusedError
from shared.projects import answering, drift, planning
from shared.projects.admission import admit
from shared.projects.applying import apply_step
from shared.projects.previewing import Change
from tests.fakes.app import App, a_connection, a_request

REF = RepositoryRef(owner="acme", name="order-desk")


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


def completed(app: App) -> None:
    run = app.api_run(a_request())
    project = admit(app.ports, run).project
    plan = planning.draw_plan(app.ports, run, project)
    for step in plan.steps:
        for attempt in range(1, 6):
            task = StepTask(
                instance=run.instance,
                project=project,
                connection="acme",
                plan=plan.digest,
                step=step.id,
                attempt=attempt,
            )
            if apply_step(app.ports, task).state is not StepState.WAITING:
                break
    state = answering.conclude(app.ports, Conclusion(run=run, project=project, states={}))
    assert state is ProjectState.COMPLETED


def test_what_is_as_planned_has_not_drifted_and_leaves_no_record(app):
    completed(app)
    found = drift.look_and_record(app.ports, drift.DriftTask(project="order-desk", instance="drift-1"))
    assert not found.drifted
    assert AuditTag.DRIFT_DETECTED not in app.tags("order-desk")


def test_a_webhook_somebody_removed_is_drift_on_record_once_a_round(app):
    completed(app)
    for hook in app.github.hooks(REF):
        app.github.delete_hook(REF, hook.id)
    task = drift.DriftTask(project="order-desk", instance="drift-1")
    assert drift.look_and_record(app.ports, task).drifted
    assert drift.look_and_record(app.ports, task).drifted
    (event,) = [e for e in app.events("order-desk") if e.tag is AuditTag.DRIFT_DETECTED]
    assert event.detail == {"github.hook": "make: create_hook"}
    assert app.github.hooks(REF) == (), "looking heals nothing"


@pytest.mark.parametrize("name", ["github", "azure_devops"])
def test_a_history_that_somebody_replaced_is_drift_with_the_lost_commit(app, name):
    completed(app)
    forge = app.github if name == "github" else app.azure
    ref = REF if name == "github" else RepositoryRef(owner="Order Desk", name="Order Desk")
    lost = forge.branch_head(ref, "main")
    forge.force_push(ref, "main", {"theirs.py": b"x"})
    found = drift.look_and_record(app.ports, drift.DriftTask(project="order-desk", instance="drift-1"))
    (step,) = [step for step in found.steps if step.id == f"{name}.scaffold"]
    assert found.drifted
    assert step.change is Change.CONFLICT
    assert str(lost) in step.remedy
    (event,) = [e for e in app.events("order-desk") if e.tag is AuditTag.DRIFT_DETECTED]
    assert str(lost) in event.detail[f"{name}.scaffold"]


def test_only_finished_projects_of_connections_that_work_are_looked_at(app):
    assert drift.finished(app.ports) == []
    completed(app)
    assert drift.finished(app.ports) == ["order-desk"]
    app.connect_to(a_connection(paused=True))
    assert drift.finished(app.ports) == []


def test_what_is_not_finished_or_not_there_is_refused(app):
    admit(app.ports, app.api_run(a_request()))
    with pytest.raises(RefusedError, match="running"):
        drift.look(app.ports, "order-desk")
    with pytest.raises(DefectError):
        drift.look(app.ports, "nothing")
