"""What a step is: it looks, changes only what differs, reads back, and says what it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue

from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.plan import PlanStep, Reversal, ReversalState, StepOutcome, StepState
from shared.errors import DefectError
from shared.ports import ArtifactStore, Forge, RepositorySettings, Together, WorkTracker

READ_BACK_WAIT = 1.0
"""Seconds before reading again what the forge does not show yet."""


class Ledger(Protocol):
    """Which resources this project set out to create; it tells ours from what was there before us.

    An intent is written before the create is sent. When the create's answer is lost, the resource found on the next
    try is ours; a resource that exists without an intent is somebody else's and is never touched.
    """

    def intended(self, resource: str) -> bool:
        """Whether this project set out to create ``resource``."""
        ...

    def made_here(self, resource: str) -> bool:
        """Whether it was this very run that set out to create ``resource``, so that its reversal may remove it."""
        ...

    def reference(self, resource: str) -> str:
        """What the forge calls ``resource``, as ``intend`` was told; empty when nothing was told."""
        ...

    def intend(self, resource: str, reference: str = "") -> bool:
        """Write down, durably, that ``resource`` is about to be created, or was made and is called ``reference``.

        Answers whether nobody had written of it before; else an earlier try, or a twin of this one, may have made it.
        """
        ...

    def withdraw(self, resource: str) -> None:
        """Take an intent back: the forge refused, or it was removed; what appears there later is not ours."""
        ...

    def intents(self) -> Sequence[str]:
        """Every resource and mark that was written down and not taken back."""
        ...


@dataclass(frozen=True)
class StepContext:
    """What a step may use."""

    forges: Mapping[ForgeName, Forge]
    tracker: WorkTracker | None
    artifacts: ArtifactStore
    ledger: Ledger
    hook_secret: Callable[[ForgeName], str]
    together: Together
    memory: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the try before observed while it waited. A hint: it may be lost, and the step must do without."""
    settings: RepositorySettings | None = None

    def forge(self, name: ForgeName) -> Forge:
        """The forge of that name; a plan never names one its connection lacks."""
        try:
            return self.forges[name]
        except KeyError:
            raise DefectError(f"the plan names {name}, which its connection does not have") from None

    def boards(self) -> WorkTracker:
        """Azure DevOps' projects and boards."""
        if self.tracker is None:
            raise DefectError("the plan needs Azure DevOps, which its connection does not have")
        return self.tracker

    def repository_settings(self) -> RepositorySettings:
        """What GitHub keeps beside a repository's code."""
        if self.settings is None:
            raise DefectError("the plan needs GitHub's repository settings, which its connection does not have")
        return self.settings


@dataclass(frozen=True)
class StepDefinition:
    """One kind of step, with the three sentences the reference shows.

    ``reverse`` removes what this run itself created, reads back that it is gone, and withdraws its intents; safe to
    call again at any point. ``None`` for what makes nothing that outlives the repository or project it stands in.
    """

    kind: str
    title: str
    ensures: str
    reads_back: str
    reverses: str
    ensure: Callable[[StepContext, PlanStep], StepOutcome]
    reverse: Callable[[StepContext, PlanStep], Reversal] | None = None


def repository_ref(step: PlanStep) -> RepositoryRef:
    """The repository a step is about, from its inputs ``owner`` and ``repository``."""
    return RepositoryRef(owner=text(step, "owner"), name=text(step, "repository"))


def text(step: PlanStep, name: str) -> str:
    """A text input of ``step``; a plan without it is a defect of the drawing."""
    value = step.inputs.get(name)
    if not isinstance(value, str):
        raise DefectError(f"step {step.id}: input {name!r} is {value!r}, not text")
    return value


def texts(step: PlanStep, name: str) -> list[str]:
    """A list-of-texts input of ``step``."""
    value = step.inputs.get(name)
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise DefectError(f"step {step.id}: input {name!r} is not a list of texts")
    return [str(v) for v in value]


def applied(url: str = "", reason: str = "", **observed: JsonValue) -> StepOutcome:
    """Created or changed by us, and read back."""
    return StepOutcome(state=StepState.APPLIED, url=url, reason=reason, observed=observed)


def confirmed(url: str = "", reason: str = "", **observed: JsonValue) -> StepOutcome:
    """Was as planned already."""
    return StepOutcome(state=StepState.CONFIRMED, url=url, reason=reason, observed=observed)


def waiting(reason: str, seconds: float = READ_BACK_WAIT, url: str = "", **observed: JsonValue) -> StepOutcome:
    """Not there yet; look again in ``seconds``, remembering ``observed``."""
    return StepOutcome(state=StepState.WAITING, reason=reason, wait_seconds=seconds, url=url, observed=observed)


def failed(reason: str, remedy: str = "", url: str = "") -> StepOutcome:
    """Will not get better by itself."""
    return StepOutcome(state=StepState.FAILED, reason=reason, remedy=remedy, url=url)


def removed(reason: str = "") -> Reversal:
    """What this run made is gone, and was seen to be."""
    return Reversal(state=ReversalState.REMOVED, reason=reason)


def kept(reason: str) -> Reversal:
    """Nothing was removed, since nothing of it was this run's own."""
    return Reversal(state=ReversalState.KEPT, reason=reason)


def goes_with(container: str) -> Reversal:
    """It goes when ``container``, which this run made too, is removed."""
    return Reversal(state=ReversalState.WITH_CONTAINER, reason=f"goes with {container}")


def removing(reason: str, seconds: float = READ_BACK_WAIT, **observed: JsonValue) -> Reversal:
    """Not gone yet; look again in ``seconds``."""
    return Reversal(state=ReversalState.WAITING, reason=reason, wait_seconds=seconds, observed=observed)


def not_removed(reason: str, remedy: str) -> Reversal:
    """It is still there and will not go by itself."""
    return Reversal(state=ReversalState.FAILED, reason=reason, remedy=remedy)


def differences(planned: Mapping[str, JsonValue], found: Mapping[str, JsonValue]) -> str:
    """Where ``found`` is not as ``planned``, in words; empty when it is."""
    return "; ".join(
        f"{name} is {found.get(name)!r}, planned {value!r}"
        for name, value in planned.items()
        if found.get(name) != value
    )
