"""Ensures that the forge tells us what happens in the project: a webhook, or one subscription for each event type."""

from __future__ import annotations

from shared.domain.forge import ForgeName, Hook
from shared.domain.plan import PlanStep, Reversal, StepOutcome
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
from shared.projects.undoing import creating, goes_along, stands, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned event reaches our address exactly once."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    url = text(step, "url")
    events = texts(step, "events")
    groups = _groups(step)

    def there() -> list[Hook]:
        return [hook for hook in forge.hooks(ref) if hook.url == url]

    def missing(hooks: list[Hook]) -> list[tuple[str, ...]]:
        heard = [set(hook.events) for hook in hooks if hook.active]
        return [group for group in groups if not any(set(group) <= events for events in heard)]

    before = there()
    absent = missing(before)
    secret = context.hook_secret(step.forge) if absent else ""
    for group in absent:
        wanted = Hook(url=url, events=group)
        if any(_carries(hook, step, group) for hook in before):
            # Somebody made it, and disabled it or took events from it: it is set right, and stays theirs.
            forge.create_hook(ref, wanted, secret)
            continue
        with creating(context.ledger, _resource(step, group)) as first:
            if first or not any(_carries(hook, step, group) for hook in there()):
                forge.create_hook(ref, wanted, secret)
    if absent and (still := missing(there())):
        names = ", ".join(event for group in still for event in group)
        return failed(f"created and not found again: {names}", "Look at the project's hooks; one may be disabled.")
    return (applied if absent else confirmed)(reason=f"{len(events)} events", events=list(events))


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The hooks this run made are gone."""
    if along := goes_along(context, step):
        return along
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    url = text(step, "url")
    mine = {
        ", ".join(group): resource
        for group in _groups(step)
        if context.ledger.made_here(resource := _resource(step, group))
    }
    groups = {", ".join(group): group for group in _groups(step)}
    shown: dict[str, list[str]] = {}

    def there() -> dict[str, list[str]]:
        hooks = [hook for hook in forge.hooks(ref) if hook.url == url]
        shown.clear()
        for name in mine:
            if ids := [hook.id for hook in hooks if _carries(hook, step, groups[name])]:
                shown[name] = ids
        return shown

    def remove(name: str) -> None:
        for hook_id in shown[name]:
            forge.delete_hook(ref, hook_id)

    return take_back(
        context.ledger,
        mine,
        there,
        remove,
        # Subscriptions of Azure DevOps stand in the project, and none is shown of one that is gone.
        stands=lambda: step.forge is ForgeName.AZURE_DEVOPS or stands(context, step),
        nothing="no hook that points at Doneright was made by this run",
    )


def _groups(step: PlanStep) -> list[tuple[str, ...]]:
    """GitHub takes all events in one webhook; an Azure DevOps subscription carries one."""
    events = texts(step, "events")
    return [tuple(events)] if _one_hook(step) else [(event,) for event in events]


def _one_hook(step: PlanStep) -> bool:
    return step.inputs.get("one_hook") is True


def _carries(hook: Hook, step: PlanStep, group: tuple[str, ...]) -> bool:
    """Whether it is the hook of ``group``: on GitHub any that calls our address."""
    return _one_hook(step) or set(hook.events) == set(group)


def _resource(step: PlanStep, group: tuple[str, ...]) -> str:
    events = "*" if _one_hook(step) else ",".join(group)
    return f"{step.forge}.hook:{str(repository_ref(step)).lower()}:{events}:{text(step, 'url')}"


STEP = StepDefinition(
    kind="hook",
    title="Webhook to Doneright",
    ensures="Every event Doneright acts on is sent to it, signed or with its shared secret.",
    reads_back="The hooks of the project with their address, events and state.",
    reverses="Goes with the repository or project when this run made that; else deletes the hooks that point at Doneright "
    "and that this run made. Those it only set right stay.",
    ensure=ensure,
    reverse=reverse,
)
