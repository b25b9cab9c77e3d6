"""The record: a closed vocabulary of audit tags and the events that carry them.

A tag reads ``source:subject:action`` with the action in the past tense. The vocabulary is closed so that a query for a
tag is complete; a new effect needs a new member here, and the generated reference follows.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, JsonValue

TENANT = "_doneright"
"""The log that holds what belongs to no project: connections, deliveries, refusals."""


class AuditTag(StrEnum):
    """Every kind of event that can stand in a log. Each member's meaning is its line in ``MEANINGS``."""

    CONNECTION_CREATED = "doneright:connection:created"
    CONNECTION_CHANGED = "doneright:connection:changed"
    CONNECTION_PAUSED = "doneright:connection:paused"
    CONNECTION_RESUMED = "doneright:connection:resumed"
    DELIVERY_POISONED = "doneright:delivery:poisoned"
    DELIVERY_REPLAYED = "doneright:delivery:replayed"
    DELIVERY_SWEPT = "doneright:delivery:swept"
    REQUEST_RECEIVED = "doneright:request:received"
    REQUEST_REFUSED = "doneright:request:refused"
    COMMAND_REFUSED = "doneright:command:refused"
    COMMAND_FOLLOWED = "doneright:command:followed"
    ATTESTATION_RECORDED = "doneright:attestation:recorded"
    WAIVER_GRANTED = "doneright:waiver:granted"
    WORK_ACCEPTED = "doneright:work:accepted"
    WORK_REJECTED = "doneright:work:rejected"
    DESIGN_DECIDED = "doneright:design:decided"
    POLICY_SIMULATED = "doneright:policy:simulated"
    TICKET_STAYED = "doneright:ticket:stayed"
    PLAN_DRAWN = "doneright:plan:drawn"
    PLAN_ADVISED = "doneright:plan:advised"
    PORTFOLIO_RECEIVED = "doneright:portfolio:received"
    PORTFOLIO_COMPLETED = "doneright:portfolio:completed"
    PORTFOLIO_FAILED = "doneright:portfolio:failed"
    PROJECT_ENLISTED = "doneright:project:enlisted"
    PROJECT_COMPLETED = "doneright:project:completed"
    PROJECT_FAILED = "doneright:project:failed"
    PROJECT_ACCEPTED = "doneright:project:accepted"
    PROJECT_COMPENSATED = "doneright:project:compensated"
    DECISION_REQUESTED = "doneright:decision:requested"
    DECISION_TAKEN = "doneright:decision:taken"
    RUN_RESTARTED = "doneright:run:restarted"
    DRIFT_DETECTED = "doneright:drift:detected"
    ADOPTION_PLANNED = "doneright:adoption:planned"
    ADOPTION_CONSENTED = "doneright:adoption:consented"
    REMOVAL_REQUESTED = "doneright:removal:requested"
    PROJECT_REMOVED = "doneright:project:removed"
    EVIDENCE_STORED = "doneright:evidence:stored"
    POLICY_CHANGED = "doneright:policy:changed"
    REVIEW_JUDGED = "doneright:review:judged"
    MERGE_REFUSED = "doneright:merge:refused"
    REVIEW_FAILED = "doneright:review:failed"
    OFFER_FAILED = "doneright:offer:failed"
    STEP_SKIPPED = "doneright:step:skipped"
    GITHUB_STEP_APPLIED = "github:step:applied"
    GITHUB_STEP_CONFIRMED = "github:step:confirmed"
    GITHUB_STEP_UNSUPPORTED = "github:step:unsupported"
    GITHUB_STEP_FAILED = "github:step:failed"
    GITHUB_STEP_REVERSED = "github:step:reversed"
    GITHUB_STEP_KEPT = "github:step:kept"
    GITHUB_SCAFFOLD_OFFERED = "github:scaffold:offered"
    GITHUB_SCAFFOLD_REVISED = "github:scaffold:revised"
    GITHUB_SCAFFOLD_MERGED = "github:scaffold:merged"
    GITHUB_SCAFFOLD_DECLINED = "github:scaffold:declined"
    GITHUB_SCAFFOLD_FAILED = "github:scaffold:failed"
    GITHUB_REVIEW_PUBLISHED = "github:review:published"
    GITHUB_CHANGE_MERGED = "github:change:merged"
    GITHUB_TESTS_OFFERED = "github:tests:offered"
    GITHUB_EPIC_SEEDED = "github:epic:seeded"
    GITHUB_EPIC_LINKED = "github:epic:linked"
    GITHUB_EPIC_FAILED = "github:epic:failed"
    GITHUB_ISSUE_ANSWERED = "github:issue:answered"
    GITHUB_ISSUE_CATEGORISED = "github:issue:categorised"
    GITHUB_ISSUE_LINKED = "github:issue:linked"
    GITHUB_ITEM_MOVED = "github:item:moved"
    GITHUB_TICKET_MOVED = "github:ticket:moved"
    AZURE_DEVOPS_STEP_APPLIED = "azure_devops:step:applied"
    AZURE_DEVOPS_STEP_CONFIRMED = "azure_devops:step:confirmed"
    AZURE_DEVOPS_STEP_UNSUPPORTED = "azure_devops:step:unsupported"
    AZURE_DEVOPS_STEP_FAILED = "azure_devops:step:failed"
    AZURE_DEVOPS_STEP_REVERSED = "azure_devops:step:reversed"
    AZURE_DEVOPS_STEP_KEPT = "azure_devops:step:kept"
    AZURE_DEVOPS_SCAFFOLD_OFFERED = "azure_devops:scaffold:offered"
    AZURE_DEVOPS_SCAFFOLD_REVISED = "azure_devops:scaffold:revised"
    AZURE_DEVOPS_SCAFFOLD_MERGED = "azure_devops:scaffold:merged"
    AZURE_DEVOPS_SCAFFOLD_DECLINED = "azure_devops:scaffold:declined"
    AZURE_DEVOPS_SCAFFOLD_FAILED = "azure_devops:scaffold:failed"
    AZURE_DEVOPS_REVIEW_PUBLISHED = "azure_devops:review:published"
    AZURE_DEVOPS_CHANGE_MERGED = "azure_devops:change:merged"
    AZURE_DEVOPS_TESTS_OFFERED = "azure_devops:tests:offered"
    AZURE_DEVOPS_CASES_MIRRORED = "azure_devops:cases:mirrored"
    AZURE_DEVOPS_EPIC_SEEDED = "azure_devops:epic:seeded"
    AZURE_DEVOPS_EPIC_LINKED = "azure_devops:epic:linked"
    AZURE_DEVOPS_EPIC_FAILED = "azure_devops:epic:failed"
    AZURE_DEVOPS_BUILD_COMPLETED = "azure_devops:build:completed"
    AZURE_DEVOPS_ITEM_CATEGORISED = "azure_devops:item:categorised"
    AZURE_DEVOPS_ITEM_LINKED = "azure_devops:item:linked"
    AZURE_DEVOPS_ITEM_MOVED = "azure_devops:item:moved"
    AZURE_DEVOPS_TICKET_MOVED = "azure_devops:ticket:moved"


MEANINGS: dict[AuditTag, str] = {
    AuditTag.CONNECTION_CREATED: "A connection to the forges was created.",
    AuditTag.CONNECTION_CHANGED: "A connection's settings were changed; the detail names the fields.",
    AuditTag.CONNECTION_PAUSED: "A connection was paused; its deliveries are held.",
    AuditTag.CONNECTION_RESUMED: "A paused connection was resumed; what it held was queued again.",
    AuditTag.DELIVERY_POISONED: "A delivery could not be handled after all tries and is kept with its reason.",
    AuditTag.DELIVERY_REPLAYED: "A person asked for a delivery to be handled again.",
    AuditTag.DELIVERY_SWEPT: "The sweep found work whose webhook never arrived and queued it.",
    AuditTag.REQUEST_RECEIVED: "A request for a project arrived and its run began.",
    AuditTag.REQUEST_REFUSED: "A request was refused; the detail names each field or the missing permission.",
    AuditTag.COMMAND_REFUSED: "A command in a comment was not followed; the detail says why.",
    AuditTag.COMMAND_FOLLOWED: "A command in a comment that changes nothing by itself was followed: a review asked for, a criterion explained.",
    AuditTag.ATTESTATION_RECORDED: "Somebody said, with a link, that a criterion holds; the detail names criterion, role and head.",
    AuditTag.WAIVER_GRANTED: "An approver let a criterion go until a day; the detail holds the reason.",
    AuditTag.WORK_ACCEPTED: "Somebody entitled accepted the work of a pull request.",
    AuditTag.WORK_REJECTED: "Somebody entitled rejected the work of a pull request.",
    AuditTag.DESIGN_DECIDED: "One of the design options that were weighed was chosen; the detail holds its number.",
    AuditTag.POLICY_SIMULATED: "A policy was tried on stored reviews; nothing was changed.",
    AuditTag.TICKET_STAYED: "A ticket could not be moved on in its lifecycle; the detail says what is missing.",
    AuditTag.PLAN_DRAWN: "The plan of a project was drawn; the detail holds its digest.",
    AuditTag.PLAN_ADVISED: "The plan was drawn in advisory mode or as a dry run; nothing was changed.",
    AuditTag.PORTFOLIO_RECEIVED: "A portfolio's file arrived and its run began; the event refers to the file.",
    AuditTag.PORTFOLIO_COMPLETED: "Every project of a portfolio ended well, and its epics are seeded.",
    AuditTag.PORTFOLIO_FAILED: "A run of a portfolio ended with failures; the detail names each project and epic.",
    AuditTag.PROJECT_ENLISTED: "A project's run was part of a portfolio; the event refers to the file.",
    AuditTag.PROJECT_COMPLETED: "Every step of a plan was read back and found as planned, or is not supported.",
    AuditTag.PROJECT_FAILED: "A step failed for good; the detail names it with its remedy.",
    AuditTag.PROJECT_ACCEPTED: "A project whose plan was not carried out whole was accepted as it is.",
    AuditTag.PROJECT_COMPENSATED: "All that a failed run had made was removed again, and seen to be gone.",
    AuditTag.DECISION_REQUESTED: "A run failed for good and asked people whether to retry, compensate or accept.",
    AuditTag.DECISION_TAKEN: "It was decided how a failed run goes on, by a person or by its deadline.",
    AuditTag.RUN_RESTARTED: "A run the durable engine had lost was started again; what it had done so far is kept.",
    AuditTag.DRIFT_DETECTED: "The forges differ from a project's plan; the detail names each step. Nothing was changed.",
    AuditTag.ADOPTION_PLANNED: "A plan to adopt what exists was drawn from its live state; nothing was changed.",
    AuditTag.ADOPTION_CONSENTED: "A person consented to an adoption's plan; the detail names the plan and each step.",
    AuditTag.REMOVAL_REQUESTED: "A person asked by name for what Doneright made of a project to be removed.",
    AuditTag.PROJECT_REMOVED: "All that Doneright had made of a project was removed, and seen to be gone.",
    AuditTag.EVIDENCE_STORED: "A tool's report about a commit was read and kept; the event refers to its bytes, the detail sums it up.",
    AuditTag.STEP_SKIPPED: "A step was not tried because one it depends on failed.",
    AuditTag.GITHUB_STEP_APPLIED: "A resource was created or changed on GitHub and read back.",
    AuditTag.GITHUB_STEP_CONFIRMED: "A resource on GitHub was already as planned.",
    AuditTag.GITHUB_STEP_UNSUPPORTED: "The GitHub plan does not offer what a step needs.",
    AuditTag.GITHUB_STEP_FAILED: "A step on GitHub failed for good.",
    AuditTag.GITHUB_STEP_REVERSED: "What a step had made on GitHub was removed, and seen to be gone.",
    AuditTag.GITHUB_STEP_KEPT: "What a step had made on GitHub was to be removed and is still there.",
    AuditTag.GITHUB_SCAFFOLD_OFFERED: "A newer scaffold was offered on GitHub as a pull request and read back; the detail counts its files.",
    AuditTag.GITHUB_SCAFFOLD_REVISED: "An open pull request with a newer scaffold was brought up to date on GitHub and read back.",
    AuditTag.GITHUB_SCAFFOLD_MERGED: "A pull request with a newer scaffold was found merged on GitHub; the next update begins from it.",
    AuditTag.GITHUB_SCAFFOLD_DECLINED: "A pull request with a newer scaffold was found closed unmerged on GitHub; it is not offered again.",
    AuditTag.GITHUB_SCAFFOLD_FAILED: "A newer scaffold could not be offered on GitHub; the detail holds the reason.",
    AuditTag.GITHUB_EPIC_SEEDED: "A portfolio epic was made as an issue on GitHub and read back.",
    AuditTag.GITHUB_EPIC_LINKED: "A portfolio epic's issue lists the same epic in the other projects, and was read back.",
    AuditTag.GITHUB_EPIC_FAILED: "A portfolio epic could not be seeded or linked on GitHub.",
    AuditTag.GITHUB_ISSUE_ANSWERED: "An issue was answered with a comment.",
    AuditTag.GITHUB_ISSUE_CATEGORISED: "Doneright's label of an issue was set, changed or taken off; the detail holds the reasons.",
    AuditTag.GITHUB_ISSUE_LINKED: "An issue was linked to the project and work items it names.",
    AuditTag.GITHUB_ITEM_MOVED: "An issue was given another parent, or none, and read back; the detail says why.",
    AuditTag.GITHUB_TICKET_MOVED: "A ticket was moved in its lifecycle and its issue labelled; the detail names both states.",
    AuditTag.AZURE_DEVOPS_STEP_APPLIED: "A resource was created or changed on Azure DevOps and read back.",
    AuditTag.AZURE_DEVOPS_STEP_CONFIRMED: "A resource on Azure DevOps was already as planned.",
    AuditTag.AZURE_DEVOPS_STEP_UNSUPPORTED: "The Azure DevOps organisation does not offer what a step needs.",
    AuditTag.AZURE_DEVOPS_STEP_FAILED: "A step on Azure DevOps failed for good.",
    AuditTag.AZURE_DEVOPS_STEP_REVERSED: "What a step had made on Azure DevOps was removed, and seen to be gone.",
    AuditTag.AZURE_DEVOPS_STEP_KEPT: "What a step had made on Azure DevOps was to be removed and is still there.",
    AuditTag.AZURE_DEVOPS_SCAFFOLD_OFFERED: "A newer scaffold was offered on Azure DevOps as a pull request and read back; the detail counts its files.",
    AuditTag.AZURE_DEVOPS_SCAFFOLD_REVISED: "An open pull request with a newer scaffold was brought up to date on Azure DevOps and read back.",
    AuditTag.AZURE_DEVOPS_SCAFFOLD_MERGED: "A pull request with a newer scaffold was found merged on Azure DevOps; the next update begins from it.",
    AuditTag.AZURE_DEVOPS_SCAFFOLD_DECLINED: "A pull request with a newer scaffold was found closed unmerged on Azure DevOps; it is not offered again.",
    AuditTag.AZURE_DEVOPS_SCAFFOLD_FAILED: "A newer scaffold could not be offered on Azure DevOps; the detail holds the reason.",
    AuditTag.AZURE_DEVOPS_EPIC_SEEDED: "A portfolio epic and its features were made on Azure Boards and read back.",
    AuditTag.AZURE_DEVOPS_EPIC_LINKED: "A portfolio epic was related to the same epic in other projects, and read back.",
    AuditTag.AZURE_DEVOPS_EPIC_FAILED: "A portfolio epic could not be seeded or linked on Azure DevOps.",
    AuditTag.AZURE_DEVOPS_ITEM_CATEGORISED: "Doneright's tag of a work item was set, changed or taken off; the detail holds the reasons.",
    AuditTag.AZURE_DEVOPS_ITEM_LINKED: "A work item was linked to an issue that names it.",
    AuditTag.AZURE_DEVOPS_ITEM_MOVED: "A work item was given another parent, or none, and read back; the detail says why.",
    AuditTag.AZURE_DEVOPS_TICKET_MOVED: "A ticket was moved in its lifecycle and its work item set accordingly; the detail names both states.",
    AuditTag.AZURE_DEVOPS_BUILD_COMPLETED: "A build of a project's pipeline ended; the detail holds its result.",
    AuditTag.REVIEW_JUDGED: "A change was judged; the detail holds the ruling, the definition it was judged under and what blocks.",
    AuditTag.REVIEW_FAILED: "A round of a review broke before its verdict was told; the detail holds the reason.",
    AuditTag.GITHUB_REVIEW_PUBLISHED: "The verdict about a pull request was told on GitHub; the artifact holds it whole.",
    AuditTag.GITHUB_CHANGE_MERGED: "A pull request that had passed its review was merged on GitHub, exactly as reviewed.",
    AuditTag.AZURE_DEVOPS_REVIEW_PUBLISHED: "The verdict about a pull request was told on Azure DevOps; the artifact holds it whole.",
    AuditTag.AZURE_DEVOPS_CHANGE_MERGED: "A pull request that had passed its review was completed on Azure DevOps, exactly as reviewed.",
    AuditTag.OFFER_FAILED: "What the quality agent proposed could not be offered; the detail says what and why. The verdict stands.",
    AuditTag.GITHUB_TESTS_OFFERED: "Proposed tests were offered on GitHub as a branch with a draft pull request into the change's own.",
    AuditTag.AZURE_DEVOPS_TESTS_OFFERED: "Proposed tests were offered on Azure Repos as a branch with a draft pull request into the change's own.",
    AuditTag.AZURE_DEVOPS_CASES_MIRRORED: "Proposed test cases were kept in Azure Test Plans; the detail names plan, suite and cases.",
    AuditTag.POLICY_CHANGED: "The policy of an organisation or a project was set anew; the artifact holds its text.",
    AuditTag.MERGE_REFUSED: "A change that had passed its review was not merged; the detail says why the forge did not.",
}


class NewAuditEvent(BaseModel):
    """What a caller wants recorded; the log adds sequence, time and proof."""

    model_config = ConfigDict(frozen=True)

    tag: AuditTag
    instance: str = Field(description="Durable instance id, or the HTTP correlation id, that caused the event.")
    step: str = Field(description="What in that instance; (instance, step) is recorded at most once.")
    subject: str = Field(description="What the event is about: an issue, a connection, a resource.")
    actor: str = Field(default="doneright", description="Pseudonym of the person, or `doneright`.")
    detail: dict[str, JsonValue] = Field(
        default_factory=dict, description="Facts worth reading; hashed into the event, erasable without breaking it."
    )
    artifacts: tuple[str, ...] = Field(default=(), description="Digests of stored artifacts the event refers to.")


class AuditEvent(BaseModel):
    """One recorded event. ``detail`` is ``None`` once erased; ``detail_digest`` stays and keeps the proof whole."""

    model_config = ConfigDict(frozen=True)

    project: str
    sequence: int = Field(ge=0)
    at: datetime
    tag: AuditTag
    instance: str
    step: str
    subject: str
    actor: str
    detail_digest: str
    artifacts: tuple[str, ...] = ()
    detail: dict[str, JsonValue] | None = None


class AuditHead(BaseModel):
    """The state of a log: how many events, their RFC 6962 root, and the frontier that appends continue from."""

    model_config = ConfigDict(frozen=True)

    project: str
    size: int = Field(default=0, ge=0)
    root: str = Field(description="Merkle tree hash (RFC 6962 §2.1), hex; of the empty tree: SHA-256 of nothing.")
    frontier: tuple[str, ...] = Field(default=(), description="Roots of the complete subtrees, left to right, hex.")


class Recorded(BaseModel):
    """The answer to an append."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    leaf: str = Field(description="RFC 6962 leaf hash, hex.")
    root: str = Field(description="Root of the log right after this event; the current root for a repeated append.")
    repeated: bool = Field(default=False, description="True when (instance, step) had been recorded before.")
