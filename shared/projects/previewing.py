"""Says what a plan would change, by trying every step against forges that can only be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn, cast

from pydantic import Field

from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, Frozen
from shared.domain.plan import Plan, PlanStep, StepState
from shared.errors import DonerightError, NotSupportedError, RefusedError, TransientError
from shared.ports import ArtifactStore
from shared.projects.ports import ProjectPorts
from shared.projects.steps import definitions
from shared.projects.steps.step import Ledger, StepContext

CHANGING = (
    "add_", "commit_", "create_", "delete_", "disable_", "edit_", "enable_", "protect_", "put_", "redeliver", "remove_",
    "replace_", "require_", "set_", "update_", "write_",
)  # fmt: skip
"""How the names of port methods begin that change something. A test holds every port to it."""


class Change(StrEnum):
    """What a step would do."""

    NONE = "none"
    MAKE = "make"
    CONFLICT = "conflict"
    NOT_SUPPORTED = "not_supported"
    UNKNOWN = "unknown"


class StepPreview(Frozen):
    """What one step would do now."""

    id: str
    title: str
    forge: ForgeName
    change: Change
    reason: str = ""
    remedy: str = ""
    first_call: str = Field(default="", description="The first changing call it would make.")
    url: str = ""


class WouldChangeError(DonerightError):
    """A step came to the point where it changes something."""

    def __init__(self, call: str) -> None:
        super().__init__(call)
        self.call = call


class ReadOnly:
    """Stands before a forge and lets only its reads through."""

    def __init__(self, forge: object) -> None:
        self._forge = forge

    def __getattr__(self, name: str) -> Any:
        if name.startswith(CHANGING):
            return _refusal(name)
        return getattr(self._forge, name)


@dataclass
class _Looking:
    """The project's ledger as it stands; what a step means to do is remembered for the preview alone."""

    before: Ledger
    meant: set[str] = field(default_factory=set)

    def intended(self, resource: str) -> bool:
        return self.before.intended(resource) or resource in self.meant

    def made_here(self, resource: str) -> bool:
        return resource in self.meant

    def reference(self, resource: str) -> str:
        return self.before.reference(resource)

    def intend(self, resource: str, reference: str = "") -> bool:
        # The first step past a look is the change itself: an intent to create is one.
        self.meant.add(resource)
        return True

    def withdraw(self, resource: str) -> None:
        self.meant.discard(resource)

    def intents(self) -> Sequence[str]:
        return sorted({*self.before.intents(), *self.meant})


@dataclass(frozen=True)
class _Shelf:
    """The artifact store with the artifacts the plan refers to and nobody has stored yet, by digest."""

    store: ArtifactStore
    unstored: Mapping[str, bytes]

    def put(self, content: bytes, media_type: str) -> str:
        raise WouldChangeError("put")

    def get(self, digest: str) -> bytes:
        found = self.unstored.get(digest)
        return self.store.get(digest) if found is None else found


def preview(
    ports: ProjectPorts, connection: Connection, plan: Plan, scaffolds: Mapping[str, bytes]
) -> list[StepPreview]:
    """What each step of ``plan`` would do if it ran now, in plan order; changes nothing, anywhere.

    ``scaffolds`` are the packed scaffolds that nobody has stored yet, by digest. A step that waits for one which would make
    something is not looked at: it would make its part too.
    """
    connected = ports.connect(connection)
    context = StepContext(
        forges={name: cast("Any", ReadOnly(forge)) for name, forge in connected.forges.items()},
        tracker=cast("Any", ReadOnly(connected.tracker)) if connected.tracker else None,
        artifacts=_Shelf(ports.artifacts, scaffolds),
        ledger=_Looking(ports.ledger(plan.project)),
        hook_secret=lambda _: "",
        together=ports.together,
        settings=cast("Any", ReadOnly(connected.settings)) if connected.settings else None,
    )
    seen: dict[str, StepPreview] = {}
    for step in plan.steps:
        seen[step.id] = _look(context, step, seen)
    return list(seen.values())


def _look(context: StepContext, step: PlanStep, seen: dict[str, StepPreview]) -> StepPreview:
    before = [seen[needed].change for needed in step.depends_on]
    for change, reason in (
        (Change.CONFLICT, "it needs a step that cannot succeed"),
        (Change.UNKNOWN, "it needs a step that could not be looked at"),
        (Change.MAKE, ""),
    ):
        if change in before:
            return _seen(step, change, reason=reason)
    try:
        outcome = definitions()[step.kind].ensure(context, step)
    except WouldChangeError as error:
        return _seen(step, Change.MAKE, first_call=error.call)
    except NotSupportedError as error:
        return _seen(step, Change.NOT_SUPPORTED, reason=error.reason, remedy=error.remedy)
    except RefusedError as error:
        return _seen(step, Change.CONFLICT, reason=error.reason, remedy=error.remedy)
    except TransientError as error:
        return _seen(step, Change.UNKNOWN, reason=error.reason, remedy="Ask again.")
    change = {
        StepState.FAILED: Change.CONFLICT,
        StepState.UNSUPPORTED: Change.NOT_SUPPORTED,
        StepState.WAITING: Change.UNKNOWN,
    }.get(outcome.state, Change.NONE)
    return _seen(step, change, reason=outcome.reason, remedy=outcome.remedy, url=outcome.url)


def _seen(step: PlanStep, change: Change, **told: str) -> StepPreview:
    return StepPreview(id=step.id, title=step.title, forge=step.forge, change=change, **told)


def _refusal(call: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise WouldChangeError(call)

    return refuse
