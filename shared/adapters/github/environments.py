"""Environments of a GitHub repository, and who must approve before anything is deployed to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.domain.forge import DeploymentEnvironment, RepositoryRef
from shared.errors import DonerightError, NotSupportedError, RefusedError


class EnvironmentCalls:
    """The environment part of ``GitHubForge``."""

    _client: GitHubClient

    def deployment_environments(self, ref: RepositoryRef) -> Sequence[DeploymentEnvironment]:
        """Every environment with the people who are asked.

        Raises ``NotSupportedError`` where the plan has no environments for private repositories.
        """
        try:
            return tuple(_shown(ref, data) for data in self._listed(ref))
        except NotFoundError as error:
            raise self._meaning(ref, error) from None

    def set_deployment_environment(self, ref: RepositoryRef, environment: DeploymentEnvironment) -> None:
        """Create or change the environment so that exactly its reviewers are asked; its other rules stay.

        Raises ``NotSupportedError`` where the plan has no environments, or none with reviewers, for private
        repositories, and ``RefusedError`` for a reviewer GitHub does not know.
        """
        url = repository_path(ref) + path("/environments/{}", environment.name)
        there = self._client.looks.lasting(("environments", str(ref).lower()), lambda: self._by_name(ref))
        name = environment.name.lower()
        current = there.get(name) or {}
        wanted = {
            "wait_timer": _rule(current, "wait_timer").get("wait_timer", 0),
            "prevent_self_review": _rule(current, "required_reviewers").get("prevent_self_review", False),
            "reviewers": [self._reviewer(name) for name in environment.reviewers] or None,
            "deployment_branch_policy": current.get("deployment_branch_policy"),
        }
        # Plans without these rules refuse the very words.
        body = {name: value for name, value in wanted.items() if value}
        try:
            there[name] = self._client.request("PUT", url, body)[1]
        except NotFoundError as error:
            raise self._meaning(ref, error) from None

    def delete_deployment_environment(self, ref: RepositoryRef, name: str) -> None:
        """Delete the environment with its rules and secrets; without effect when it is not there.

        Raises ``RefusedError`` when the credential may not: GitHub answers 404 to that too, so it is read again.
        """
        url = repository_path(ref) + path("/environments/{}", name)
        try:
            self._client.request("DELETE", url)
        except NotFoundError as error:
            if self._client.get(url) is not None:
                raise self._meaning(ref, error) from None

    def has_account(self, login: str) -> bool:
        """Whether GitHub has a person of that login."""
        account = self._account(path("/users/{}", login))
        return account is not None and account["type"] != "Organization"

    def _listed(self, ref: RepositoryRef) -> Iterator[Mapping[str, Any]]:
        return self._client.pages(repository_path(ref) + "/environments")

    def _by_name(self, ref: RepositoryRef) -> dict[str, Mapping[str, Any]]:
        try:
            return {data["name"].lower(): data for data in self._listed(ref)}
        except NotFoundError:
            return {}

    def _account(self, address: str) -> Mapping[str, Any] | None:
        """A person or team."""
        found: Mapping[str, Any] | None = self._client.looks.lasting(address, lambda: self._client.get(address))
        return found

    def _reviewer(self, name: str) -> dict[str, Any]:
        organization, slash, team = name.partition("/")
        address = path("/orgs/{}/teams/{}", organization, team) if slash else path("/users/{}", name)
        found = self._account(address)
        if found is None:
            raise RefusedError(
                f"GitHub has no {'team' if slash else 'account'} {name}",
                "Name approvers by their GitHub login, or as organisation/team",
            )
        return {"type": "Team" if slash else "User", "id": int(found["id"])}

    def _meaning(self, ref: RepositoryRef, error: NotFoundError) -> DonerightError:
        """GitHub hides environments (404) from plans that lack them and from credentials that may not see them."""
        repository = self._client.get(repository_path(ref))
        if repository and repository["private"] and repository.get("permissions", {}).get("admin"):
            return NotSupportedError(
                f"GitHub's plan offers no environments on the private repository {ref}",
                "Upgrade the plan of the account, make the repository public, or do without",
            )
        return RefusedError(
            error.reason, "Grant the App administration=write and actions=read, or the classic token the scope repo"
        )


def _rule(environment: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    rules: Sequence[Mapping[str, Any]] = environment.get("protection_rules") or ()
    return next((rule for rule in rules if rule["type"] == kind), {})


def _shown(ref: RepositoryRef, data: Mapping[str, Any]) -> DeploymentEnvironment:
    reviewers = _rule(data, "required_reviewers").get("reviewers") or ()
    return DeploymentEnvironment(
        name=data["name"],
        reviewers=tuple(sorted(_name(ref, reviewer["reviewer"]) for reviewer in reviewers)),
        url=data.get("html_url") or "",
    )


def _name(ref: RepositoryRef, reviewer: Mapping[str, Any]) -> str:
    # Only a team of the repository's own organisation can be asked.
    return str(reviewer.get("login") or f"{ref.owner}/{reviewer.get('slug')}")
