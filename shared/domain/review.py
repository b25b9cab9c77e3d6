"""What a review comes to: what each gate found, what agents and people said beside it, and the verdict of the policy."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

from shared.domain.change import ChangeRef, Unknown
from shared.domain.definition import ChangeKind, GateId, OwnerRole, Pin, Severity, Stage
from shared.domain.forge import Frozen
from shared.domain.lifecycle import LifecycleState
from shared.domain.policy import Enforcement, Weakening
from shared.domain.threshold import Threshold

LONGEST_TELLING = 2_000
"""Characters of a reason or remark."""


def _clipped(text: object) -> object:
    """A name out of a change may be of any length; what a gate found is told all the same."""
    return text[: LONGEST_TELLING - 1] + "…" if isinstance(text, str) and len(text) > LONGEST_TELLING else text


Telling = Annotated[str, BeforeValidator(_clipped)]


class Outcome(StrEnum):
    """What became of a criterion."""

    MET = "met"
    UNMET = "unmet"
    NOT_APPLICABLE = "not_applicable"
    NOT_AVAILABLE = "not_available"
    NOT_SUPPORTED = "not_supported"
    ERROR = "error"


UNDECIDED = frozenset({Outcome.NOT_AVAILABLE, Outcome.NOT_SUPPORTED, Outcome.ERROR})
"""Nobody could tell. Asked of a person; never taken for met."""


class Ruling(StrEnum):
    """What the policy makes of all findings together."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


class Effort(StrEnum):
    """How long the remedy usually takes one person."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


class Remark(Frozen):
    """One thing said about one place of the change, or about the change as a whole."""

    message: Telling = Field(min_length=1, max_length=LONGEST_TELLING)
    path: str = Field(default="", description="From the root; empty: about the change as a whole.")
    line: int | None = Field(default=None, ge=1, description="In the file at the head.")
    end_line: int | None = Field(default=None, ge=1)
    severity: Severity = Severity.MEDIUM
    rule: str = Field(default="", description="Rule of the tool, where one found it.")
    suggestion: str | None = Field(
        default=None, description="Text that would stand in place of the lines, without the last line end."
    )
    help_url: str = ""
    fingerprint: str = Field(
        default="",
        description="Equal for the same thing in the next push, wherever its line moved; empty: made of rule, path, message.",
    )


class Judgement(Frozen):
    """What a gate answers."""

    outcome: Outcome
    reason: Telling = Field(
        min_length=3, max_length=LONGEST_TELLING, description="One or two sentences with the figures or names."
    )
    remarks: tuple[Remark, ...] = ()
    measured: dict[str, JsonValue] = Field(default_factory=dict, description="Figures by threshold name.")
    remedy: str = Field(default="", description="What to do in this very case; empty: as the criterion says.")
    evidence: tuple[str, ...] = Field(default=(), description="Digests of the reports it rests on.")

    @classmethod
    def met(cls, reason: str, **rest: object) -> Judgement:
        """The criterion holds."""
        return cls.model_validate({"outcome": Outcome.MET, "reason": reason, **rest})

    @classmethod
    def unmet(cls, reason: str, **rest: object) -> Judgement:
        """It does not hold."""
        return cls.model_validate({"outcome": Outcome.UNMET, "reason": reason, **rest})

    @classmethod
    def not_applicable(cls, reason: str) -> Judgement:
        """Nothing in this change is asked about."""
        return cls(outcome=Outcome.NOT_APPLICABLE, reason=reason)

    @classmethod
    def not_available(cls, reason: str, **rest: object) -> Judgement:
        """The evidence could not be had."""
        return cls.model_validate({"outcome": Outcome.NOT_AVAILABLE, "reason": reason, **rest})

    @classmethod
    def not_supported(cls, reason: str) -> Judgement:
        """The forge, or its plan, has no such thing."""
        return cls(outcome=Outcome.NOT_SUPPORTED, reason=reason)

    @classmethod
    def unseen(cls, what: str, part: Unknown, **rest: object) -> Judgement:
        """``what``, such as ``the commits``, could not be had: not supported where the forge has no such thing."""
        outcome = Outcome.NOT_AVAILABLE if part.supported else Outcome.NOT_SUPPORTED
        return cls.model_validate({"outcome": outcome, "reason": f"{what} are not known: {part.reason}", **rest})


class Attestation(Frozen):
    """Somebody said, with a link, that a criterion holds."""

    criterion: str
    link: str
    by: str = Field(description="Login.")
    actor: str = Field(description="Pseudonym, as it stands in the log.")
    role: OwnerRole | None = None
    at: datetime
    head: str = Field(description="SHA it was said about; a later push does not take it back, and is told.")


class Waiver(Frozen):
    """Somebody with the approver's role lets a criterion go until a day."""

    criterion: str
    because: str = Field(min_length=3, max_length=500)
    until: datetime
    by: str
    actor: str
    at: datetime


class BegunMove(Frozen):
    """A ticket that is being moved: kept until it is moved and on record, whatever breaks off in between."""

    origin: LifecycleState | None = Field(default=None, description="None: it was taken up.")
    to: LifecycleState
    passed: tuple[LifecycleState, ...] = ()


class Spoken(Frozen):
    """What people said about one pull request that holds beyond one review of it."""

    ref: ChangeRef
    attestations: tuple[Attestation, ...] = Field(default=(), description="The latest for each criterion.")
    waivers: tuple[Waiver, ...] = Field(
        default=(), description="The latest for each criterion, also those past their day."
    )
    design: int | None = Field(default=None, ge=1, description="Number of the design option that was chosen.")
    accepted: bool | None = Field(default=None, description="Whether the work was accepted; None: nobody said.")
    comments: tuple[str, ...] = Field(default=(), description="Ids of the comments that were followed already.")
    heeded: tuple[str, ...] = Field(default=(), description="Those of them that asked for another look.")
    design_at: datetime | None = Field(default=None, description="When the option was chosen; the latest word counts.")
    accepted_at: datetime | None = Field(default=None, description="When that was said.")
    moving: dict[str, BegunMove] = Field(default_factory=dict, description="By ticket.")
    under_way: dict[str, datetime] = Field(
        default_factory=dict, description="Comment that somebody follows at this moment → until when that is believed."
    )


class Finding(Frozen):
    """What became of one criterion in one review."""

    criterion: str
    stage: Stage
    statement: str
    owner: OwnerRole
    severity: Severity
    enforcement: Enforcement
    known_by: str = Field(description="gate, evidence or attestation.")
    gate: GateId | None = None
    outcome: Outcome
    reason: str
    remedy: str = ""
    effort: Effort | None = None
    thresholds: dict[str, Threshold] = Field(default_factory=dict, description="What it was held to, by name.")
    measured: dict[str, JsonValue] = Field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    evidence: tuple[str, ...] = ()
    attestation: Attestation | None = None
    waiver: Waiver | None = Field(default=None, description="In force: what is unmet does not block.")

    @property
    def blocks(self) -> bool:
        """Whether it keeps the change from being merged."""
        return self.enforcement is Enforcement.ENFORCED and self.outcome is Outcome.UNMET and self.waiver is None

    @property
    def undecided(self) -> bool:
        """Whether an enforced criterion waits for somebody who can tell."""
        return self.enforcement is Enforcement.ENFORCED and self.outcome in UNDECIDED and self.waiver is None


class AgentName(StrEnum):
    """The five agents."""

    DEVELOPMENT = "development"
    QUALITY = "quality"
    SECURITY = "security"
    RELEASE = "release"
    PLANNING = "planning"


class OpinionKind(StrEnum):
    """What an opinion offers."""

    CONCERN = "concern"
    PROPOSAL = "proposal"
    TEST = "test"
    THREAT = "threat"
    CHANGELOG = "changelog"
    VERSION = "version"
    SPLIT = "split"
    ACCEPTANCE = "acceptance"
    DECOMPOSITION = "decomposition"
    PRIORITY = "priority"


class Opinion(Frozen):
    """What an agent thinks. It is evidence: no opinion blocks by itself."""

    agent: AgentName
    kind: OpinionKind
    title: str = Field(min_length=3, max_length=200)
    message: str = Field(min_length=3, max_length=4_000)
    path: str = ""
    line: int | None = Field(default=None, ge=1)
    end_line: int | None = Field(default=None, ge=1)
    severity: Severity = Severity.LOW
    confidence: float = Field(ge=0, le=1)
    suggestion: str | None = Field(default=None, description="In place of the lines, where it is about lines.")
    patch: dict[str, str] = Field(
        default_factory=dict, description="Path → whole text of files it would add or replace."
    )
    source: str = Field(default="analysis", description="`analysis`, or `model`.")


class AgentReport(Frozen):
    """What one agent answered in one review."""

    agent: AgentName
    opinions: tuple[Opinion, ...] = ()
    model: str = Field(default="", description="Name of the model that was asked; empty: none.")
    artifact: str = Field(default="", description="Digest of all that was said to and by the model.")
    trouble: str = Field(default="", description="Why the model, or the agent, did not answer in full.")
    calls: int = 0
    tokens: int = 0
    seconds: float = Field(default=0, ge=0, description="How long the answer took.")


class Reviewed(Frozen):
    """A whole review: what is stored as its artifact and shown."""

    review: str = Field(description="Id of the review: pull request and head.")
    instance: str
    ref: ChangeRef
    project: str
    connection: str
    head: str
    base: str
    title: str
    url: str
    author: str
    kinds: tuple[ChangeKind, ...] = ()
    definition: Pin
    policy_source: str = Field(
        default="", description="Where the repository's policy was read: commit:path; empty: none."
    )
    policy_faults: tuple[str, ...] = Field(default=(), description="What is wrong with it; the wider levels then hold.")
    weakenings: tuple[Weakening, ...] = ()
    ruling: Ruling
    reason: str
    advisory: bool = Field(description="The connection only advises: nothing blocks.")
    findings: tuple[Finding, ...]
    tickets: tuple[str, ...] = Field(
        default=(),
        description="Where each ticket of the change goes, or why it stays, as it read when it was looked at.",
    )
    agents: tuple[AgentReport, ...] = ()
    offered: str = Field(
        default="", description="Branch that the proposed tests are put on once the verdict is told; empty: none is."
    )
    evidence: str = Field(description="Digest of the collected evidence in the artifact store.")
    reports: tuple[str, ...] = Field(default=(), description="Digests of the uploaded reports it rests on.")
    calls: int = 0
    at: datetime

    def of(self, criterion: str) -> Finding | None:
        """The finding about ``criterion``."""
        return next((one for one in self.findings if one.criterion == criterion), None)


class ReviewState(StrEnum):
    """Where a review stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    SUPERSEDED = "superseded"
    FAILED = "failed"


class ReviewRecord(Frozen):
    """The review of one head of one pull request; further events about the same head make it look again."""

    id: str = Field(description="Key of the pull request and head; also how the API names it.")
    ref: ChangeRef
    project: str
    connection: str
    head: str
    state: ReviewState
    run: int = Field(default=1, ge=1, description="How often an orchestration was started for it.")
    instance: str
    wanted: int = Field(default=1, ge=1, description="Rounds asked for so far.")
    done: int = Field(default=0, ge=0, description="The round that the latest verdict answers.")
    ruling: Ruling | None = None
    advisory: bool = Field(default=False, description="The ruling only advises.")
    reason: str = ""
    reviewed: str = Field(default="", description="Digest of the `Reviewed` in the artifact store.")
    waived_until: datetime | None = Field(
        default=None, description="When the first waiver that the verdict rests on ends, and it has to be judged again."
    )
    created_at: datetime
    updated_at: datetime


class ReviewInput(Frozen):
    """What the runbook starts with."""

    instance: str
    review: str
    ref: ChangeRef
    project: str
    connection: str
    head: str
    round: int = Field(default=1, ge=1)
    reason: str = Field(default="", description="The event or call that asked for it.")


class SeenHead(Frozen):
    """That a commit is, or was, the head of a pull request; found by its repository and SHA, or by its project."""

    ref: ChangeRef
    head: str
    project: str


class Collected(Frozen):
    """What collecting evidence answers to the runbook; everything large is an artifact."""

    evidence: str = Field(default="", description="Digest of the `ChangeEvidence`.")
    policy: str = Field(
        default="", description="Digest of the policy that holds, with what was refused on the way to it."
    )
    definition: Pin | None = None
    agents: tuple[AgentName, ...] = ()
    ended: str = Field(default="", description="Why nothing is to be judged: another head by now, closed, gone.")
    superseded: bool = Field(default=False, description="Another head is the reason.")
    round: int = Field(default=1, ge=1, description="The latest round that was wanted when collecting began.")


class ReviewTask(Frozen):
    """Input of what follows on the evidence."""

    run: ReviewInput
    collected: Collected
    agent: AgentName | None = Field(default=None, description="The agent that is heard.")
    reports: tuple[str, ...] = Field(default=(), description="Digests of what the agents answered.")
    reviewed: str = Field(default="", description="Digest of the verdict that is published.")


class Verdict(Frozen):
    """What the runbook needs of a judgement."""

    ruling: Ruling
    reason: str
    reviewed: str = Field(description="Digest of the `Reviewed` in the artifact store.")
    advisory: bool = False
    waived_until: datetime | None = Field(default=None, description="When the first waiver that it rests on ends.")
    merge: bool = Field(default=False, description="Whether it may be merged now, and somebody wants that.")
    offer: bool = Field(default=False, description="Whether something that agents proposed is to be offered.")


class ReviewEnd(Frozen):
    """Input of the end of a round."""

    run: ReviewInput
    verdict: Verdict | None = None
    ended: str = ""
    superseded: bool = False
    broken: str = Field(default="", description="Why there is no verdict, or why it could not be published.")
    unoffered: str = Field(default="", description="Why what agents proposed could not be offered.")
    merged: str = Field(default="", description="SHA of the merge, where there was one.")
