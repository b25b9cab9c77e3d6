"""The use cases' ports composed over fakes: what ``shared.services`` makes in production, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from shared.agents.health import AgentHealth
from shared.agents.ports import AgentPorts, TestCases
from shared.audit.people import Pseudonyms
from shared.connections.manifest import Registration
from shared.domain.activity import Listed
from shared.domain.audit import AuditEvent, AuditTag
from shared.domain.change import ChangeEvidence
from shared.domain.connection import Connection
from shared.domain.delivery import DeliveryRecord, RequestRecord, RequestState
from shared.domain.evidence import EvidenceRecord
from shared.domain.forge import ForgeName, IssueSnapshot, RepositoryRef
from shared.domain.issue_category import KeptCategory
from shared.domain.plan import StepProgress
from shared.domain.policy import KeptPolicy
from shared.domain.portfolio import Entry, PortfolioRecord, PreviewedProject, PreviewRun, SeededEpic
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.review import AgentName, AgentReport, ReviewRecord, SeenHead, Spoken
from shared.domain.run import ProjectRecord, RunInput
from shared.domain.scaffold_update import Standing, UpdateOutcome, UpdateRun
from shared.domain.simulation import SimulationRecord
from shared.errors import RefusedError, TransientError
from shared.evidence.ports import EvidencePorts
from shared.intake.events import content_digest
from shared.intake.keeping import Keeper
from shared.planning.ports import PlanningPorts
from shared.projects.ledger import Intent
from shared.projects.links import Links
from shared.projects.portfolio.ports import EpicForges, PortfolioPorts
from shared.projects.ports import CONNECTIONS, ConnectedForges, ProjectPorts
from shared.projects.ports import REQUESTS as REQUEST_RECORDS
from shared.projects.stale.ports import StalePorts
from shared.projects.updates.ports import UpdatePorts
from shared.reviews.collecting import Looking
from shared.reviews.offers import OfferPorts
from shared.reviews.ports import ReviewPorts
from shared.reviews.running import Room
from shared.services import Services
from shared.settings import Settings
from tests.fakes.code_host import MemoryGitHub
from tests.fakes.forges import MemoryAzureDevOps
from tests.fakes.review_forge import MemoryReviewForge
from tests.fakes.storage import (
    MemoryArtifacts,
    MemoryAuditLog,
    MemoryClock,
    MemoryQueue,
    MemoryRecords,
    MemorySecrets,
)

KEY = b"0123456789abcdef0123456789abcdef"
T0 = datetime(2026, 1, 1, tzinfo=UTC)
REQUESTS = RepositoryRef(owner="acme", name="requests")
FORM = {
    "Project name": "Order Desk",
    "Description": "Takes orders.",
    "Owner": "casey",
    "Process": "Agile",
    "Stack": "FastAPI",
    "Visibility": "Private",
    "Repositories on": "Azure DevOps and GitHub",
    "Minimum reviewers": "1",
    "Backlog seeds": "",
}


def form(**answers: str) -> str:
    """A request as GitHub renders it; keyword names are labels with underscores."""
    given = FORM | {label.replace("_", " "): text for label, text in answers.items()}
    return "\n\n".join(f"### {label}\n\n{text or '_No response_'}" for label, text in given.items())


def a_connection(**changes: Any) -> Connection:
    """A connection to both forges that lets casey and one team ask."""
    given = {
        "id": "acme",
        "github": {
            "organization": "acme",
            "credential": {"kind": "pat", "token_secret": "gh"},
            "request_repositories": ["acme/requests"],
        },
        "azure_devops": {
            "organization_url": "https://dev.azure.example/acme",
            "credential": {"kind": "pat", "token_secret": "ado"},
        },
        "requesters": ["casey", "acme/leads"],
        "created_at": T0,
        "updated_at": T0,
    }
    return Connection.model_validate(given | changes)


def a_request(**changes: Any) -> ProjectRequest:
    """A request for both forges."""
    return ProjectRequest.model_validate({"name": "Order Desk", "owner": "casey", "stack": "fastapi"} | changes)


def an_issue(body: str | None = None, **changes: Any) -> IssueSnapshot:
    """A labelled issue that casey opened."""
    given = {
        "id": "77",
        "ref": REQUESTS,
        "number": 7,
        "title": "New project",
        "body": form() if body is None else body,
        "author": "casey",
        "labels": ("new-project",),
        "url": "https://github.example/acme/requests/issues/7",
    }
    return IssueSnapshot.model_validate(given | changes)


def issues_payload(**changes: Any) -> dict[str, Any]:
    """The webhook that tells of ``an_issue``."""
    issue = {
        "id": 77,
        "number": 7,
        "title": "New project",
        "body": form(),
        "user": {"login": "casey"},
        "labels": [{"name": "new-project"}],
        "state": "open",
        "html_url": "https://github.example/acme/requests/issues/7",
    }
    return {"action": "opened", "issue": issue | changes, "repository": {"full_name": "acme/requests"}}


def an_ended_request(app: App, state: RequestState) -> None:
    """The run of ``an_issue`` stands at ``state``."""
    run = app.run_for(an_issue())
    record = RequestRecord(
        subject=run.subject,
        run=run.run,
        instance=run.instance,
        state=state,
        content_digest=run.content_digest,
        connection="acme",
        updated_at=app.clock.now(),
        start=run,
    )
    app.ports.requests.put(REQUEST_RECORDS, run.subject, record)


def one_by_one(works: Sequence[Callable[[], None]]) -> None:
    """Stands for doing them at the same time."""
    for work in works:
        work()


@dataclass
class App:
    """Everything a test needs to act and to look."""

    clock: MemoryClock = field(default_factory=MemoryClock)
    github: MemoryGitHub = field(default_factory=MemoryGitHub)
    azure: MemoryAzureDevOps = field(default_factory=MemoryAzureDevOps)
    artifacts: MemoryArtifacts = field(default_factory=MemoryArtifacts)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    secrets: MemorySecrets = field(default_factory=lambda: MemorySecrets(gh="g" * 20, ado="a" * 20))
    unreachable: dict[str, TransientError | RefusedError] = field(default_factory=dict)
    """By connection id: what reaching its forges raises."""
    codes: dict[str, Registration] = field(default_factory=dict)
    """Of the App manifest flow; each is good once."""
    told: list[tuple[int, str]] = field(default_factory=list)
    github_is_deaf: bool = False
    reach: EpicForges = field(default_factory=EpicForges)
    """How epics reach beyond a project's boards; nothing by default, as in services."""

    heard: tuple[AgentName, ...] = ()
    """Agents that every review hears."""
    hear: Callable[[AgentName, ChangeEvidence], AgentReport] = lambda agent, evidence: AgentReport(agent=agent)

    offering: dict[ForgeName, Any] = field(default_factory=dict)
    """Forges that proposed tests are offered on."""
    cases: TestCases | None = None

    def __post_init__(self) -> None:
        self.audit = MemoryAuditLog(self.clock)
        self.links = Links("https://doneright.example", KEY)
        self.deliveries = MemoryRecords(DeliveryRecord)
        self.ports = ProjectPorts(
            clock=self.clock,
            audit=self.audit,
            artifacts=self.artifacts,
            pseudonyms=Pseudonyms(KEY),
            links=self.links,
            projects=MemoryRecords(ProjectRecord),
            requests=MemoryRecords(RequestRecord),
            progress=MemoryRecords(StepProgress),
            intents=MemoryRecords(Intent),
            connections=MemoryRecords(Connection),
            connect=self._connect,
            hook_secret=lambda forge: f"hook secret of {forge}",
            together=one_by_one,
            request_label="new-project",
        )
        self.updates = UpdatePorts(
            projects=self.ports,
            standings=MemoryRecords(Standing),
            outcomes=MemoryRecords(UpdateOutcome),
            runs=MemoryRecords(UpdateRun),
        )
        self.portfolios = PortfolioPorts(
            projects=self.ports,
            portfolios=MemoryRecords(PortfolioRecord),
            entries=MemoryRecords(Entry),
            epics=MemoryRecords(SeededEpic),
            previews=MemoryRecords(PreviewRun),
            previewed=MemoryRecords(PreviewedProject),
            reach=lambda _: self.reach,
        )
        self.stale = StalePorts(projects=self.ports, listings=MemoryRecords(Listed))
        self.planning = PlanningPorts(projects=self.ports, categories=MemoryRecords(KeptCategory))
        self.evidence = EvidencePorts(
            clock=self.clock, audit=self.audit, artifacts=self.artifacts, records=MemoryRecords(EvidenceRecord)
        )
        self.review_forges = {forge: MemoryReviewForge(forge) for forge in ForgeName}
        self.reviews = ReviewPorts(
            clock=self.clock,
            audit=self.audit,
            artifacts=self.artifacts,
            pseudonyms=self.ports.pseudonyms,
            links=self.links,
            projects=self.ports.projects,
            connections=self.ports.connections,
            reviews=MemoryRecords(ReviewRecord),
            heads=MemoryRecords(SeenHead),
            spoken=MemoryRecords(Spoken),
            policies=MemoryRecords(KeptPolicy),
            simulations=MemoryRecords(SimulationRecord),
            health=MemoryRecords(AgentHealth),
            evidence=self.evidence,
            connect=lambda _: self.review_forges,
        )
        self.keeper = Keeper(
            clock=self.clock,
            audit=self.audit,
            artifacts=self.artifacts,
            deliveries=self.deliveries,
            queue=self.queue,
        )

    def services(self, **settings: Any) -> Services:
        """The services of a process, over these fakes."""
        given: dict[str, Any] = {
            "github_webhook_secrets": (SecretStr("github-secret-one"),),
            "azure_devops_webhook_secrets": (SecretStr("azure-secret-one!"),),
            "signing_key": SecretStr(KEY.decode()),
        }

        def convert(code: str, api_url: str) -> Registration:
            if code not in self.codes:
                raise RefusedError(f"GitHub does not know the code {code}", "Begin again.")
            return self.codes.pop(code)

        return Services(
            settings=Settings.model_construct(**{**_defaults(), **given, **settings}),
            clock=self.clock,
            audit=self.audit,
            artifacts=self.artifacts,
            secrets=self.secrets,
            links=self.links,
            keeper=self.keeper,
            project_ports=self.ports,
            update_ports=self.updates,
            planning_ports=self.planning,
            stale_ports=self.stale,
            portfolio_ports=self.portfolios,
            evidence_ports=self.evidence,
            review_ports=self.reviews,
            review_room=self.review_room,
            agent_ports=lambda: AgentPorts(model=None, artifacts=self.artifacts, clock=self.clock),
            convert_manifest=convert,
            tell_app_secret=self._tell_app_secret,
        )

    def review_room(self) -> Room:
        """What reviews are carried out with: real gates, no scanner, and agents as a test says."""
        return Room(
            ports=self.reviews,
            looking=Looking(
                analyse=lambda connection, project, change: (),
                scanners=lambda ahead: nullcontext(lambda change, files, reports: ()),
                choose=lambda evidence: self.heard,
            ),
            hear=self.hear,
            moved=lambda run, reviewed, merged: (),
            offers=OfferPorts(forge=lambda connection, name: self.offering[name], cases=lambda _: self.cases),
        )

    def _tell_app_secret(self, app: Registration, api_url: str) -> None:
        if self.github_is_deaf:
            raise TransientError("GitHub answers 503")
        self.told.append((app.id, api_url))

    def connect_to(self, connection: Connection | None = None) -> Connection:
        """Store a connection."""
        connection = connection or a_connection()
        self.ports.connections.put(CONNECTIONS, connection.id, connection)
        return connection

    def run_for(self, issue: IssueSnapshot, run: int = 1, connection: str = "acme") -> RunInput:
        """The run that a delivery of ``issue`` starts."""
        subject = f"github-issue-{issue.id}"
        return RunInput(
            instance=f"{subject}.{run}",
            subject=subject,
            run=run,
            connection=connection,
            origin=RequestOrigin(
                subject=subject,
                requester=issue.author,
                repository=str(issue.ref),
                issue=issue.number,
                url=issue.url,
            ),
            content_digest=content_digest(issue),
            form=self.artifacts.put(issue.body.encode(), "text/markdown"),
        )

    def api_run(self, request: ProjectRequest, run: int = 1, requester: str = "api") -> RunInput:
        """The run that a call to the API starts."""
        subject = f"api-{request.project_id}"
        return RunInput(
            instance=f"{subject}.{run}",
            subject=subject,
            run=run,
            connection="acme",
            origin=RequestOrigin(subject=subject, requester=requester),
            content_digest="0" * 64,
            request=request,
        )

    def tags(self, project: str) -> list[AuditTag]:
        """What stands in a log, in order."""
        return [event.tag for event in self.events(project)]

    def events(self, project: str) -> list[AuditEvent]:
        """The events of a log, in order."""
        return list(self.audit.events(project, 0, 1000))

    def _connect(self, connection: Connection) -> ConnectedForges:
        if connection.id in self.unreachable:
            raise self.unreachable[connection.id]
        if connection.azure_devops is None:
            return ConnectedForges(
                forges={ForgeName.GITHUB: self.github}, issues=self.github, tracker=None, settings=self.github
            )
        return ConnectedForges(
            forges={ForgeName.GITHUB: self.github, ForgeName.AZURE_DEVOPS: self.azure},
            issues=self.github,
            tracker=self.azure,
            settings=self.github,
        )


def _defaults() -> dict[str, Any]:
    return {name: info.get_default() for name, info in Settings.model_fields.items()}
