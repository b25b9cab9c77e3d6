"""Statuses without which no pull request on Azure Repos is completed, each by a policy on exactly one branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.adapters.azure_devops.protection import PolicyType, ProtectionCalls
from shared.adapters.azure_devops.reviews.asking import AskingCalls
from shared.domain.forge import RepositoryRef


class RequiredStatusCalls(ProtectionCalls, AskingCalls):
    """The part of ``AzureDevOpsForge`` that requires statuses."""

    def required_statuses(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        """``genre/name`` of each status with a policy on exactly this branch, and whether it blocks as it should.

        It should where it is enforced, asks for the status anew with each push, and takes it from nobody but us.
        """
        repository_id = self._repository_id(ref)
        policies = self._policies(ref, repository_id, branch)[PolicyType.STATUS] if repository_id else []
        own = self.own_identity().id if policies else ""
        required: dict[str, bool] = {}
        for policy in policies:
            name = _name(policy.settings)
            right = (
                bool(policy.is_enabled and policy.is_blocking)
                and bool(policy.settings.get("invalidateOnSourceUpdate"))
                and str(policy.settings.get("authorId") or "").lower() == own
            )
            required[name] = required.get(name, False) or right
        return required

    def require_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        """Require the status ``genre/name`` of us, for the newest push, by a policy updated in place or made once.

        Raises ``RefusedError`` when the repository is not there, or the identity may not edit policies.
        """
        repository_id = self._required_id(ref)
        there = self._policies(ref, repository_id, branch)[PolicyType.STATUS]
        settings: dict[str, Any] = {
            "statusGenre": genre,
            "statusName": name,
            # Without it, whoever may post a status could pass the review.
            "authorId": self.own_identity().id,
            "invalidateOnSourceUpdate": True,
            "policyApplicability": None,
            "scope": [{"repositoryId": repository_id, "refName": f"refs/heads/{branch}", "matchKind": "Exact"}],
        }
        own = [policy for policy in there if _name(policy.settings) == _name(settings)]
        self._settle(ref.owner, PolicyType.STATUS, True, settings, own)

    def remove_required_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        """Delete the policy for that status on exactly this branch; without effect when there is none."""
        repository_id = self._repository_id(ref)
        if repository_id is None:
            return
        there = self._policies(ref, repository_id, branch)[PolicyType.STATUS]
        wanted = _name({"statusGenre": genre, "statusName": name})
        self._delete(ref.owner, [policy for policy in there if _name(policy.settings) == wanted])


def _name(settings: Mapping[str, Any]) -> str:
    genre, name = settings.get("statusGenre"), settings.get("statusName")
    return f"{genre}/{name}" if genre else str(name)
