"""How a run that failed goes on: it asks people, waits for their decision or the deadline, and takes back what it made."""

from __future__ import annotations

from datetime import timedelta

from durabletask.task import OrchestrationContext, when_any

from orchestrations.durable import BROKEN, Yields, call, in_words, later, steps_shown
from shared.domain.decision import Choice, event_of
from shared.domain.plan import Reversal, ReversalState, StepState
from shared.domain.run import DrawnPlan, ProjectState, RunInput, StepRun, StepTask
from shared.domain.run_activities import Asking, Deciding, EndedStep, Taken


def decision(
    context: OrchestrationContext, run: RunInput, project: str, round_number: int, states: dict[str, str]
) -> Yields[Choice]:
    """Ask, and wait for what is decided. The event only wakes the run: what counts stands in the project's record."""
    due = context.current_utc_datetime + timedelta(seconds=run.decision_seconds)
    asking = Asking(run=run, project=project, round=round_number, due=due)
    deadline = context.create_timer(due)
    context.set_custom_status(
        {"project": project, **steps_shown(states), "state": ProjectState.AWAITING_DECISION.value}
    )
    waits = yield from call(context, "ask_for_decision", asking, bool)
    expired = False
    while True:
        if waits:
            woken = context.wait_for_external_event(event_of(round_number))
            expired = (yield when_any([woken, deadline])) is deadline
        looked = Deciding(run=run, project=project, round=round_number, expired=expired)
        taken = yield from call(context, "take_decision", looked, Taken)
        if taken.choice is not None:
            return taken.choice
        waits = True


def compensate(
    context: OrchestrationContext, run: RunInput, project: str, plan: DrawnPlan, *, whole: bool = False
) -> Yields[None]:
    """Take back every step, the last of the plan first, one after the other: each stands in what an earlier one made.

    ``whole`` takes back what any run of the project made, instead of what this one did.
    """
    for step in reversed(plan.steps):
        task = StepTask(
            instance=run.instance,
            project=project,
            connection=run.connection,
            plan=plan.digest,
            step=step.id,
            attempt=1,
            whole=whole,
        )
        yield from _take_back(context, run, task)


def _take_back(context: OrchestrationContext, run: RunInput, task: StepTask) -> Yields[None]:
    deadline = context.current_utc_datetime + timedelta(seconds=run.step_deadline_seconds)
    granted = timedelta()
    while True:
        trial = StepRun(
            task=task.model_copy(update={"last": context.current_utc_datetime >= deadline}),
            deadline_seconds=run.step_deadline_seconds,
            pause_seconds=run.step_pause_seconds,
        )
        try:
            reversal = yield from call(context, "reverse_step", trial, Reversal)
        except BROKEN as error:
            broken = EndedStep(task=trial.task, state=StepState.FAILED, reason=in_words(error))
            yield from call(context, "end_reversal", broken, type(None))
            return
        if reversal.state is not ReversalState.WAITING:
            return
        deadline, granted, pause = later(deadline, granted, reversal.granted_seconds, reversal.wait_seconds)
        task = task.model_copy(update={"attempt": task.attempt + 1, "memory": reversal.observed or task.memory})
        yield context.create_timer(pause)
