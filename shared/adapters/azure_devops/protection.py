"""Translates branch rules to branch policies of Azure Repos, and back to the same rules.

Any required policy already keeps everybody from pushing to a branch, forced or not, and from deleting it; who may bypass
policies is a permission which nobody has until somebody grants it. So three of the rules are no policies here:
``normalised`` says what they come to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.repositories import RepositoryCalls
from shared.domain.forge import BranchRules, MergeKind, RepositoryRef
from shared.errors import RefusedError


class PolicyType(StrEnum):
    """Ids of the built-in policy types used here.

    https://learn.microsoft.com/rest/api/azure/devops/policy/types/list
    """

    MINIMUM_REVIEWERS = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
    RESOLVED_COMMENTS = "c6a1889d-b943-4856-b76f-9e46bb6b0df2"
    LINKED_WORK_ITEMS = "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e"
    MERGE_STRATEGY = "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab"
    BUILD = "0609b952-1397-4640-95ec-e00a01b2c241"
    STATUS = "cbdc66da-9728-4af8-aada-9a5a32e4a226"


_BESIDE_RULES = frozenset({PolicyType.BUILD, PolicyType.STATUS})
"""What is required by itself, and no part of ``BranchRules`` with a setting of its own."""

_FRESH = {"manualQueueOnly": False, "queueOnSourceUpdateOnly": False, "validDuration": 0}
"""A build starts with the pull request and with each push to either branch; a push to the target voids the one before."""

MOST_REVIEWERS = 6
"""What a request can demand, and all that GitHub can; a policy here can demand more."""

_MERGES = {
    MergeKind.MERGE: "allowNoFastForward",
    MergeKind.SQUASH: "allowSquash",
    MergeKind.REBASE: "allowRebase",
}


def normalised(rules: BranchRules) -> BranchRules:
    """The nearest rules Azure Repos can express; compare these with what ``branch_rules`` reads.

    * ``allow_force_push`` and ``allow_deletion`` become false: required policies forbid both.
    * ``enforce_for_administrators`` becomes true: bypassing is a permission of its own, which starts unset.
    * ``require_build`` is as asked only once ``require_builds`` was told of what.
    * without reviewers, nothing is said of authors' approvals and of resetting them.
    """
    fixed: dict[str, Any] = {"allow_force_push": False, "allow_deletion": False, "enforce_for_administrators": True}
    if rules.minimum_reviewers == 0:
        fixed |= {"author_may_approve": False, "reset_approvals_on_push": False}
    return rules.model_copy(update=fixed)


def not_expressible(rules: BranchRules) -> tuple[str, ...]:
    """Names of the fields that Azure Repos cannot enforce as asked."""
    same = normalised(rules)
    return tuple(name for name in BranchRules.model_fields if getattr(rules, name) != getattr(same, name))


class ProtectionCalls(RepositoryCalls):
    """The branch rules part of ``AzureDevOpsForge``."""

    def branch_rules(self, ref: RepositoryRef, branch: str) -> BranchRules | None:
        """The rules as they are enforced now; ``None`` when no required policy names exactly this branch.

        Policies over several branches, or over the whole project, are other people's and not read.
        """
        repository_id = self._repository_id(ref)
        if repository_id is None:
            return None
        enforced: dict[PolicyType, Mapping[str, Any]] = {
            kind: policy.settings
            for kind, policies in self._policies(ref, repository_id, branch).items()
            for policy in policies
            if policy.is_enabled and policy.is_blocking
        }
        if not set(enforced) - _BESIDE_RULES:
            return None
        reviewers = enforced.get(PolicyType.MINIMUM_REVIEWERS, {})
        if reviewers.get("minimumApproverCount", 0) > MOST_REVIEWERS:
            raise RefusedError(
                f"{branch} of {ref} demands {reviewers['minimumApproverCount']} reviewers, and {MOST_REVIEWERS} can be planned",
                f"Keep this policy by hand, or let it demand {MOST_REVIEWERS} reviewers at most.",
            )
        merges = enforced.get(PolicyType.MERGE_STRATEGY)
        return BranchRules(
            minimum_reviewers=reviewers.get("minimumApproverCount", 0),
            author_may_approve=reviewers.get("creatorVoteCounts", False),
            reset_approvals_on_push=reviewers.get("resetOnSourcePush", False),
            require_resolved_comments=PolicyType.RESOLVED_COMMENTS in enforced,
            require_linked_work_items=PolicyType.LINKED_WORK_ITEMS in enforced,
            require_build=PolicyType.BUILD in enforced,
            allowed_merges=frozenset(
                kind for kind, name in _MERGES.items() if merges is None or merges.get(name, False)
            ),
            allow_force_push=False,
            allow_deletion=False,
            enforce_for_administrators=True,
        )

    def protect_branch(self, ref: RepositoryRef, branch: str, rules: BranchRules) -> None:
        """Enforce ``normalised(rules)`` by policies on exactly this branch, each updated in place or made once.

        Raises ``RefusedError`` when the repository is not there or no merge kind is allowed.
        """
        if not rules.allowed_merges:
            raise RefusedError("No way to merge is allowed", "Allow at least one of merge, squash, rebase")
        repository_id = self._required_id(ref)
        there = self._policies(ref, repository_id, branch)
        scope = [{"repositoryId": repository_id, "refName": f"refs/heads/{branch}", "matchKind": "Exact"}]
        for kind, (enabled, settings) in _wanted(rules).items():
            self._settle(ref.owner, kind, enabled, {**settings, "scope": scope}, there[kind])

    def remove_branch_rules(self, ref: RepositoryRef, branch: str) -> None:
        """Delete the policies on exactly this branch that ``protect_branch`` makes; without effect when none is there."""
        repository_id = self._repository_id(ref)
        if repository_id is None:
            return
        for kind, policies in self._policies(ref, repository_id, branch).items():
            if kind not in _BESIDE_RULES:
                self._delete(ref.owner, policies)

    def required_builds(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        """Ids of the pipelines with a build policy on exactly this branch, and whether it blocks until a build is green.

        It counts only where a build starts by itself and is void once the branch moves on. Policies that look at paths
        are other people's and not read.
        """
        repository_id = self._repository_id(ref)
        policies = self._policies(ref, repository_id, branch)[PolicyType.BUILD] if repository_id else []
        required: dict[str, bool] = {}
        for policy in policies:
            build = _build_of(policy)
            required[build] = required.get(build, False) or _same(policy, True, _FRESH)
        return required

    def require_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        """Require a green build of each pipeline, by a policy updated in place or made once.

        Raises ``RefusedError`` when the repository or a pipeline is not there.
        """
        repository_id = self._required_id(ref)
        there = self._policies(ref, repository_id, branch)[PolicyType.BUILD]
        scope = [{"repositoryId": repository_id, "refName": f"refs/heads/{branch}", "matchKind": "Exact"}]
        for build in builds:
            settings = {**_FRESH, "buildDefinitionId": int(build), "scope": scope}
            own = [policy for policy in there if _build_of(policy) == build]
            self._settle(ref.owner, PolicyType.BUILD, True, settings, own)

    def remove_required_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        """Delete the build policies of those pipelines on exactly this branch; without effect when none is there."""
        repository_id = self._repository_id(ref)
        if repository_id is None:
            return
        there = self._policies(ref, repository_id, branch)[PolicyType.BUILD]
        self._delete(ref.owner, [policy for policy in there if _build_of(policy) in builds])

    def _delete(self, project: str, policies: Sequence[Any]) -> None:
        for policy in policies:
            try:
                self._client.area("policy").delete_policy_configuration(project, policy.id)
            except NotFoundError:
                continue  # somebody else deleted it between the two calls

    def _settle(
        self, project: str, kind: PolicyType, enabled: bool, settings: Mapping[str, Any], there: Sequence[Any]
    ) -> None:
        if not there and not enabled:
            return
        models, policies = self._client.models("policy"), self._client.area("policy")
        wanted = models.PolicyConfiguration(
            is_enabled=enabled, is_blocking=True, type=models.PolicyTypeRef(id=kind.value), settings=settings
        )
        if not there:
            policies.create_policy_configuration(wanted, project)
        # Every policy of this kind on this branch is enforced, so twins are all made the same. What a policy demands
        # beyond our settings is somebody's, and an update replaces them all.
        for policy in there:
            if not _same(policy, enabled, settings):
                wanted.settings = {**policy.settings, **settings}
                policies.update_policy_configuration(wanted, project, policy.id)

    def _policies(self, ref: RepositoryRef, repository_id: str, branch: str) -> dict[PolicyType, list[Any]]:
        sorted_out: dict[PolicyType, list[Any]] = {kind: [] for kind in PolicyType}
        try:
            # Narrowed by the service: a project's whole list comes in pages, and the package drops the next one's mark.
            scope = f"{repository_id.replace('-', '')}:refs/heads/{branch}"
            found = self._client.area("policy").get_policy_configurations(ref.owner, scope=scope)
        except NotFoundError:
            return sorted_out
        for policy in found:
            kind = str(policy.type.id).lower()
            if kind == PolicyType.BUILD and policy.settings.get("filenamePatterns"):
                continue
            if kind in sorted_out and not policy.is_deleted and _is_exactly(policy.settings, repository_id, branch):
                sorted_out[PolicyType(kind)].append(policy)
        return sorted_out


def _wanted(rules: BranchRules) -> dict[PolicyType, tuple[bool, dict[str, Any]]]:
    """For each policy, whether it is on and its settings without the scope."""
    return {
        PolicyType.MINIMUM_REVIEWERS: (
            rules.minimum_reviewers > 0,
            {
                "minimumApproverCount": max(1, rules.minimum_reviewers),
                "creatorVoteCounts": rules.author_may_approve,
                "allowDownvotes": False,
                "resetOnSourcePush": rules.reset_approvals_on_push,
            },
        ),
        PolicyType.RESOLVED_COMMENTS: (rules.require_resolved_comments, {}),
        PolicyType.LINKED_WORK_ITEMS: (rules.require_linked_work_items, {}),
        PolicyType.MERGE_STRATEGY: (
            True,
            {name: kind in rules.allowed_merges for kind, name in _MERGES.items()} | {"allowRebaseMerge": False},
        ),
    }


def _build_of(policy: Any) -> str:
    return str(policy.settings.get("buildDefinitionId"))


def _is_exactly(settings: Mapping[str, Any], repository_id: str, branch: str) -> bool:
    scope = settings.get("scope") or []
    if len(scope) != 1:
        return False
    only = scope[0]
    return bool(
        str(only.get("repositoryId")).lower() == repository_id.lower()
        and only.get("refName") == f"refs/heads/{branch}"
        and str(only.get("matchKind")).lower() == "exact"
    )


def _same(policy: Any, enabled: bool, settings: Mapping[str, Any]) -> bool:
    if policy.is_enabled != enabled or not policy.is_blocking:
        return False
    return all(policy.settings.get(name) == value for name, value in settings.items() if name != "scope")
