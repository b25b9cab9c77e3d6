"""Ensures that those whom the request names are told about what it names, where the forge can tell somebody else."""

from __future__ import annotations

from shared.domain.forge import ForgeName, Notification
from shared.domain.plan import PlanStep, Reversal, StepOutcome, StepState
from shared.errors import DefectError
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, kept, text, waiting
from shared.projects.undoing import creating, done, listed, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned notification was there once; on GitHub, that nobody can be told on another's behalf."""
    planned = _planned(step)
    if step.forge is ForgeName.GITHUB:
        return StepOutcome(
            state=StepState.UNSUPPORTED,
            reason="GitHub lets people choose for themselves what they are told about; nobody can for them",
            remedy="Ask them to watch the repository. CODEOWNERS asks its owners to review, and so tells them.",
        )
    boards = context.boards()
    project = text(step, "project")
    due = [one for one in planned if not context.ledger.intended(done(_resource(project, one)))]
    # Made once. Whom people tell besides, or no longer, is theirs.
    found = {_key(one) for one in boards.notifications(project)}
    missing = [one for one in due if _key(one) not in found]
    for one in missing:
        with creating(context.ledger, _resource(project, one)):
            boards.create_notification(project, one)
    if missing:
        found = {_key(one) for one in boards.notifications(project)}
    if lost := [_label(one) for one in missing if _key(one) not in found]:
        return waiting(f"created and not shown yet: {listed(lost)}")
    for one in due:
        context.ledger.intend(done(_resource(project, one)))
    still = sum(_key(one) in found for one in planned)
    return (applied if missing else confirmed)(
        reason=f"{still} of {len(planned)} notifications", notifications=[_label(one) for one in planned]
    )


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The notifications this run made are gone."""
    if step.forge is ForgeName.GITHUB:
        return kept("GitHub was not told anything")
    # They stand in the organisation: a project that is removed leaves them behind, switched off.
    boards = context.boards()
    project = text(step, "project")
    planned = {_label(one): one for one in _planned(step)}
    mine = {
        label: resource
        for label, one in planned.items()
        if context.ledger.made_here(resource := _resource(project, one))
    }
    shown: dict[str, Notification] = {}

    def there() -> dict[str, Notification]:
        by_key = {_key(one): one for one in boards.notifications(project)}
        shown.clear()
        shown.update({label: by_key[_key(planned[label])] for label in mine if _key(planned[label]) in by_key})
        return shown

    return take_back(
        context.ledger,
        mine,
        there,
        lambda label: boards.delete_notification(shown[label]),
        marks=[done(resource) for resource in mine.values()],
        nothing="no notification was made by this run",
    )


def _planned(step: PlanStep) -> list[Notification]:
    raw = step.inputs.get("notifications")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'notifications' is not a list")
    return [Notification.model_validate(item) for item in raw]


def _key(one: Notification) -> tuple[str, str]:
    return one.event, one.address.lower()


def _label(one: Notification) -> str:
    return f"{one.event.replace('_', ' ')} to {one.address or 'the default team'}"


def _resource(project: str, one: Notification) -> str:
    return f"azure_devops.notification:{project.lower()}/{one.event}/{one.address.lower()}"


STEP = StepDefinition(
    kind="notifications",
    title="Notifications",
    ensures="On Azure DevOps, the addresses of the request or the project's default team are told by e-mail of the events it "
    "names. GitHub lets nobody choose for others, so there the step ends *not supported*.",
    reads_back="The default team's subscriptions: event, filter and address.",
    reverses="Ends the subscriptions this run made, also when it made the project: they stand in the organisation. One that people "
    "narrowed down or switched off since is theirs, and stays.",
    ensure=ensure,
    reverse=reverse,
)
