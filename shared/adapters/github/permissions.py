"""Tells which of the permissions Doneright needs on GitHub are there, in few calls and without changing anything.

An App's installation token says what it may do; a classic token's answer lists its scopes. A fine-grained token says
neither, so it is probed: by reads, and by writes with an empty body, which GitHub refuses as unprocessable (422) to
those who may write and as forbidden (403, 404) to those who may not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.credentials import AppInstallation
from shared.adapters.github.errors import AlreadyThereError, UnprocessableError
from shared.domain.forge import PermissionFinding, RepositoryRef
from shared.errors import NotSupportedError, RefusedError

_LEVELS = {"read": 1, "write": 2, "admin": 3}


class _Need(NamedTuple):
    name: str
    level: str
    needed_for: str
    scopes: frozenset[str]
    """Classic scopes of which any one will do; none: no classic token can."""


_NEEDS = (
    _Need("metadata", "read", "finding repositories", frozenset({"repo"})),
    _Need("administration", "write", "creating, setting up, protecting and deleting repositories", frozenset({"repo"})),
    _Need("actions", "read", "reading environments", frozenset({"repo"})),
    _Need("contents", "write", "writing the first commit", frozenset({"repo"})),
    _Need("workflows", "write", "writing files under .github/workflows", frozenset({"workflow"})),
    _Need("issues", "write", "reading requests, answering them, and making labels", frozenset({"repo"})),
    _Need("pull_requests", "write", "reviewing changes", frozenset({"repo"})),
    _Need("repository_hooks", "write", "hearing of events", frozenset({"repo", "admin:repo_hook", "write:repo_hook"})),
    _Need("members", "read", "knowing who belongs to a team", frozenset({"read:org", "write:org", "admin:org"})),
    _Need("checks", "write", "reporting reviews as check runs", frozenset()),
    _Need("statuses", "write", "reading what reports on a change, and reporting", frozenset({"repo", "repo:status"})),
    _Need("security_events", "write", "code scanning's alerts and findings", frozenset({"repo", "security_events"})),
    _Need("vulnerability_alerts", "read", "Dependabot's alerts", frozenset({"repo", "security_events"})),
    _Need("secret_scanning_alerts", "read", "alerts of secret scanning", frozenset({"repo", "security_events"})),
)

_DELETING = _Need("delete_repo", "", "taking back the repositories of a failed run", frozenset({"delete_repo"}))
"""To classic tokens alone, deleting is a scope of its own; elsewhere administration covers it."""

# Projects are made without these. A review that lacks one says so; no token of a person can have checks.
_OPTIONAL = frozenset(
    {"checks", "statuses", "security_events", "vulnerability_alerts", "secret_scanning_alerts", _DELETING.name}
)


class PermissionCalls:
    """The permission part of ``GitHubForge``."""

    _client: GitHubClient
    _organization: str | None

    def permissions(self) -> tuple[PermissionFinding, ...]:
        """Each permission Doneright needs, present, missing or undetermined (``None``), with the remedy.

        Raises ``RefusedError`` when the credential itself is not accepted.
        """
        if isinstance(self._client.credentials, AppInstallation):
            granted = self._client.tokens.installation_token().permissions
            return tuple(_finding(need, _app_grants(need, granted), "App") for need in _NEEDS)
        headers, _ = self._client.request("GET", "/user")
        if "x-oauth-scopes" in headers:
            scopes = {scope.strip() for scope in headers["x-oauth-scopes"].split(",")}
            return tuple(_finding(need, bool(need.scopes & scopes), "classic") for need in (*_NEEDS, _DELETING))
        probes = self._probes()
        return tuple(
            _finding(need, False if need.name == "checks" else _outcome(probes.get(need.name)), "fine-grained")
            for need in _NEEDS
        )

    def _probes(self) -> dict[str, Callable[[], Any]]:
        """How to try each permission of a fine-grained token; those with no harmless way are left out."""
        client = self._client
        probes: dict[str, Callable[[], Any]] = {"metadata": lambda: client.request("GET", "/user/repos?per_page=1")}
        if self._organization:
            owner = self._organization
            probes["administration"] = lambda: client.request("POST", path("/orgs/{}/repos", owner), {})
            probes["members"] = lambda: client.request("GET", path("/orgs/{}/teams", owner))
        repository = self._some_repository()
        if repository is not None:
            base = path("/repos/{}/{}", repository.owner, repository.name)
            # Not the environments themselves: plans without them answer as if the permission were missing.
            probes["actions"] = lambda: client.request("GET", base + "/actions/workflows")
            # Alerts are not tried: off, never used and forbidden are answered alike.
            for name, where in (
                ("contents", "/git/refs"),
                ("statuses", "/statuses/" + "0" * 40),
                ("issues", "/issues"),
                ("pull_requests", "/pulls"),
                ("repository_hooks", "/hooks"),
            ):
                probes[name] = _posting_nothing(client, base + where)
        return probes

    def _some_repository(self) -> RepositoryRef | None:
        where = path("/orgs/{}/repos", self._organization) if self._organization else "/user/repos"
        try:
            found = self._client.get(where, per_page=1)
        except RefusedError:
            return None
        if not found:
            return None
        return RepositoryRef(owner=found[0]["owner"]["login"], name=found[0]["name"])


def _posting_nothing(client: GitHubClient, url: str) -> Callable[[], Any]:
    return lambda: client.request("POST", url, {})


def _outcome(probe: Callable[[], Any] | None) -> bool | None:
    if probe is None:
        return None
    try:
        probe()
    except (UnprocessableError, AlreadyThereError):
        return True
    except NotSupportedError:
        return None
    except RefusedError:
        return False
    return True


def _app_grants(need: _Need, granted: Any) -> bool:
    return _LEVELS.get(granted.get(need.name, ""), 0) >= _LEVELS[need.level]


def _finding(need: _Need, present: bool | None, kind: str) -> PermissionFinding:
    remedies = {
        "App": f"Give the App the permission {need.name}={need.level} and let an owner accept the change",
        "classic": (
            f"Give the token the scope {' or '.join(sorted(need.scopes))}"
            if need.scopes
            else "Connect GitHub through a GitHub App: no token of a person can do this"
        ),
        "fine-grained": f"Give the token the permission {need.name}={need.level}, for all repositories of the account",
    }
    if kind == "fine-grained" and need.name == "checks":
        kind = "classic"
    return PermissionFinding(
        permission=f"{need.name}={need.level}" if need.level else need.name,
        needed_for=need.needed_for,
        present=present,
        remedy="" if present else remedies[kind],
        optional=need.name in _OPTIONAL,
    )
