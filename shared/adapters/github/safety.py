"""What GitHub does by itself to keep a repository safe: read, and switched on where the plan offers it."""

from __future__ import annotations

from collections.abc import Mapping

from shared.adapters.github.client import GitHubClient
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.domain.forge import RepositoryRef, SecurityFeature
from shared.errors import RefusedError


class SafetyCalls:
    """The security part of ``GitHubForge``."""

    _client: GitHubClient

    def security(self, ref: RepositoryRef) -> Mapping[SecurityFeature, bool]:
        """Each feature the plan offers, on or off; what it does not offer is left out.

        Raises ``RefusedError`` when the credential may not see it: only administrators do.
        """
        shown = self._client.request("GET", repository_path(ref))[1].get("security_and_analysis")
        if shown is None:
            raise RefusedError(
                f"GitHub does not show the security settings of {ref}",
                "Grant the App administration=write, or use a token of somebody who administers the repository",
            )
        found = {SecurityFeature.VULNERABILITY_ALERTS: self._alerts(ref)}
        for feature in (SecurityFeature.SECRET_SCANNING, SecurityFeature.PUSH_PROTECTION):
            if feature in shown:
                found[feature] = (shown[feature] or {}).get("status") == "enabled"
        return found

    def enable_security(self, ref: RepositoryRef, feature: SecurityFeature) -> None:
        """Switch ``feature`` on. Raises ``NotSupportedError`` where the plan does not offer it."""
        if feature is SecurityFeature.VULNERABILITY_ALERTS:
            self._client.request("PUT", repository_path(ref) + "/vulnerability-alerts")
            return
        wanted = {"security_and_analysis": {feature.value: {"status": "enabled"}}}
        self._client.request("PATCH", repository_path(ref), wanted)

    def disable_security(self, ref: RepositoryRef, feature: SecurityFeature) -> None:
        """Switch ``feature`` off; without effect when it is off, or the plan does not offer it."""
        if feature is SecurityFeature.VULNERABILITY_ALERTS:
            self._client.request("DELETE", repository_path(ref) + "/vulnerability-alerts")
            return
        wanted = {"security_and_analysis": {feature.value: {"status": "disabled"}}}
        self._client.request("PATCH", repository_path(ref), wanted)

    def _alerts(self, ref: RepositoryRef) -> bool:
        # GitHub answers 204 for on and 404 for off; the repository itself was just read, so 404 is no absence.
        try:
            self._client.request("GET", repository_path(ref) + "/vulnerability-alerts")
        except NotFoundError:
            return False
        return True
