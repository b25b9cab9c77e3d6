"""GitHub as Doneright sees it: one object for code hosting and issues, safe to share between threads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import Field

from shared.adapters.ahead import Ahead
from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.credentials import GitHubCredentials
from shared.adapters.github.environments import EnvironmentCalls
from shared.adapters.github.hooks import HookCalls
from shared.adapters.github.issues import IssueCalls
from shared.adapters.github.labels import LabelCalls
from shared.adapters.github.permissions import PermissionCalls
from shared.adapters.github.pull_requests import PullRequestCalls
from shared.adapters.github.required_statuses import RequiredStatusCalls
from shared.adapters.github.reviews import ReviewCalls
from shared.adapters.github.safety import SafetyCalls
from shared.adapters.github.survey import SurveyCalls
from shared.adapters.pacing.pace import Pace
from shared.domain.forge import Frozen, RepositoryRef
from shared.ports import Clock


class Installation(Frozen):
    """A GitHub App's installation in one account."""

    id: int
    account: str
    account_type: str = Field(description="Organization or User.")
    permissions: Mapping[str, str]
    events: tuple[str, ...]
    all_repositories: bool
    suspended_at: datetime | None = None


class GitHubForge(
    ReviewCalls,
    PullRequestCalls,
    RequiredStatusCalls,
    HookCalls,
    IssueCalls,
    LabelCalls,
    SafetyCalls,
    EnvironmentCalls,
    SurveyCalls,
    PermissionCalls,
):
    """Implements ``Forge``, ``IssueTracker``, ``RepositorySettings`` and ``ReviewForge`` over PyGithub.

    Every method raises ``TransientError`` (with the wait GitHub asks for), ``RefusedError`` (with the remedy) or
    ``NotSupportedError``; nothing is retried in here.
    """

    def __init__(
        self,
        credentials: GitHubCredentials,
        *,
        clock: Clock,
        base_url: str = "https://api.github.com",
        web_url: str = "https://github.com",
        organization: str | None = None,
        webhook_url: str | None = None,
        timeout: int = 20,
        pace: Pace | None = None,
    ) -> None:
        """Nothing is sent before the first call.

        Args:
            credentials: a personal access token or an App's installation.
            clock: the time of day.
            base_url: the API's root.
            web_url: where people open pages.
            organization: the account Doneright works in; lets permissions of fine-grained tokens be probed.
            webhook_url: our own address; failed deliveries to other addresses are then nobody's business of ours.
            timeout: seconds to wait for an answer to begin, and between its parts.
            pace: how fast this identity may ask; without one, the limits are kept for this object alone.
        """
        self._client = GitHubClient(credentials, base_url=base_url, clock=clock, timeout=timeout, pace=pace)
        self._web_url = web_url.rstrip("/")
        self._organization = organization
        self._webhook_url = webhook_url
        # Files are of a head for ever; alerts are of the moment.
        self._files_ahead = Ahead(self._client.now, timedelta(minutes=5))
        self._alerts_ahead = Ahead(self._client.now, timedelta(seconds=10))

    def page(self, ref: RepositoryRef) -> str:
        """The page of a repository that a person opens."""
        return self._web_url + path("/{}/{}", ref.owner, ref.name)

    def installation(self) -> Installation:
        """The App's installation. Raises ``RefusedError`` for a personal access token, or when it is not installed."""
        url = path("/app/installations/{}", self._client.installation_id())
        data = self._client.request("GET", url, as_app=True)[1]
        return Installation(
            id=data["id"],
            account=data["account"]["login"],
            account_type=data["account"]["type"],
            permissions=data["permissions"],
            events=tuple(data["events"]),
            all_repositories=data["repository_selection"] == "all",
            suspended_at=data.get("suspended_at"),
        )
