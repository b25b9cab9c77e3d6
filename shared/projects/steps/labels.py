"""Ensures the labels that issue forms and Doneright use; labels others made keep their looks."""

from __future__ import annotations

from shared.domain.forge import Label
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.errors import DefectError
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    waiting,
)
from shared.projects.undoing import creating, goes_along, stands, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned label exists; those this request made have their planned colour and description."""
    settings = context.repository_settings()
    ref = repository_ref(step)
    planned = _planned(step)

    def found() -> dict[str, Label]:
        return {label.name.lower(): label for label in settings.labels(ref)}

    def changed(seen: dict[str, Label]) -> list[Label]:
        there = [label for label in planned if label.name.lower() in seen]
        return [label for label in there if _differs(label, seen[label.name.lower()]) and ours(label)]

    def ours(label: Label) -> bool:
        return context.ledger.intended(_resource(step, label.name))

    before = found()
    absent = [label for label in planned if label.name.lower() not in before]
    faded = changed(before)
    for label in absent:
        with creating(context.ledger, _resource(step, label.name)):
            settings.create_label(ref, label)
    for label in faded:
        settings.edit_label(ref, label)
    reason = f"{len(planned)} labels"
    names = [label.name for label in planned]
    if not absent and not faded:
        return confirmed(reason=reason, labels=list(names))
    after = found()
    if lost := [label.name for label in planned if label.name.lower() not in after]:
        return waiting(f"created and not shown yet: {', '.join(lost)}")
    if wrong := [label.name for label in changed(after)]:
        return failed(
            f"set, and read back otherwise: {', '.join(wrong)}",
            "Somebody else sets these labels at the same time; agree on one of you, then try again.",
        )
    return applied(reason=reason, labels=list(names))


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The labels this run made are gone."""
    if along := goes_along(context, step):
        return along
    settings = context.repository_settings()
    ref = repository_ref(step)
    resources = {label.name.lower(): _resource(step, label.name) for label in _planned(step)}
    return take_back(
        context.ledger,
        {name: resource for name, resource in resources.items() if context.ledger.made_here(resource)},
        lambda: {label.name.lower() for label in settings.labels(ref)},
        lambda name: settings.delete_label(ref, name),
        stands=lambda: stands(context, step),
        nothing="no label was made by this run",
    )


def _resource(step: PlanStep, name: str) -> str:
    return f"{step.forge}.label:{str(repository_ref(step)).lower()}:{name.lower()}"


def _planned(step: PlanStep) -> list[Label]:
    raw = step.inputs.get("labels")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'labels' is not a list")
    return [Label.model_validate(item) for item in raw]


def _differs(one: Label, other: Label) -> bool:
    return (one.color, one.description) != (other.color, other.description)


STEP = StepDefinition(
    kind="labels",
    title="Labels",
    ensures="The labels of the issue forms, of priorities and of kinds of work exist.",
    reads_back="Every label by its name; colour and description of those this request made.",
    reverses="Goes with the repository when this run made that; else deletes the labels this run made, from issues and pull "
    "requests too. Labels that were there before stay.",
    ensure=ensure,
    reverse=reverse,
)
