"""The activities: each decodes its input, hands it to one use case, and answers in plain JSON."""

from __future__ import annotations

from typing import Any

from orchestrations.durable import edge
from shared.domain.run import Conclusion, Refusal, RunInput, StepRun
from shared.domain.run_activities import Asking, Claimed, Deciding, EndedStep
from shared.domain.scaffold_update import BrokenUpdate, EndedRun, ProjectUpdate, UpdateRun, UpdateTask
from shared.projects import admission, answering, applying, deciding, drift, planning, reversing
from shared.projects.updates import offering, running
from shared.services import services


def admit_request(payload: dict[str, Any]) -> dict[str, Any]:
    """Decide whether the request may run, and claim its project."""
    run = RunInput.model_validate(payload)
    return edge(lambda: admission.admit(services().project_ports, run))


def abandon_request(payload: dict[str, Any]) -> dict[str, Any]:
    """End a run that broke before its request was weighed."""
    refusal = Refusal.model_validate(payload)
    return edge(lambda: admission.abandon(services().project_ports, refusal))


def refuse_request(payload: dict[str, Any]) -> dict[str, Any]:
    """Answer the issue with what is wrong."""
    refusal = Refusal.model_validate(payload)
    return edge(lambda: answering.refuse(services().project_ports, refusal))


def announce_run(payload: dict[str, Any]) -> dict[str, Any]:
    """Answer the issue with the link to the status page."""
    claimed = Claimed.model_validate(payload)
    return edge(lambda: answering.announce(services().project_ports, claimed.run, claimed.project))


def draw_plan(payload: dict[str, Any]) -> dict[str, Any]:
    """Draw and store the plan."""
    claimed = Claimed.model_validate(payload)
    return edge(lambda: planning.draw_plan(services().project_ports, claimed.run, claimed.project))


def apply_step(payload: dict[str, Any]) -> dict[str, Any]:
    """Try one step."""
    run = StepRun.model_validate(payload)
    return edge(lambda: applying.apply_step(services().project_ports, run.task, run.pause_seconds))


def end_step(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down that a step ended without another try."""
    ended = EndedStep.model_validate(payload)
    return edge(lambda: applying.end_step(services().project_ports, ended))


def ask_for_decision(payload: dict[str, Any]) -> dict[str, Any]:
    """Ask people how a failed run goes on; whether their answer is still awaited."""
    asking = Asking.model_validate(payload)
    return edge(lambda: deciding.ask(services().project_ports, asking))


def take_decision(payload: dict[str, Any]) -> dict[str, Any]:
    """What was decided, put into effect."""
    looked = Deciding.model_validate(payload)
    return edge(lambda: deciding.take(services().project_ports, looked))


def reverse_step(payload: dict[str, Any]) -> dict[str, Any]:
    """Try to take one step back."""
    run = StepRun.model_validate(payload)
    return edge(lambda: reversing.reverse_step(services().project_ports, run.task, run.pause_seconds))


def end_reversal(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down that taking a step back broke off."""
    ended = EndedStep.model_validate(payload)
    return edge(lambda: reversing.end_reversal(services().project_ports, ended.task, ended.reason))


def conclude_run(payload: dict[str, Any]) -> dict[str, Any]:
    """End the run and answer the issue."""
    conclusion = Conclusion.model_validate(payload)
    return edge(lambda: answering.conclude(services().project_ports, conclusion))


def list_finished(payload: dict[str, Any]) -> dict[str, Any]:
    """The projects that can have drifted."""
    del payload
    return edge(lambda: drift.finished(services().project_ports))


def look_for_drift(payload: dict[str, Any]) -> dict[str, Any]:
    """Look at one project and put what has drifted on its record; whether something has."""
    task = drift.DriftTask.model_validate(payload)
    return edge(lambda: drift.look_and_record(services().project_ports, task).drifted)


def list_update_targets(payload: dict[str, Any]) -> dict[str, Any]:
    """The projects a run of scaffold updates is about."""
    run = UpdateRun.model_validate(payload)
    return edge(lambda: running.targets(services().update_ports, run))


def plan_project_update(payload: dict[str, Any]) -> dict[str, Any]:
    """The forges a project's repositories are on."""
    update = ProjectUpdate.model_validate(payload)
    return edge(lambda: running.target(services().update_ports, update))


def offer_scaffold_update(payload: dict[str, Any]) -> dict[str, Any]:
    """Offer today's templates to one repository as a pull request."""
    task = UpdateTask.model_validate(payload)
    return edge(lambda: offering.offer(services().update_ports, task))


def end_broken_update(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down that an update of one repository ended without an outcome."""
    broken = BrokenUpdate.model_validate(payload)
    return edge(lambda: offering.end_broken(services().update_ports, broken))


def finish_update_run(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down that a run of scaffold updates has ended."""
    ended = EndedRun.model_validate(payload)
    return edge(lambda: running.finish(services().update_ports, ended))


ACTIVITIES = (
    admit_request,
    abandon_request,
    refuse_request,
    announce_run,
    draw_plan,
    apply_step,
    end_step,
    ask_for_decision,
    take_decision,
    reverse_step,
    end_reversal,
    conclude_run,
    list_finished,
    look_for_drift,
    list_update_targets,
    plan_project_update,
    offer_scaffold_update,
    end_broken_update,
    finish_update_run,
)
