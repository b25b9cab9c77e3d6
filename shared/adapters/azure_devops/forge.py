"""Azure DevOps as Doneright sees it: one object for code hosting and boards, safe to share between threads."""

from __future__ import annotations

from datetime import timedelta

from shared.adapters.ahead import Ahead
from shared.adapters.azure_devops.classification import ClassificationCalls
from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.credentials import AzureDevOpsCredentials, TokenProvider
from shared.adapters.azure_devops.environments import EnvironmentCalls
from shared.adapters.azure_devops.hooks import HookCalls
from shared.adapters.azure_devops.identities import IdentityCalls
from shared.adapters.azure_devops.notifications import NotificationCalls
from shared.adapters.azure_devops.permissions import PermissionCalls
from shared.adapters.azure_devops.pipeline_permissions import PipelinePermissionCalls
from shared.adapters.azure_devops.processes import ProcessCalls
from shared.adapters.azure_devops.pull_requests import PullRequestCalls
from shared.adapters.azure_devops.relations import RelationCalls
from shared.adapters.azure_devops.required_statuses import RequiredStatusCalls
from shared.adapters.azure_devops.reviews import ReviewCalls
from shared.adapters.azure_devops.survey import SurveyCalls
from shared.adapters.azure_devops.teams import TeamCalls
from shared.adapters.azure_devops.test_cases import PlansMirror
from shared.adapters.azure_devops.variable_groups import VariableGroupCalls
from shared.adapters.azure_devops.wiki import WikiCalls
from shared.adapters.pacing.pace import Pace
from shared.ports import Clock


class AzureDevOpsForge(
    ReviewCalls,
    PullRequestCalls,
    RequiredStatusCalls,
    HookCalls,
    RelationCalls,
    ClassificationCalls,
    ProcessCalls,
    SurveyCalls,
    EnvironmentCalls,
    PipelinePermissionCalls,
    IdentityCalls,
    TeamCalls,
    VariableGroupCalls,
    NotificationCalls,
    WikiCalls,
    PermissionCalls,
):
    """Implements ``Forge``, ``WorkTracker`` and ``ReviewForge`` over the ``azure-devops`` package; ``RepositoryRef.owner`` is the project.

    Every method raises ``TransientError`` (with the wait the service asks for), ``ConflictError``, ``RefusedError``
    (with the remedy) or ``NotSupportedError``; nothing is retried in here.
    """

    def __init__(
        self,
        organization_url: str,
        credentials: AzureDevOpsCredentials,
        *,
        clock: Clock,
        timeout: int = 30,
        token_provider: TokenProvider | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Nothing is sent before the first call.

        Args:
            organization_url: ``https://dev.azure.com/<organization>``.
            credentials: a personal access token or an Entra identity.
            clock: the time of day.
            timeout: seconds to wait for an answer to begin, and between its parts.
            token_provider: instead of azure-identity, for an ``EntraIdentity``.
            pace: how fast this identity may ask; without one, the limits are kept for this object alone.
        """
        self._client = AzureDevOpsClient(
            organization_url, credentials, clock=clock, timeout=timeout, token_provider=token_provider, pace=pace
        )
        self._files_ahead = Ahead(self._client.now, timedelta(minutes=5))

    def test_cases(self) -> PlansMirror:
        """Azure Test Plans, asked as the same identity at the same pace."""
        return PlansMirror(self._client)
