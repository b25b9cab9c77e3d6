"""Ensures that the forge tells us what happens in the project: a webhook, or one subscription for each event type."""

from __future__ import annotations

from shared.domain.forge import Hook
from shared.domain.plan import PlanStep, StepOutcome
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    text,
    texts,
)


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned event reaches our address exactly once."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    url = text(step, "url")
    events = texts(step, "events")
    # GitHub takes all events in one webhook; an Azure DevOps subscription carries one.
    groups = [tuple(events)] if step.inputs.get("one_hook") is True else [(event,) for event in events]

    def missing() -> list[tuple[str, ...]]:
        ours = [set(hook.events) for hook in forge.hooks(ref) if hook.url == url and hook.active]
        return [group for group in groups if not any(set(group) <= events for events in ours)]

    absent = missing()
    secret = context.hook_secret(step.forge) if absent else ""
    for group in absent:
        forge.create_hook(ref, Hook(url=url, events=group), secret)
    if absent and (still := missing()):
        names = ", ".join(event for group in still for event in group)
        return failed(f"created and not found again: {names}", "Look at the project's hooks; one may be disabled.")
    return (applied if absent else confirmed)(reason=f"{len(events)} events", events=list(events))


STEP = StepDefinition(
    kind="hook",
    title="Webhook to Doneright",
    ensures="Every event Doneright acts on is sent to it, signed or with its shared secret.",
    reads_back="The hooks of the project with their address, events and state.",
    reverses="Deletes the hooks that point at Doneright, when this request created them.",
    ensure=ensure,
)
