"""What every step needs to take its work back: whose a resource is, with what it goes, and which marks are to go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from shared.domain.forge import ForgeName
from shared.domain.plan import PlanStep, Reversal
from shared.errors import RefusedError
from shared.projects.steps.step import Ledger, StepContext, goes_with, kept, removed, removing, repository_ref

OF_A_REPOSITORY = frozenset({"branch_rules", "build_validation", "repository", "review_check", "scaffold"})
"""What an Azure DevOps repository takes along; all else stands in its project."""


def project_resource(name: str) -> str:
    """How the ledger calls the Azure DevOps project of that name."""
    return f"{ForgeName.AZURE_DEVOPS}.project:{name.lower()}"


def repository_resource(step: PlanStep) -> str:
    """How the ledger calls the repository that ``step`` is about."""
    return f"{step.forge}.repository:{str(repository_ref(step)).lower()}"


def done(resource: str) -> str:
    """The mark that ``resource`` was made and read back, after which it is people's to change."""
    return f"{resource}:done"


@contextmanager
def creating(ledger: Ledger, resource: str) -> Iterator[bool]:
    """Write the intent down before the create is sent, and take it back when the forge refuses.

    Yields whether nobody had the intent before. Else an earlier try, or a twin of this one on another worker, may have
    made it since the step looked: of what has no name that the forge keeps unique, look again.
    """
    first = ledger.intend(resource)
    try:
        yield first
    except RefusedError:
        ledger.withdraw(resource)
        raise


def goes_along(context: StepContext, step: PlanStep) -> Reversal | None:
    """That the work of ``step`` goes with the project or repository this run made; ``None`` when it must go by itself."""
    if step.forge is ForgeName.AZURE_DEVOPS:
        project = str(step.inputs.get("project") or step.inputs.get("owner"))
        if context.ledger.made_here(project_resource(project)):
            return goes_with("the project")
        if step.kind not in OF_A_REPOSITORY:
            return None
    if step.kind != "repository" and context.ledger.made_here(repository_resource(step)):
        return goes_with("the repository")
    return None


def take_back(
    ledger: Ledger,
    mine: Mapping[str, str],
    there: Callable[[], Collection[str]],
    remove: Callable[[str], None],
    *,
    stands: Callable[[], bool] = lambda: True,
    marks: Iterable[str] = (),
    changed: Iterable[str] = (),
    nothing: str,
) -> Reversal:
    """Remove one by one what this run made, read back that it is gone, and forget it.

    Args:
        ledger: the project's.
        mine: name → resource, of what this run made; a name that is not there any more counts as removed.
        there: the names that the forge shows now.
        remove: removes the thing of that name.
        stands: whether the container is there; what stood in one that somebody removed is gone.
        marks: further marks to withdraw with them.
        changed: of ``mine``, the names that people made their own since; they stay, and so do their intents.
        nothing: what to say when there is nothing of this run's own.
    """
    if not mine:
        return kept(nothing)
    theirs = [name for name in mine if name in set(changed)]
    going = [name for name in mine if name not in theirs]
    shown = there() if going and stands() else ()
    doomed = [name for name in going if name in shown]
    for name in doomed:
        remove(name)
    shown = there() if doomed else ()
    if still := [name for name in doomed if name in shown]:
        return removing(f"removed and still shown: {listed(still)}")
    stays = f"changed since, so kept: {listed(theirs)}" if theirs else ""
    if not going:
        return kept(stays)
    for resource in (*marks, *(mine[name] for name in going)):
        ledger.withdraw(resource)
    return removed("; ".join(filter(None, (listed(going), stays))))


def stands(context: StepContext, step: PlanStep) -> bool:
    """Whether the repository that ``step`` is about is there."""
    return context.forge(step.forge).repository(repository_ref(step)) is not None


def listed(names: Sequence[str], most: int = 5) -> str:
    """``names`` for people to read, the first ``most`` of them."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def forget_within(ledger: Ledger, resource: str, kinds: Collection[str] | None = None) -> None:
    """Withdraw the intents and marks of all that stood in a container which is gone, the container's own last.

    ``kinds`` are the kinds of resources it takes along; ``None`` for all of its forge.
    """
    start, _, container = resource.partition(":")
    forge = start.partition(".")[0]
    inside = []
    for one in ledger.intents():
        head, _, place = one.partition(":")
        if head.partition(".")[0] != forge or (kinds is not None and head.partition(".")[2] not in kinds):
            continue
        if place == container or place.startswith((f"{container}:", f"{container}/")):
            inside.append(one)
    # Cut off midway, the next try must still find the container itself to be this run's.
    for one in sorted(inside, key=lambda one: one == resource):
        ledger.withdraw(one)
    ledger.withdraw(resource)
