"""Ensures the seed backlog in the process's own hierarchy, each item once, under its parent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from shared.domain.forge import BacklogItem, Classification, WorkItem
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.errors import DefectError
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, failed, text, waiting
from shared.projects.undoing import creating, done, goes_along, take_back

TAG = "doneright"
KEY_TAG = "doneright:"
AT_ONCE = 4
"""Work items of one project that are made at the same time."""
UNTOUCHED = frozenset({"new", "proposed", "to do"})
"""The state each work item type begins in, over all system processes.

https://learn.microsoft.com/azure/devops/boards/work-items/workflow-and-state-categories
"""


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned item exists exactly once, has its type, and hangs under its planned parent."""
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    found = _by_key(boards.work_items(project, TAG, [item.key for item in planned]))
    resource = f"azure_devops.backlog:{project.lower()}"
    if context.ledger.intended(done(resource)):
        # Seeded once. What people moved, closed or removed since is theirs.
        still = sum(item.key in found for item in planned)
        return confirmed(reason=f"{still} of {len(planned)} seeded work items are still there")
    missing = [item for item in planned if item.key not in found]
    created = len(missing)
    where = _where(context, step) if missing else {}

    def create(item: BacklogItem) -> None:
        parent = found[item.parent].id if item.parent else None
        tagged = item.model_copy(update={"tags": (TAG, f"{KEY_TAG}{item.key}", *item.tags), **where})
        with creating(context.ledger, _resource(project, item)) as first:
            if not first:
                found.update(_by_key(boards.work_items(project, TAG, [item.key])))
            if item.key not in found:
                found[item.key] = boards.create_work_item(project, tagged, parent_id=parent)

    for siblings in _rounds(missing, set(found)):
        context.together([partial(create, item) for item in siblings])
    if created:
        found = _by_key(boards.work_items(project, TAG))
    if lost := [item.key for item in planned if item.key not in found]:
        return waiting(f"{len(lost)} work items were created and do not show yet")
    wrong = [
        f"{item.title!r} hangs under {found[item.key].parent_id}, planned {found[item.parent].id}"
        for item in planned
        if created and item.parent and found[item.key].parent_id != found[item.parent].id
    ]
    wrong += [
        f"{item.title!r} is in the {name} {getattr(found[item.key], name)!r}, planned {path!r}"
        for item in missing
        for name, path in where.items()
        if getattr(found[item.key], name).lower() != path.lower()
    ]
    if wrong:
        return failed("; ".join(wrong[:3]), "Set it right on the board, or remove the items and retry.")
    epic = next((found[item.key] for item in planned if item.parent is None), None)
    url = epic.url if epic else ""
    context.ledger.intend(done(resource))
    if created:
        return applied(url, f"{created} work items", items=len(planned))
    return confirmed(url, f"{len(planned)} work items", items=len(planned))


def _rounds(items: Sequence[BacklogItem], there: set[str]) -> Iterator[list[BacklogItem]]:
    """What can be made at the same time: items whose parent is there, one below each, since a new link changes both."""
    left = list(items)
    while left:
        round_of: dict[str, BacklogItem] = {}
        for item in left:
            if len(round_of) < AT_ONCE and (item.parent is None or item.parent in there):
                round_of.setdefault(item.parent or item.key, item)
        if not round_of:
            raise DefectError(f"backlog items hang under nothing that is planned: {[item.key for item in left]}")
        yield list(round_of.values())
        there |= {item.key for item in round_of.values()}
        left = [item for item in left if item.key not in there]


def _where(context: StepContext, step: PlanStep) -> dict[str, str]:
    """The area and the iteration that items are put into: the request's first, or the first the process brings."""
    area, iteration = str(step.inputs.get("area", "")), str(step.inputs.get("iteration", ""))
    if not iteration and "iteration" in step.inputs:
        found = context.boards().classification(text(step, "project"), Classification.ITERATION)
        iteration = next((path for path in found if path and "/" not in path), "")
    return {name: path for name, path in (("area", area), ("iteration", iteration)) if path}


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The work items this run made are in the recycle bin, but for those that people took up."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project = text(step, "project")
    planned = _planned(step)
    # Children first: a parent in the recycle bin would leave them orphans in between.
    resources = {item.key: _resource(project, item) for item in reversed(planned)}
    mine = {key: resource for key, resource in resources.items() if context.ledger.made_here(resource)}
    shown: dict[str, WorkItem] = {}

    def there() -> dict[str, WorkItem]:
        shown.clear()
        if boards.project(project):
            shown.update(_by_key(boards.work_items(project, TAG)))
        return shown

    taken_up = _taken_up(planned, there()) if mine else set()
    return take_back(
        context.ledger,
        mine,
        there,
        lambda key: boards.delete_work_item(project, shown[key].id),
        marks=[done(f"azure_devops.backlog:{project.lower()}")],
        changed=taken_up & mine.keys(),
        nothing="no work item was made by this run",
    )


def _taken_up(planned: list[BacklogItem], found: dict[str, WorkItem]) -> set[str]:
    """Keys of the items that people moved on or rewrote, and of all above them."""
    taken: set[str] = set()
    for item in reversed(planned):
        there = found.get(item.key)
        if there is None:
            continue
        touched = there.state.lower() not in UNTOUCHED or (there.type, there.title) != (item.type, item.title)
        if (touched or item.key in taken) and item.parent:
            taken.add(item.parent)
        if touched:
            taken.add(item.key)
    return taken


def _resource(project: str, item: BacklogItem) -> str:
    return f"azure_devops.work_item:{project.lower()}/{item.key}"


def _planned(step: PlanStep) -> list[BacklogItem]:
    raw = step.inputs.get("items")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'items' is not a list")
    return [BacklogItem.model_validate(item) for item in raw]


def _by_key(items: object) -> dict[str, WorkItem]:
    found: dict[str, WorkItem] = {}
    for item in items if isinstance(items, (list, tuple)) else ():
        for tag in item.tags:
            if tag.startswith(KEY_TAG):
                found.setdefault(tag.removeprefix(KEY_TAG), item)
    return found


STEP = StepDefinition(
    kind="backlog",
    title="Backlog",
    ensures="An epic and its features, requirements and tasks exist in the process's own work item types, in the first area "
    "and iteration.",
    reads_back="Every item by its tag, with its type and parent; those just made with their area and iteration.",
    reverses="Goes with the project when this run made that; else moves the work items this run made to the recycle bin, "
    "where people can restore them. Items whose state, type or title somebody changed stay, with the items above them; "
    "what people hung below an item that goes loses its parent.",
    ensure=ensure,
    reverse=reverse,
)
