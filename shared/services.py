"""The only place that chooses adapters: settings in, the use cases' ports out, each made once and on first use."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NoReturn, cast

from pydantic import BaseModel, SecretStr

from shared.adapters import looks
from shared.adapters.clock import SystemClock
from shared.adapters.key_vault import KeyVaultSecrets, SettingsSecrets
from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.artifacts import BlobArtifactStore
from shared.adapters.storage.audit_log import TableAuditLog
from shared.adapters.storage.queue import StorageQueue
from shared.adapters.storage.records import TableRecords
from shared.agents.health import AgentHealth
from shared.audit.people import Pseudonyms
from shared.connections.manifest import Registration
from shared.domain.activity import Listed
from shared.domain.change import Change, Scan
from shared.domain.connection import (
    AzureDevOpsConnection,
    Connection,
    EntraCredential,
    GitHubAppCredential,
    GitHubConnection,
    TokenCredential,
)
from shared.domain.delivery import DeliveryRecord, RequestRecord
from shared.domain.evidence import EvidenceRecord
from shared.domain.forge import ForgeName
from shared.domain.issue_category import KeptCategory
from shared.domain.plan import StepProgress
from shared.domain.policy import KeptPolicy
from shared.domain.portfolio import Entry, PortfolioRecord, PreviewedProject, PreviewRun, SeededEpic
from shared.domain.review import ReviewRecord, SeenHead, Spoken
from shared.domain.run import ProjectRecord
from shared.domain.scaffold_update import Standing, UpdateOutcome, UpdateRun
from shared.domain.simulation import SimulationRecord
from shared.errors import DefectError, RefusedError
from shared.evidence.ports import EvidencePorts
from shared.intake.keeping import Keeper
from shared.planning.ports import PlanningPorts
from shared.ports import ArtifactStore, AuditLog, Clock, Forge, IssueTracker, SecretStore, WorkTracker
from shared.projects.ledger import Intent
from shared.projects.links import Links
from shared.projects.portfolio.ports import EpicForges, EpicIssues, PortfolioPorts, WorkItemLinks
from shared.projects.ports import ConnectedForges, ProjectPorts
from shared.projects.stale.ports import StalePorts
from shared.projects.updates.ports import UpdatePorts
from shared.reviews.ports import ReviewForge, ReviewPorts
from shared.settings import Settings, settings

if TYPE_CHECKING:
    from shared.adapters.azure_devops.credentials import EntraIdentity
    from shared.adapters.azure_devops.credentials import PersonalAccessToken as AzurePersonalAccessToken
    from shared.adapters.github.forge import GitHubForge
    from shared.adapters.pacing import Pacing
    from shared.agents.offering import OfferingForge
    from shared.agents.ports import AgentPorts, Model, TestCases
    from shared.evidence.scanning.ports import Advisories
    from shared.reviews.running import Room

DELIVERIES_QUEUE = "deliveries"


@dataclass(frozen=True)
class Services:
    """What the triggers and activities use."""

    settings: Settings
    clock: Clock
    audit: AuditLog
    artifacts: ArtifactStore
    secrets: SecretStore
    links: Links
    keeper: Keeper
    project_ports: ProjectPorts
    update_ports: UpdatePorts
    stale_ports: StalePorts
    planning_ports: PlanningPorts
    portfolio_ports: PortfolioPorts
    evidence_ports: EvidencePorts
    review_ports: ReviewPorts
    review_room: Callable[[], Room]
    agent_ports: Callable[[], AgentPorts]
    """What agents work with as it is now: without the model where the one that settings name cannot be asked."""
    convert_manifest: Callable[[str, str], Registration]
    tell_app_secret: Callable[[Registration, str], None]


def compose(configured: Settings, environ: Mapping[str, str]) -> Services:
    """Services as the settings say. Raises ``RefusedError`` when a setting that everything needs is missing."""
    if configured.signing_key is None:
        raise RefusedError("DONERIGHT_SIGNING_KEY is not set", "Set it to 32 or more random characters.")
    key = configured.signing_key.get_secret_value().encode()
    account = StorageAccount.from_settings(environ)
    clock = SystemClock()
    audit = TableAuditLog(account, clock)
    artifacts = BlobArtifactStore(account)
    secrets: SecretStore = (
        KeyVaultSecrets(configured.key_vault_url)
        if configured.key_vault_url
        else SettingsSecrets(environ, configured.local_secrets_file)
    )

    def records[M: BaseModel](table: str, model: type[M]) -> TableRecords[M]:
        return TableRecords(account, table, model)

    links = Links(configured.public_url, key)
    keeper = Keeper(
        clock=clock,
        audit=audit,
        artifacts=artifacts,
        deliveries=records("deliveries", DeliveryRecord),
        queue=StorageQueue(account, DELIVERIES_QUEUE),
    )
    pacing = _pacing(configured, clock)
    connector = Connector(clock, secrets, links, pacing)
    project_ports = ProjectPorts(
        clock=clock,
        audit=audit,
        artifacts=artifacts,
        pseudonyms=Pseudonyms(key),
        links=links,
        projects=records("projects", ProjectRecord),
        requests=records("requests", RequestRecord),
        progress=records("steps", StepProgress),
        intents=records("intents", Intent),
        connections=records("connections", Connection),
        connect=connector.connect,
        hook_secret=lambda forge: hook_secret(configured, forge),
        together=looks.together,
        request_label=configured.request_label,
    )
    evidence_ports = EvidencePorts(
        clock=clock, audit=audit, artifacts=artifacts, records=records("evidence", EvidenceRecord)
    )
    review_ports = ReviewPorts(
        clock=clock,
        audit=audit,
        artifacts=artifacts,
        pseudonyms=project_ports.pseudonyms,
        links=links,
        projects=project_ports.projects,
        connections=project_ports.connections,
        reviews=records("reviews", ReviewRecord),
        heads=records("reviewheads", SeenHead),
        spoken=records("reviewwords", Spoken),
        policies=records("policies", KeptPolicy),
        simulations=records("simulations", SimulationRecord),
        health=records("agenthealth", AgentHealth),
        evidence=evidence_ports,
        connect=connector.review,
        belongs=connector.belongs,
    )
    agent_ports = _agent_ports(review_ports, configured, secrets)
    return Services(
        settings=configured,
        clock=clock,
        audit=audit,
        artifacts=artifacts,
        secrets=secrets,
        links=links,
        keeper=keeper,
        project_ports=project_ports,
        planning_ports=PlanningPorts(projects=project_ports, categories=records("issuecategories", KeptCategory)),
        update_ports=UpdatePorts(
            projects=project_ports,
            standings=records("scaffoldstandings", Standing),
            outcomes=records("scaffoldoutcomes", UpdateOutcome),
            runs=records("scaffoldruns", UpdateRun),
        ),
        evidence_ports=evidence_ports,
        review_ports=review_ports,
        review_room=cache(lambda: review_room(review_ports, connector.connect, configured, secrets, agent_ports)),
        agent_ports=agent_ports,
        portfolio_ports=PortfolioPorts(
            projects=project_ports,
            portfolios=records("portfolios", PortfolioRecord),
            entries=records("portfolioentries", Entry),
            epics=records("portfolioepics", SeededEpic),
            previews=records("portfoliopreviews", PreviewRun),
            previewed=records("portfoliopreviewed", PreviewedProject),
            reach=connector.reach,
        ),
        stale_ports=StalePorts(projects=project_ports, listings=records("listings", Listed)),
        convert_manifest=lambda code, api_url: _convert_manifest(code, api_url, clock, pacing()),
        tell_app_secret=lambda app, api_url: _tell_app_secret(
            app, api_url, hook_secret(configured, ForgeName.GITHUB), clock, pacing()
        ),
    )


def _pacing(configured: Settings, clock: Clock) -> Callable[[], Pacing]:
    """This process's budgets and circuits, made when a forge is first asked."""

    @cache
    def made() -> Pacing:
        from shared.adapters.pacing import Pacing

        return Pacing(
            clock,
            share=configured.forge_budget_share,
            failures=configured.breaker_failures,
            pause=configured.breaker_pause_seconds,
        )

    return made


def _convert_manifest(code: str, api_url: str, clock: Clock, pacing: Pacing) -> Registration:
    from shared.adapters.github.manifest import convert_manifest

    return convert_manifest(code, api_url, clock=clock, pacing=pacing)


def _tell_app_secret(app: Registration, api_url: str, secret: str, clock: Clock, pacing: Pacing) -> None:
    from shared.adapters.github.manifest import tell_webhook_secret

    tell_webhook_secret(app.id, app.pem, secret, api_url, clock=clock, pacing=pacing)


def hook_secret(configured: Settings, forge: ForgeName) -> str:
    """The newest secret the forge is told. Raises ``RefusedError`` when none is set."""
    secrets = (
        configured.github_webhook_secrets if forge is ForgeName.GITHUB else configured.azure_devops_webhook_secrets
    )
    if not secrets:
        name = f"DONERIGHT_{forge.upper()}_WEBHOOK_SECRETS"
        raise RefusedError(f"{name} is not set", f"Set {name}; without it no webhook would be believed.")
    return secrets[0].get_secret_value()


class _NotConnected:
    """Stands for GitHub until the connection has a credential, so that the other forge can be checked before."""

    def __getattr__(self, call: str) -> NoReturn:
        raise RefusedError(
            "the connection has no GitHub credential yet", "Finish the GitHub App set-up, or give it a token."
        )


class Connector:
    """Makes the forges of a connection, and keeps them while the connection and its secrets stay the same."""

    def __init__(
        self, clock: Clock, secrets: SecretStore, links: Links, pacing: Callable[[], Pacing] | None = None
    ) -> None:
        """``pacing`` makes the budgets and circuits that all connections share; without it, documented defaults hold."""
        self._clock = clock
        self._secrets = secrets
        self._links = links
        self._pacing = pacing or _pacing(Settings.model_construct(), clock)
        self._made: dict[str, tuple[object, ConnectedForges]] = {}
        self._lock = threading.Lock()

    def connect(self, connection: Connection) -> ConnectedForges:
        """The forges of ``connection``, for a use case that begins. Raises ``RefusedError`` when a credential is missing."""
        looks.begin()
        github, azure = connection.github, connection.azure_devops
        token = self._token(github.credential)
        identity = (github, token, azure, self._token(azure.credential) if azure else "")
        with self._lock:
            made = self._made.get(connection.id)
            if made is None or made[0] != identity:
                made = (identity, self._forges(github, azure))
                self._made[connection.id] = made
            return made[1]

    def reach(self, connection: Connection) -> EpicForges:
        """How epics reach beyond a project's boards. Raises ``RefusedError`` when a credential is missing."""
        connected = self.connect(connection)
        return EpicForges(
            links=cast("WorkItemLinks | None", connected.tracker), issues=cast("EpicIssues", connected.issues)
        )

    def review(self, connection: Connection) -> Mapping[ForgeName, ReviewForge]:
        """The forges as reviews use them. Raises ``RefusedError`` when a credential is missing."""
        return cast("Mapping[ForgeName, ReviewForge]", self.connect(connection).forges)

    def belongs(self, connection: Connection, team: str, login: str) -> bool:
        """Whether ``login`` is in ``team``, ``organisation/team`` on GitHub."""
        organization, _, name = team.partition("/")
        return self.connect(connection).issues.is_team_member(organization, name, login)

    def _forges(self, github: GitHubConnection, azure: AzureDevOpsConnection | None) -> ConnectedForges:
        on_github = self._github(github) if github.credential else cast("GitHubForge", _NotConnected())
        forges: dict[ForgeName, Forge] = {ForgeName.GITHUB: on_github}
        tracker: WorkTracker | None = None
        if azure:
            from shared.adapters.azure_devops.forge import AzureDevOpsForge
            from shared.adapters.azure_devops.limits import pace_of

            # By the secret's name, not its value: a rotated credential is the same identity to the forge.
            pace = pace_of(self._pacing(), azure.organization_url, *_identity(azure.credential))
            credentials = self._azure_credentials(azure)
            on_azure = AzureDevOpsForge(azure.organization_url, credentials, clock=self._clock, pace=pace)
            forges[ForgeName.AZURE_DEVOPS] = on_azure
            tracker = on_azure
        issues: IssueTracker = on_github
        return ConnectedForges(forges=forges, issues=issues, tracker=tracker, settings=on_github)

    def _github(self, github: GitHubConnection) -> GitHubForge:
        from shared.adapters.github.credentials import AppInstallation, PersonalAccessToken
        from shared.adapters.github.forge import GitHubForge
        from shared.adapters.github.limits import pace_of

        match github.credential:
            case GitHubAppCredential(app_id=app_id, private_key_secret=name):
                credentials: AppInstallation | PersonalAccessToken = AppInstallation(
                    app_id=app_id, private_key=SecretStr(self._secrets.get(name)), organization=github.organization
                )
            case TokenCredential(token_secret=name):
                credentials = PersonalAccessToken(token=SecretStr(self._secrets.get(name)))
            case _:
                raise DefectError("a forge without a credential was asked for")
        return GitHubForge(
            credentials,
            clock=self._clock,
            base_url=github.api_url,
            web_url=github.web_url,
            organization=github.organization,
            webhook_url=self._links.api("webhooks/github"),
            pace=pace_of(self._pacing(), github.api_url, *_identity(github.credential, github.organization)),
        )

    def _azure_credentials(self, azure: AzureDevOpsConnection) -> EntraIdentity | AzurePersonalAccessToken:
        from shared.adapters.azure_devops.credentials import EntraIdentity
        from shared.adapters.azure_devops.credentials import PersonalAccessToken as AzurePersonalAccessToken

        match azure.credential:
            case EntraCredential(client_id=client_id):
                return EntraIdentity(client_id=client_id)
            case TokenCredential(token_secret=name):
                return AzurePersonalAccessToken(token=SecretStr(self._secrets.get(name)))

    def _token(self, credential: GitHubAppCredential | TokenCredential | EntraCredential | None) -> str:
        match credential:
            case TokenCredential(token_secret=name) | GitHubAppCredential(private_key_secret=name):
                return self._secrets.get(name)
            case _:
                return ""


def _advisories(configured: Settings) -> Advisories | None:
    if not configured.osv_url:
        return None
    from shared.adapters.osv import Osv

    return Osv(configured.osv_url)


def _analyse(
    ports: EvidencePorts, secrets: SecretStore, connection: Connection, project: str, change: Change
) -> tuple[Scan, ...]:
    named = connection.sonarqube
    if named is None:
        return ()
    from shared.adapters.sonarqube import connected
    from shared.evidence.analysing import take

    return take(ports, lambda: connected(named, secrets), named, project, change)


def _model(configured: Settings, secrets: SecretStore) -> Model | None:
    if not configured.model_url:
        return None
    from shared.adapters.model import OpenAIModel

    if not configured.model_name:
        raise RefusedError(
            "DONERIGHT_MODEL_URL is set, and DONERIGHT_MODEL_NAME is not",
            "Name the model, or on Azure OpenAI its deployment.",
        )
    key = SecretStr(secrets.get(configured.model_key_secret)) if configured.model_key_secret else None
    return OpenAIModel(
        configured.model_url,
        configured.model_name,
        key=key,
        budget=configured.model_budget_tokens,
        timeout=configured.model_timeout_seconds,
    )


def _agent_ports(ports: ReviewPorts, configured: Settings, secrets: SecretStore) -> Callable[[], AgentPorts]:
    kept = cache(lambda: _model(configured, secrets))

    def made() -> AgentPorts:
        from shared.agents.ports import AgentPorts

        try:
            # A refusal is not kept: whoever puts the secret where it belongs need not begin this process anew.
            model, missing = kept(), ""
        except RefusedError as error:
            model, missing = None, f"the model is not asked: {error.reason}. {error.remedy}".strip()
        return AgentPorts(model=model, artifacts=ports.artifacts, clock=ports.clock, missing=missing)

    return made


def review_room(
    ports: ReviewPorts,
    connect: Callable[[Connection], ConnectedForges],
    configured: Settings,
    secrets: SecretStore,
    agents: Callable[[], AgentPorts],
) -> Room:
    """What reviews are carried out with; scanners, gates and agents are loaded by whoever judges first."""
    from shared.agents.hearing import hear
    from shared.agents.routing import chosen
    from shared.evidence.scanning import ScanPorts, scanners
    from shared.reviews.collecting import Looking
    from shared.reviews.offers import OfferPorts
    from shared.reviews.running import Room
    from shared.reviews.tickets import MovePorts, move_tickets

    key = configured.signing_key.get_secret_value().encode() if configured.signing_key else b""
    looked_with = ScanPorts(key=key, advisories=_advisories(configured))
    moving = MovePorts(reviews=ports, forges=connect)
    return Room(
        ports=ports,
        looking=Looking(
            analyse=lambda connection, project, change: _analyse(ports.evidence, secrets, connection, project, change),
            scanners=lambda ahead: scanners(looked_with, ahead=ahead),
            choose=chosen,
        ),
        hear=lambda agent, evidence: hear(agent, evidence, agents()),
        moved=lambda run, reviewed, merged: move_tickets(moving, run, reviewed, merged),
        offers=OfferPorts(
            forge=lambda connection, name: cast("OfferingForge", connect(connection).forges[name]),
            cases=lambda connection: _test_cases(connect(connection)),
        ),
    )


def _test_cases(connected: ConnectedForges) -> TestCases | None:
    from shared.adapters.azure_devops.forge import AzureDevOpsForge

    forge = connected.forges.get(ForgeName.AZURE_DEVOPS)
    return forge.test_cases() if isinstance(forge, AzureDevOpsForge) else None


def _identity(
    credential: GitHubAppCredential | TokenCredential | EntraCredential, organization: str = ""
) -> tuple[str, ...]:
    """Who calls, as a forge counts calls: an installation, or a user wherever he works. Free of secrets."""
    match credential:
        case GitHubAppCredential(app_id=app_id):
            return "app", str(app_id), organization.lower()
        case TokenCredential(token_secret=name):
            return "token", name
        case EntraCredential(client_id=client_id):
            return "entra", client_id


@cache
def services() -> Services:
    """The services of this process, made on first use."""
    return compose(settings(), os.environ)
