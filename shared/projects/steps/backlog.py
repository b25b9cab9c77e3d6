"""Ensures the seed backlog in the process's own hierarchy, each item once, under its parent."""

from __future__ import annotations

from shared.domain.forge import BacklogItem, WorkItem
from shared.domain.plan import PlanStep, StepOutcome
from shared.errors import DefectError
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, failed, text, waiting

TAG = "doneright"
KEY_TAG = "doneright:"


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned item exists exactly once, has its type, and hangs under its planned parent."""
    boards = context.boards()
    project = text(step, "project")
    raw = step.inputs.get("items")
    if not isinstance(raw, list):
        raise DefectError(f"step {step.id}: input 'items' is not a list")
    planned = [BacklogItem.model_validate(item) for item in raw]
    found = _by_key(boards.work_items(project, TAG))
    resource = f"azure_devops.backlog:{project.lower()}"
    if context.ledger.intended(f"{resource}:done"):
        # Seeded once. What people moved, closed or removed since is theirs.
        still = sum(item.key in found for item in planned)
        return confirmed(reason=f"{still} of {len(planned)} seeded work items are still there")
    created = 0
    for item in planned:
        if item.key in found:
            continue
        parent = found[item.parent].id if item.parent else None
        tagged = item.model_copy(update={"tags": (TAG, f"{KEY_TAG}{item.key}", *item.tags)})
        found[item.key] = boards.create_work_item(project, tagged, parent_id=parent)
        created += 1
    if created:
        found = _by_key(boards.work_items(project, TAG))
    if lost := [item.key for item in planned if item.key not in found]:
        return waiting(f"{len(lost)} work items were created and do not show yet")
    wrong = [
        f"{item.title!r} hangs under {found[item.key].parent_id}, planned {found[item.parent].id}"
        for item in planned
        if created and item.parent and found[item.key].parent_id != found[item.parent].id
    ]
    if wrong:
        return failed("; ".join(wrong[:3]), "Set the parents on the board, or remove the items and retry.")
    epic = next((found[item.key] for item in planned if item.parent is None), None)
    url = epic.url if epic else ""
    context.ledger.intend(f"{resource}:done")
    if created:
        return applied(url, f"{created} work items", items=len(planned))
    return confirmed(url, f"{len(planned)} work items", items=len(planned))


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
    ensures="An epic and its features, requirements and tasks exist in the process's own work item types.",
    reads_back="Every item by its tag, with its type and parent.",
    reverses="Nothing of its own: the project's reversal removes it.",
    ensure=ensure,
)
