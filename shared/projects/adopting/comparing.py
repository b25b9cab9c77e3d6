"""Says of each step of an adoption what it would do, field by field; tries them against forges that can only be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue

from shared.domain.adoption import AdoptionPlan, AdoptionStep, FieldChange, Mark
from shared.domain.connection import Connection
from shared.domain.faults import FieldFault
from shared.domain.forge import BranchRules, ForgeName, Label, WikiPage
from shared.domain.plan import Plan, PlanStep
from shared.errors import DefectError, TransientError
from shared.projects.adopting.live import Live, LiveAzure, LiveGitHub
from shared.projects.ports import ProjectPorts
from shared.projects.previewing import Change, StepPreview, preview
from shared.projects.steps.branch_rules import comparable
from shared.projects.steps.step import text, texts


def compared(ports: ProjectPorts, connection: Connection, plan: Plan, live: Live) -> list[AdoptionStep]:
    """Every step of ``plan`` with its mark and its changes. Raises ``TransientError`` when a forge does not answer."""
    seen = preview(ports, connection, plan, {})
    return [_compared(step, look, live) for step, look in zip(plan.steps, seen, strict=True)]


def differences(shown: AdoptionPlan, now: AdoptionPlan) -> tuple[FieldFault, ...]:
    """Where the plan ``now`` is another than the one that was ``shown``."""
    before, after = _flat(shown), _flat(now)
    return tuple(
        FieldFault(
            field=name,
            problem=f"was shown as {before.get(name, 'absent')} and is {after.get(name, 'absent')} now",
        )
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    )


def _flat(plan: AdoptionPlan) -> dict[str, str]:
    found: dict[str, str] = {}
    for step in plan.steps:
        found[step.id] = step.mark.value
        for change in step.changes:
            found[f"{step.id}.{change.field}"] = f"{change.now} → {change.planned}"
    for drawn in plan.plan.steps:
        for name, value in drawn.inputs.items():
            found[f"{drawn.id}.inputs.{name}"] = str(value)
    return found


def _compared(step: PlanStep, look: StepPreview, live: Live) -> AdoptionStep:
    match look.change:
        case Change.UNKNOWN:
            raise TransientError(f"{step.title} could not be looked at: {look.reason or 'it is still under way'}")
        case Change.CONFLICT:
            return _marked(step, Mark.CONFLICT, reason=look.reason, remedy=look.remedy)
        case Change.NOT_SUPPORTED:
            return _marked(step, Mark.NOT_APPLICABLE, reason=look.reason, remedy=look.remedy)
        case Change.NONE:
            return _marked(step, Mark.AS_PLANNED)
        case Change.MAKE:
            changes = tuple(_changes(step, live))
            if not changes:
                raise DefectError(f"{step.id} would call {look.first_call} and nobody can say what that changes")
            over = any(change.now is not None for change in changes)
            return _marked(step, Mark.WOULD_CHANGE if over else Mark.WOULD_MAKE, changes=changes)


def _marked(
    step: PlanStep, mark: Mark, *, changes: tuple[FieldChange, ...] = (), reason: str = "", remedy: str = ""
) -> AdoptionStep:
    return AdoptionStep(
        id=step.id, title=step.title, forge=step.forge, mark=mark, changes=changes, reason=reason, remedy=remedy
    )


def _changes(step: PlanStep, live: Live) -> Sequence[FieldChange]:
    if step.kind in ("branch_rules", "hook"):
        return (_of_rules if step.kind == "branch_rules" else _of_hooks)(step, live)
    if step.kind in _ON_GITHUB and live.github:
        return _ON_GITHUB[step.kind](step, live.github)
    if step.kind in _ON_AZURE and live.azure:
        return _ON_AZURE[step.kind](step, live.azure)
    raise DefectError(f"nobody can say what the step {step.kind} changes in what exists")


def _of_rules(step: PlanStep, live: Live) -> Sequence[FieldChange]:
    there = live.code(step.forge).rules
    planned = comparable(step, BranchRules.model_validate(step.inputs["rules"]))
    now = comparable(step, there)
    if there is None and step.forge is ForgeName.GITHUB and live.github:
        # How pull requests are merged is a setting of the repository there, which an unprotected one has as well.
        now["allowed_merges"] = [kind.value for kind in sorted(live.github.merges)]
    return [
        FieldChange(field=name, now=now.get(name), planned=value)
        for name, value in planned.items()
        if now.get(name) != value
    ]


def _of_hooks(step: PlanStep, live: Live) -> Sequence[FieldChange]:
    url = text(step, "url")
    ours = [hook for hook in live.code(step.forge).hooks if hook.url == url]
    heard = sorted({event for hook in ours if hook.active for event in hook.events})
    planned = sorted(texts(step, "events"))
    return [FieldChange(field=f"hook to {url}", now=list(heard) if ours else None, planned=list(planned))]


def _of_labels(step: PlanStep, live: LiveGitHub) -> Sequence[FieldChange]:
    planned = [Label.model_validate(one) for one in _list(step, "labels")]
    return [
        FieldChange(field=label.name, planned=f"#{label.color} {label.description}".strip())
        for label in planned
        if label.name.lower() not in live.labels
    ]


def _of_topics(step: PlanStep, live: LiveGitHub) -> Sequence[FieldChange]:
    wanted = [topic for topic in texts(step, "topics") if topic not in live.topics]
    return [FieldChange(field="topics", now=list(live.topics) or None, planned=[*live.topics, *wanted])]


def _of_security(step: PlanStep, live: LiveGitHub) -> Sequence[FieldChange]:
    on = {feature.value: is_on for feature, is_on in live.security.items()}
    return [
        FieldChange(field=feature, now=False, planned=True)
        for feature in texts(step, "features")
        if on.get(feature) is False
    ]


def _of_deployment_environments(step: PlanStep, live: LiveGitHub) -> Sequence[FieldChange]:
    return _of_places(step, {name: list(people) for name, people in live.environments.items()})


def _of_environments(step: PlanStep, live: LiveAzure) -> Sequence[FieldChange]:
    return _of_places(step, {name: [] for name in live.environments})


def _of_places(step: PlanStep, there: Mapping[str, list[JsonValue]]) -> list[FieldChange]:
    changes = []
    for one in _list(step, "environments"):
        name, approvers = str(one["name"]), one["approvers"]
        now = there.get(name.lower())
        if now is None or (approvers and now != approvers):
            changes.append(FieldChange(field=f"approvers of {name}", now=now, planned=approvers))
    return changes


def _of_wiki(step: PlanStep, live: LiveAzure) -> Sequence[FieldChange]:
    pages = [WikiPage.model_validate(one) for one in _list(step, "pages")]
    there = live.wiki_pages or frozenset()
    made = [] if live.wiki_pages is not None else [FieldChange(field="wiki", planned=f"{text(step, 'project')}.wiki")]
    return [*made, *(FieldChange(field=page.path, planned="a page") for page in pages if page.path not in there)]


def _of_pipeline(step: PlanStep, live: LiveAzure) -> Sequence[FieldChange]:
    return [FieldChange(field=text(step, "name"), planned=text(step, "yaml_path"))]


def _of_build_validation(step: PlanStep, live: LiveAzure) -> Sequence[FieldChange]:
    return [FieldChange(field="required build", planned=text(step, "pipeline"))]


def _of_review_check(step: PlanStep, live: LiveAzure | LiveGitHub) -> Sequence[FieldChange]:
    return [FieldChange(field="required status", planned="doneright/review")]


def _of_backlog(step: PlanStep, live: LiveAzure) -> Sequence[FieldChange]:
    return [FieldChange(field=str(one["type"]), planned=one["title"]) for one in _list(step, "items")]


def _of_teams(step: PlanStep, live: LiveAzure) -> Sequence[FieldChange]:
    return [
        FieldChange(field=f"team {one['name']}", planned={"role": one["role"], "members": one["members"]})
        for one in _list(step, "teams")
    ]


_ON_GITHUB: dict[str, Callable[[PlanStep, LiveGitHub], Sequence[FieldChange]]] = {
    "labels": _of_labels,
    "topics": _of_topics,
    "security": _of_security,
    "deployment_environments": _of_deployment_environments,
    "review_check": _of_review_check,
}
_ON_AZURE: dict[str, Callable[[PlanStep, LiveAzure], Sequence[FieldChange]]] = {
    "environments": _of_environments,
    "wiki": _of_wiki,
    "pipeline": _of_pipeline,
    "build_validation": _of_build_validation,
    "review_check": _of_review_check,
    "backlog": _of_backlog,
    "teams": _of_teams,
}


def _list(step: PlanStep, name: str) -> list[dict[str, JsonValue]]:
    value = step.inputs.get(name)
    if not isinstance(value, list):
        raise DefectError(f"step {step.id}: input {name!r} is not a list")
    return [one for one in value if isinstance(one, dict)]
