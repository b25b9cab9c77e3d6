"""From an admitted request to a project: plan, apply what does not wait for one another at once, read back, answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_any

from orchestrations.compensation import compensate, decision
from orchestrations.durable import BROKEN, Yields, call, dump, in_words, later, steps_shown
from shared.domain.decision import Choice
from shared.domain.plan import SUCCEEDED, StepOutcome, StepState, blocked, ready
from shared.domain.run import Admission, Conclusion, DrawnPlan, Refusal, RunInput, StepRun, StepTask
from shared.domain.run_activities import Claimed, EndedStep


def bootstrap(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """One request, from admission to answer."""
    run = RunInput.model_validate(payload)
    try:
        admission = yield from call(context, "admit_request", run, Admission)
    except BROKEN as error:
        return (yield from _abandon(context, run, in_words(error)))
    if not admission.admitted:
        yield from call(context, "refuse_request", Refusal(run=run, admission=admission), str)
        return {"state": "refused", "reason": admission.reason}

    states: dict[str, str] = {}
    reason = ""
    choice: Choice | None = None
    claimed = Claimed(run=run, project=admission.project)
    context.set_custom_status({"project": admission.project, **steps_shown(states)})
    try:
        yield from call(context, "announce_run", claimed, str)
        plan = yield from call(context, "draw_plan", claimed, DrawnPlan)
        if not plan.advisory:
            choice = yield from _carry_out(context, run, admission.project, plan, states)
    except BROKEN as error:
        reason = in_words(error)
    conclusion = Conclusion(run=run, project=admission.project, states=states, reason=reason, choice=choice)
    state = yield from call(context, "conclude_run", conclusion, str)
    return {"state": state, "project": admission.project, "reason": reason}


def _carry_out(
    context: OrchestrationContext, run: RunInput, project: str, plan: DrawnPlan, states: dict[str, str]
) -> Yields[Choice | None]:
    """Apply the plan, round by round, until it is done or somebody decides that it ends; how it was decided to end."""
    round_number = plan.round
    while True:
        yield from _apply(context, run, project, plan, states, round_number)
        if all(state in SUCCEEDED for state in states.values()) or not run.decision_seconds:
            return None
        choice = yield from decision(context, run, project, round_number, states)
        if choice is Choice.COMPENSATE:
            yield from compensate(context, run, project, plan)
        if choice is not Choice.RETRY:
            return choice
        round_number += 1


def _abandon(context: OrchestrationContext, run: RunInput, reason: str) -> Yields[dict[str, Any]]:
    refusal = Refusal(
        run=run,
        admission=Admission(
            reason=f"the request could not be weighed: {reason}",
            remedy="This is not the request's fault. Once its cause is mended, its delivery can be replayed.",
        ),
    )
    yield from call(context, "abandon_request", refusal, type(None))
    try:
        yield from call(context, "refuse_request", refusal, str)
    except BROKEN as error:
        # What broke the run may well be that the forge takes no answer either; the record has it.
        return {"state": "failed", "reason": reason, "answer": in_words(error)}
    return {"state": "failed", "reason": reason}


def _apply(
    context: OrchestrationContext,
    run: RunInput,
    project: str,
    plan: DrawnPlan,
    states: dict[str, str],
    round_number: int,
) -> Yields[None]:
    """Start each step as soon as what it needs has succeeded; a step that fails stops its dependants alone.

    In a later round only what has not succeeded is started.
    """
    graph = [(step.id, step.depends_on) for step in plan.steps]
    succeeded = {step_id for step_id, state in states.items() if state in SUCCEEDED}
    begun = set(succeeded)
    suffix = "" if round_number == 1 else f".{round_number}"
    lost: set[str] = set()
    under_way: dict[str, Task[Any]] = {}
    while True:
        for step_id in ready(graph, succeeded, begun):
            task = _task(run, project, plan, step_id, round_number)
            step_run = StepRun(
                task=task, deadline_seconds=run.step_deadline_seconds, pause_seconds=run.step_pause_seconds
            )
            under_way[step_id] = context.call_sub_orchestrator(
                "step", input=dump(step_run), instance_id=f"{run.instance}.{step_id}{suffix}"
            )
            begun.add(step_id)
            states[step_id] = StepState.RUNNING
        context.set_custom_status({"project": project, **steps_shown(states)})
        if not under_way:
            break
        first = yield when_any(list(under_way.values()))
        step_id = next(name for name, task in under_way.items() if task is first)
        del under_way[step_id]
        states[step_id] = _state_of(first)
        (succeeded if states[step_id] in SUCCEEDED else lost).add(step_id)
    for step_id in blocked(graph, lost, begun):
        ended = EndedStep(
            task=_task(run, project, plan, step_id, round_number),
            state=StepState.SKIPPED,
            reason=f"it needs {', '.join(sorted(lost))}, which did not succeed",
        )
        yield from call(context, "end_step", ended, type(None))
        states[step_id] = StepState.SKIPPED


def step(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """One step: try, wait as long as it asks, try again, until it ends or its deadline passes."""
    run = StepRun.model_validate(payload)
    deadline = context.current_utc_datetime + timedelta(seconds=run.deadline_seconds)
    granted = timedelta()
    task = run.task
    while True:
        trial = run.model_copy(
            update={"task": task.model_copy(update={"last": context.current_utc_datetime >= deadline})}
        )
        try:
            outcome = yield from call(context, "apply_step", trial, StepOutcome)
        except BROKEN as error:
            broken = EndedStep(
                task=trial.task,
                state=StepState.FAILED,
                reason=in_words(error),
                remedy="This is a defect of Doneright; its log has the stack trace under this run's id.",
            )
            yield from call(context, "end_step", broken, type(None))
            return {"state": StepState.FAILED.value}
        if outcome.state is not StepState.WAITING:
            return {"state": outcome.state.value}
        deadline, granted, pause = later(deadline, granted, outcome.granted_seconds, outcome.wait_seconds)
        memory = outcome.observed or task.memory
        task = task.model_copy(update={"attempt": task.attempt + 1, "memory": memory})
        yield context.create_timer(pause)


def _task(run: RunInput, project: str, plan: DrawnPlan, step_id: str, round_number: int) -> StepTask:
    return StepTask(
        instance=run.instance,
        project=project,
        connection=run.connection,
        plan=plan.digest,
        step=step_id,
        attempt=1,
        round=round_number,
    )


def _state_of(task: Task[Any]) -> StepState:
    try:
        return StepState(task.get_result()["state"])
    except TaskFailedError:
        return StepState.FAILED
