"""The activities: each decodes its input, hands it to one use case, and answers in plain JSON."""

from __future__ import annotations

from typing import Any

from orchestrations.durable import edge
from shared.domain.portfolio import EntryTask, EpicTask, LookTask, PortfolioEnd, PortfolioRun, PreviewRun, PreviewTask
from shared.domain.review import ReviewEnd, ReviewInput, ReviewTask
from shared.domain.run import Conclusion, Refusal, RunInput, StepRun
from shared.domain.run_activities import Asking, Claimed, Deciding, EndedStep
from shared.domain.scaffold_update import BrokenUpdate, EndedRun, ProjectUpdate, UpdateRun, UpdateTask
from shared.domain.simulation import AskedSimulation, BrokenSimulation
from shared.projects import admission, answering, applying, deciding, drift, planning, reversing
from shared.projects.portfolio import epics
from shared.projects.portfolio import previewing as portfolio_previewing
from shared.projects.portfolio import running as portfolio_running
from shared.projects.stale import removing
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


def draw_removal(payload: dict[str, Any]) -> dict[str, Any]:
    """Lay out what is to be taken back of a project."""
    claimed = Claimed.model_validate(payload)
    return edge(lambda: removing.draw(services().project_ports, claimed.run, claimed.project))


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


def draw_portfolio(payload: dict[str, Any]) -> dict[str, Any]:
    """Write every project of a portfolio down, and say which there are."""
    run = PortfolioRun.model_validate(payload)
    return edge(lambda: portfolio_running.draw(services().portfolio_ports, run))


def begin_portfolio_project(payload: dict[str, Any]) -> dict[str, Any]:
    """Ask for one project of a portfolio."""
    task = EntryTask.model_validate(payload)
    return edge(lambda: portfolio_running.begin_entry(services().portfolio_ports, task))


def look_at_portfolio(payload: dict[str, Any]) -> dict[str, Any]:
    """Which runs of a portfolio's projects have ended, and which wait for a person."""
    task = LookTask.model_validate(payload)
    return edge(lambda: portfolio_running.look(services().portfolio_ports, task))


def end_portfolio_project(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down what one project's run came to."""
    task = EntryTask.model_validate(payload)
    return edge(lambda: portfolio_running.end_entry(services().portfolio_ports, task))


def seed_epic(payload: dict[str, Any]) -> dict[str, Any]:
    """Seed a portfolio epic in one project."""
    task = EpicTask.model_validate(payload)
    return edge(lambda: epics.seed(services().portfolio_ports, task))


def link_epic(payload: dict[str, Any]) -> dict[str, Any]:
    """Link a portfolio epic in one project to the same epic in the others."""
    task = EpicTask.model_validate(payload)
    return edge(lambda: epics.link(services().portfolio_ports, task))


def end_broken_epic(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down that seeding or linking an epic ended without an outcome."""
    task = EpicTask.model_validate(payload)
    return edge(lambda: epics.end_broken(services().portfolio_ports, task))


def conclude_portfolio(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down what a portfolio's run came to."""
    end = PortfolioEnd.model_validate(payload)
    return edge(lambda: portfolio_running.conclude(services().portfolio_ports, end))


def list_portfolio_projects(payload: dict[str, Any]) -> dict[str, Any]:
    """The projects a dry run of a portfolio looks at."""
    run = PreviewRun.model_validate(payload)
    return edge(lambda: portfolio_previewing.projects(services().portfolio_ports, run))


def preview_portfolio_project(payload: dict[str, Any]) -> dict[str, Any]:
    """Look at one project of a portfolio beside live state; whether a run would succeed with it."""
    task = PreviewTask.model_validate(payload)
    return edge(lambda: portfolio_previewing.look_and_keep(services().portfolio_ports, task))


def finish_portfolio_preview(payload: dict[str, Any]) -> dict[str, Any]:
    """Write down that a dry run of a portfolio has ended."""
    run = PreviewRun.model_validate(payload)
    return edge(lambda: portfolio_previewing.finish(services().portfolio_ports, run))


def collect_evidence(payload: dict[str, Any]) -> dict[str, Any]:
    """Collect what a round of a review rests on."""
    run = ReviewInput.model_validate(payload)
    from shared.reviews import running as reviewing

    return edge(lambda: reviewing.collect(services().review_room(), run))


def hear_agent(payload: dict[str, Any]) -> dict[str, Any]:
    """Hear one agent about a change."""
    task = ReviewTask.model_validate(payload)
    from shared.reviews import running as reviewing

    return edge(lambda: reviewing.hear(services().review_room(), task))


def judge_change(payload: dict[str, Any]) -> dict[str, Any]:
    """Judge a change by its evidence."""
    task = ReviewTask.model_validate(payload)
    from shared.reviews import running as reviewing

    return edge(lambda: reviewing.judge(services().review_room(), task))


def publish_review(payload: dict[str, Any]) -> dict[str, Any]:
    """Tell the forge what a review came to; whether it was about the head as it is."""
    task = ReviewTask.model_validate(payload)
    from shared.reviews import running as reviewing

    return edge(lambda: reviewing.publish(services().review_room(), task))


def offer_proposals(payload: dict[str, Any]) -> dict[str, Any]:
    """Offer what agents proposed about a change."""
    task = ReviewTask.model_validate(payload)
    from shared.reviews import running as reviewing

    return edge(lambda: reviewing.offer_proposals(services().review_room(), task))


def merge_change(payload: dict[str, Any]) -> dict[str, Any]:
    """Merge what passed."""
    task = ReviewTask.model_validate(payload)
    from shared.reviews import running as reviewing

    return edge(lambda: reviewing.merge(services().review_room(), task))


def conclude_review(payload: dict[str, Any]) -> dict[str, Any]:
    """End a round of a review; the number of the next, or 0."""
    end = ReviewEnd.model_validate(payload)
    from shared.reviews import running as reviewing

    return edge(lambda: reviewing.conclude(services().review_room(), end))


def simulate_policy(payload: dict[str, Any]) -> dict[str, Any]:
    """Say what a policy would have decided; the digest of the answer."""
    asked = AskedSimulation.model_validate(payload)
    from shared.reviews import simulations

    return edge(lambda: simulations.carry_out(services().review_ports, asked))


def break_off_simulation(payload: dict[str, Any]) -> dict[str, Any]:
    """Put down that a simulation has no answer."""
    broken = BrokenSimulation.model_validate(payload)
    from shared.reviews import simulations

    return edge(lambda: simulations.break_off(services().review_ports, broken.asked, broken.reason))


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
    draw_removal,
    list_finished,
    look_for_drift,
    list_update_targets,
    plan_project_update,
    offer_scaffold_update,
    end_broken_update,
    finish_update_run,
    draw_portfolio,
    begin_portfolio_project,
    look_at_portfolio,
    end_portfolio_project,
    seed_epic,
    link_epic,
    end_broken_epic,
    conclude_portfolio,
    list_portfolio_projects,
    preview_portfolio_project,
    finish_portfolio_preview,
    collect_evidence,
    hear_agent,
    judge_change,
    publish_review,
    offer_proposals,
    merge_change,
    conclude_review,
    simulate_policy,
    break_off_simulation,
)
