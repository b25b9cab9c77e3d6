"""What has to be true before work is done: criteria as data, each with an owner, a way to know it and a remedy."""

from __future__ import annotations

import re
from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_serializer, model_validator

from shared.domain import shapes
from shared.domain.forge import Frozen
from shared.domain.threshold import Threshold, ThresholdName


class GateId(StrEnum):
    """Every gate a definition may name. ``threshold`` judges any measured figure; the others have logic of their own."""

    BRANCH_NAMES_ITS_TICKET = "branch_names_its_ticket"
    CHANGE_IS_LINKED_TO_WORK_ITEM = "change_is_linked_to_work_item"
    WORK_ITEM_HIERARCHY_IS_VALID = "work_item_hierarchy_is_valid"
    CHANGE_CONCERNS_ONE_TICKET = "change_concerns_one_ticket"
    CHANGE_IS_SMALL = "change_is_small"
    CHANGE_IS_DESCRIBED = "change_is_described"
    REQUIREMENT_HAS_ACCEPTANCE_CRITERIA = "requirement_has_acceptance_criteria"
    DESIGN_OPTIONS_ARE_WEIGHED = "design_options_are_weighed"
    THREAT_MODEL_IS_COMPLETE = "threat_model_is_complete"
    CHANGE_IS_APPROVED = "change_is_approved"
    REVIEW_IS_SUBSTANTIVE = "review_is_substantive"
    COMMENTS_ARE_RESOLVED = "comments_are_resolved"
    BRANCH_IS_UP_TO_DATE = "branch_is_up_to_date"
    CI_IS_GREEN = "ci_is_green"
    LINT_AND_TYPES_ARE_CLEAN = "lint_and_types_are_clean"
    COVERAGE_HOLDS = "coverage_holds"
    TESTS_ACCOMPANY_CODE = "tests_accompany_code"
    SECURITY_TESTS_COVER_CONTROLS = "security_tests_cover_controls"
    BDD_SCENARIOS_ACCOMPANY_FEATURE = "bdd_scenarios_accompany_feature"
    DOCS_ACCOMPANY_API_CHANGE = "docs_accompany_api_change"
    CHANGELOG_HAS_ENTRY = "changelog_has_entry"
    BREAKING_CHANGE_HAS_MIGRATION_GUIDE = "breaking_change_has_migration_guide"
    FEATURE_FLAG_GUARDS_RISK = "feature_flag_guards_risk"
    MIGRATION_IS_AUTOMATIC = "migration_is_automatic"
    NO_SECRETS = "no_secrets"
    NO_CRITICAL_FINDINGS = "no_critical_findings"
    DEPENDENCIES_ARE_SAFE = "dependencies_are_safe"
    LICENSES_ARE_ALLOWED = "licenses_are_allowed"
    CONTAINERS_ARE_SECURE = "containers_are_secure"
    INFRASTRUCTURE_IS_SECURE = "infrastructure_is_secure"
    PERFORMANCE_HOLDS = "performance_holds"
    ACCESSIBILITY_HOLDS = "accessibility_holds"
    DOCS_BEFORE_CODE = "docs_before_code"
    COMMITS_ARE_CONVENTIONAL = "commits_are_conventional"
    NO_FLAKY_TESTS = "no_flaky_tests"
    THRESHOLD = "threshold"


class Stage(StrEnum):
    """Where in the life of software a criterion is asked, in order; ``meta`` is about the definition itself."""

    PLANNING = "planning"
    DEVELOPMENT = "development"
    INTEGRATION = "integration"
    RELEASE = "release"
    PRODUCTION = "production"
    ENHANCEMENT = "enhancement"
    COMMUNICATION = "communication"
    META = "meta"


class Subject(StrEnum):
    """What a criterion is true or false of."""

    TICKET = "ticket"
    CHANGE = "change"
    SPRINT = "sprint"
    RELEASE = "release"
    PRODUCT = "product"
    PROCESS = "process"


class OwnerRole(StrEnum):
    """Who sees to it that a criterion becomes true."""

    PRODUCT_OWNER = "product_owner"
    PROJECT_LEAD = "project_lead"
    ARCHITECT = "architect"
    AUTHOR = "author"
    REVIEWER = "reviewer"
    TESTER = "tester"
    SECURITY_ENGINEER = "security_engineer"
    DESIGNER = "designer"
    TECHNICAL_WRITER = "technical_writer"
    RELEASE_MANAGER = "release_manager"
    OPERATOR = "operator"
    COMMUNICATOR = "communicator"


class EvidenceKind(StrEnum):
    """What a claim can rest on."""

    WORK_ITEM = "work_item"
    DOCUMENT = "document"
    CHANGE = "change"
    COMMIT_HISTORY = "commit_history"
    PIPELINE_RUN = "pipeline_run"
    TEST_RESULTS = "test_results"
    COVERAGE_REPORT = "coverage_report"
    SCAN_RESULTS = "scan_results"
    LOAD_TEST_RESULTS = "load_test_results"
    ACCESSIBILITY_RESULTS = "accessibility_results"
    PACKAGE = "package"
    RELEASE_RECORD = "release_record"
    DEPLOYMENT_RECORD = "deployment_record"
    MONITORING_DATA = "monitoring_data"
    DRILL_REPORT = "drill_report"
    FEEDBACK_RECORD = "feedback_record"
    PUBLICATION = "publication"


class Severity(StrEnum):
    """How much harm an unmet criterion does, the worst first.

    There is no ``info``, which is what makes it another set than the severities of findings: a scanner may report what
    does no harm, but a criterion whose breach does none would be no criterion. Gates translate one into the other.
    """

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class ChangeKind(StrEnum):
    """What a change is for."""

    FEATURE = "feature"
    BUG_FIX = "bug_fix"
    BREAKING = "breaking"
    HOTFIX = "hotfix"
    DOCUMENTATION = "documentation"
    MAINTENANCE = "maintenance"


class WorkItemKind(StrEnum):
    """Levels that every process has under its own names; Basic has no feature and calls a bug an issue."""

    EPIC = "epic"
    FEATURE = "feature"
    REQUIREMENT = "requirement"
    TASK = "task"
    BUG = "bug"


class KnownByGate(Frozen):
    """A gate decides from collected evidence, held to ``thresholds``."""

    kind: Literal["gate"] = "gate"
    gate: GateId
    evidence: EvidenceKind | None = Field(default=None, description="What the `threshold` gate measures.")
    thresholds: dict[ThresholdName, Threshold] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _threshold_gate_is_told_what_and_how_much(self) -> Self:
        if self.gate is GateId.THRESHOLD and (self.evidence is None or not self.thresholds):
            raise ValueError("the threshold gate needs the evidence it measures and at least one threshold")
        if self.gate is not GateId.THRESHOLD and self.evidence is not None:
            raise ValueError(f"{self.gate} knows what evidence it reads; leave it out")
        return self


class KnownByEvidence(Frozen):
    """Something of this kind exists, and shows ``shows``."""

    kind: Literal["evidence"]
    evidence: EvidenceKind
    shows: str = Field(min_length=10, max_length=200)


class KnownByAttestation(Frozen):
    """Somebody in this role says so, on record and with a link."""

    kind: Literal["attestation"]
    by: OwnerRole


KnownBy = Annotated[KnownByGate | KnownByEvidence | KnownByAttestation, Field(discriminator="kind")]

Label = Annotated[str, StringConstraints(pattern=r"^[^,;\s](?:[^,;]{0,48}[^,;\s])?$")]
PathPattern = Annotated[str, StringConstraints(pattern=r"^[^/\s\\][^\s\\]{0,199}$")]


class AppliesWhen(Frozen):
    """When a criterion is asked. Every list that is given must match, by any of its entries; none given: always."""

    labels: tuple[Label, ...] = ()
    paths: tuple[PathPattern, ...] = Field(default=(), description="Globs; `**` crosses folders.")
    change_kinds: tuple[ChangeKind, ...] = ()
    work_item_kinds: tuple[WorkItemKind, ...] = ()

    @property
    def always(self) -> bool:
        """Whether nothing narrows it."""
        return not (self.labels or self.paths or self.change_kinds or self.work_item_kinds)


_SOURCE = re.compile(r"^(?P<document>00[0-4]):(?P<first>[1-9]\d{0,3})(?:-(?P<last>[1-9]\d{0,3}))?$")


class Source(Frozen):
    """Lines of one of the five documents a definition was drawn from, written ``003:120-124``."""

    document: str
    first: int
    last: int

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        found = _SOURCE.fullmatch(given)
        if found is None:
            raise ValueError(f"{given[:40]!r} is no source; it reads 003:120 or 003:120-124, of documents 000 to 004")
        return {"document": found["document"], "first": found["first"], "last": found["last"] or found["first"]}

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"lines {self.first}-{self.last} run backwards")
        return self

    @model_serializer
    def _as_text(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.document}:{self.first}" + (f"-{self.last}" if self.last != self.first else "")

    @property
    def lines(self) -> range:
        """The line numbers it names."""
        return range(self.first, self.last + 1)


CriterionId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+){1,9}$", max_length=60)]


class Criterion(Frozen):
    """One statement that is true or false."""

    id: CriterionId
    stage: Stage
    subject: Subject
    statement: str = Field(min_length=20, max_length=300, pattern=r"^[A-Z0-9`].*\.$")
    owner: OwnerRole
    known_by: KnownBy
    applies_when: AppliesWhen = AppliesWhen()
    severity: Severity
    remedy: str = Field(min_length=15, max_length=300, pattern=r"^[A-Z].*\.$")
    sources: tuple[Source, ...] = Field(min_length=1)

    @property
    def thresholds(self) -> dict[str, Threshold]:
        """The figures it is held to, by name; empty when it has none."""
        return self.known_by.thresholds if isinstance(self.known_by, KnownByGate) else {}


class DefinitionOfDone(Frozen):
    """One version of every criterion."""

    name: Literal["definition_of_done"] = "definition_of_done"
    version: int = Field(ge=1)
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    @field_validator("criteria")
    @classmethod
    def _ids_are_unique(cls, criteria: tuple[Criterion, ...]) -> tuple[Criterion, ...]:
        twice = [name for name, count in Counter(one.id for one in criteria).items() if count > 1]
        if twice:
            raise ValueError(f"given twice: {', '.join(sorted(twice))}")
        return criteria

    def by_id(self) -> dict[str, Criterion]:
        """Every criterion by its id."""
        return {criterion.id: criterion for criterion in self.criteria}

    def of(self, stage: Stage) -> tuple[Criterion, ...]:
        """The criteria of one stage, in order."""
        return tuple(criterion for criterion in self.criteria if criterion.stage is stage)


class Pin(Frozen):
    """Exactly which definition was used, for as long as the artifact is kept."""

    name: str = Field(pattern=r"^[a-z][a-z_]{2,40}$")
    version: int = Field(ge=1)
    digest: str = Field(pattern=shapes.DIGEST.pattern)
