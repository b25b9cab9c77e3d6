"""Translates branch rules to GitHub's branch protection and merge settings, and back to the same rules.

Where a branch is not there yet, or the plan has no branch protection, a ruleset of the same rules takes its place; the
two never stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import EmptyRepositoryError, NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.adapters.github.rulesets import OWN_STATUSES, RulesetCalls
from shared.domain.forge import BranchRules, MergeKind, RepositoryRef
from shared.errors import NotSupportedError, RefusedError

_MERGE_SETTINGS = {
    MergeKind.MERGE: "allow_merge_commit",
    MergeKind.SQUASH: "allow_squash_merge",
    MergeKind.REBASE: "allow_rebase_merge",
}
# Switches that no rule of ours speaks of: kept as they are.
_OUR_FLAGS = ("allow_force_pushes", "allow_deletions", "required_conversation_resolution")
_OTHERS_FLAGS = ("required_linear_history", "block_creations", "lock_branch", "allow_fork_syncing")


def normalised(rules: BranchRules) -> BranchRules:
    """The nearest rules GitHub can express; compare these with what ``branch_rules`` reads.

    GitHub has no rule for linked work items, and an author can never approve. ``require_build`` is as asked only once
    ``require_builds`` was told of what.
    """
    return rules.model_copy(update={"require_linked_work_items": False, "author_may_approve": False})


def not_expressible(rules: BranchRules) -> tuple[str, ...]:
    """Names of the fields that GitHub cannot enforce as asked."""
    same = normalised(rules)
    return tuple(name for name in BranchRules.model_fields if getattr(rules, name) != getattr(same, name))


class ProtectionCalls(RulesetCalls):
    """The branch rules part of ``GitHubForge``."""

    _client: GitHubClient

    def branch_rules(self, ref: RepositoryRef, branch: str) -> BranchRules | None:
        """The rules as they are enforced now, by branch protection or by our ruleset; ``None`` when by neither.

        Raises ``NotSupportedError`` where the plan has neither for private repositories.
        """
        protection, lacking = self._protection_if_offered(ref, branch)
        if protection is None:
            try:
                return self._ruleset_rules(ref, branch)
            except NotFoundError:
                if lacking:
                    raise lacking from None
                return None
        repository = self._client.request("GET", repository_path(ref))[1]
        reviews = protection.get("required_pull_request_reviews") or {}
        return BranchRules(
            minimum_reviewers=reviews.get("required_approving_review_count", 0),
            author_may_approve=False,
            reset_approvals_on_push=reviews.get("dismiss_stale_reviews", False),
            require_resolved_comments=_enabled(protection, "required_conversation_resolution"),
            require_linked_work_items=False,
            require_build=bool(_required(protection.get("required_status_checks"))),
            allowed_merges=frozenset(kind for kind, name in _MERGE_SETTINGS.items() if repository.get(name)),
            allow_force_push=_enabled(protection, "allow_force_pushes"),
            allow_deletion=_enabled(protection, "allow_deletions"),
            enforce_for_administrators=_enabled(protection, "enforce_admins"),
        )

    def protect_branch(self, ref: RepositoryRef, branch: str, rules: BranchRules) -> None:
        """Enforce ``normalised(rules)``; what others set beside them stays: status checks, push restrictions, code owners.

        Allowances to bypass pull requests do not stay: they would undo the rules.
        The merge kinds are settings of the whole repository on GitHub; a ruleset has them of its own. Raises
        ``RefusedError`` when no merge kind is allowed or the credential may not, ``NotSupportedError`` where the plan
        has neither branch protection nor rulesets.
        """
        if not rules.allowed_merges:
            raise RefusedError("No way to merge is allowed", "Allow at least one of merge, squash, rebase")
        try:
            current = self._protection(ref, branch)
            if current is None and self._ruleset(ref, branch) is not None:
                self._put_ruleset(ref, branch, rules)
                return
            self._client.request("PUT", _protection_path(ref, branch), _wanted(rules, current or {}))
        except (NotFoundError, NotSupportedError) as error:
            # GitHub answers 404 for a branch that is not there as for a credential that may not: the ruleset tells.
            self._protect_by_ruleset(ref, branch, rules, error)
            return
        settings = {name: kind in rules.allowed_merges for kind, name in _MERGE_SETTINGS.items()}
        self._client.request("PATCH", repository_path(ref), settings)

    def remove_branch_rules(self, ref: RepositoryRef, branch: str) -> None:
        """Take off the branch's protection and our ruleset for it; without effect when neither is there.

        The merge kinds, settings of the whole repository, stay. Raises ``RefusedError`` when the credential may not.
        """
        try:
            protected = self._protection(ref, branch) is not None
        except NotSupportedError:
            protected = False
        if protected:
            try:
                self._client.request("DELETE", _protection_path(ref, branch))
            except NotFoundError:
                # Somebody else took it off between the two calls; or, also 404, the credential may not.
                if self._protection(ref, branch) is not None:
                    raise
        try:
            self._remove_ruleset(ref, branch)
        except NotSupportedError:
            return

    def required_builds(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        """Names of the required status checks, and whether pull requests must be up to date for them.

        They are read where the rules are: from branch protection, else from our ruleset. Raises ``NotSupportedError``
        where the plan has neither for private repositories.
        """
        protection, lacking = self._protection_if_offered(ref, branch)
        if protection is not None:
            return _required(protection.get("required_status_checks"))
        try:
            return self._ruleset_builds(ref, branch)
        except NotFoundError:
            if lacking:
                raise lacking from None
            return {}

    def require_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        """Require each of ``builds`` as a status check, up to date with ``branch``; whoever reports it counts.

        Checks that others required stay, with the app they were bound to. Raises ``RefusedError`` when the branch has
        neither protection nor our ruleset, or the credential may not.
        """
        protection, _ = self._protection_if_offered(ref, branch)
        if protection is None:
            if not self._change_ruleset_builds(ref, branch, add=builds):
                raise RefusedError(
                    f"{branch} of {ref} has no rules that could require a build",
                    "Protect the branch first: agree to its rules, or reconcile the project.",
                )
            return
        current = status_checks(protection.get("required_status_checks")) or {"checks": []}
        known = {check["context"] for check in current["checks"]}
        checks = [*current["checks"], *({"context": name} for name in builds if name not in known)]
        self._put_status_checks(ref, branch, protection, {"strict": True, "checks": checks})

    def remove_required_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        """Require ``builds`` no longer; without the last one no check is required at all."""
        protection, _ = self._protection_if_offered(ref, branch)
        if protection is None:
            self._change_ruleset_builds(ref, branch, remove=builds)
            return
        current = status_checks(protection.get("required_status_checks"))
        left = [check for check in current["checks"] if check["context"] not in builds] if current else []
        if current is None or len(left) == len(current["checks"]):
            return
        self._put_status_checks(ref, branch, protection, {**current, "checks": left} if left else None)

    def _put_status_checks(
        self, ref: RepositoryRef, branch: str, protection: Mapping[str, Any], checks: Mapping[str, Any] | None
    ) -> None:
        url = _protection_path(ref, branch)
        part = f"{url}/required_status_checks"
        if checks is None:
            self._client.request("DELETE", part)
        elif protection.get("required_status_checks"):
            self._client.request("PATCH", part, checks)
        else:
            # This part cannot be made by itself, only with the whole.
            self._client.request("PUT", url, {**_as_it_is(protection), "required_status_checks": checks})

    def _protection_if_offered(
        self, ref: RepositoryRef, branch: str
    ) -> tuple[Mapping[str, Any] | None, NotSupportedError | None]:
        try:
            return self._protection(ref, branch), None
        except NotSupportedError as error:
            return None, error

    def _protect_by_ruleset(self, ref: RepositoryRef, branch: str, rules: BranchRules, cause: RefusedError) -> None:
        try:
            self._put_ruleset(ref, branch, rules)
        except NotFoundError as error:
            if isinstance(cause, NotSupportedError):
                raise cause from None
            raise RefusedError(
                f"GitHub cannot protect {branch} of {ref}: {error.reason}",
                "Check the repository's name, and grant administration=write (classic token: scope repo)",
            ) from None

    def _protection(self, ref: RepositoryRef, branch: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] | None = self._client.get(_protection_path(ref, branch))
        except EmptyRepositoryError:
            return None
        return found


def _protection_path(ref: RepositoryRef, branch: str) -> str:
    return repository_path(ref) + path("/branches/{}/protection", branch)


def _enabled(protection: Mapping[str, Any], name: str) -> bool:
    setting = protection.get(name)
    return bool(setting.get("enabled")) if isinstance(setting, dict) else False


def _wanted(rules: BranchRules, current: Mapping[str, Any]) -> dict[str, Any]:
    """The whole protection with ``rules`` in it."""
    reviews = {
        **_reviews(current.get("required_pull_request_reviews") or {}),
        "dismiss_stale_reviews": rules.reset_approvals_on_push,
        "required_approving_review_count": rules.minimum_reviewers,
    }
    reviews.pop("bypass_pull_request_allowances", None)
    return {
        **_as_it_is(current),
        "enforce_admins": rules.enforce_for_administrators,
        "required_pull_request_reviews": reviews,
        "allow_force_pushes": rules.allow_force_push,
        "allow_deletions": rules.allow_deletion,
        "required_conversation_resolution": rules.require_resolved_comments,
    }


def _as_it_is(current: Mapping[str, Any]) -> dict[str, Any]:
    """The whole protection as GitHub's PUT takes it, which forgets what it is not told."""
    reviews = current.get("required_pull_request_reviews")
    return {
        "required_status_checks": status_checks(current.get("required_status_checks")),
        "enforce_admins": _enabled(current, "enforce_admins"),
        "required_pull_request_reviews": None if reviews is None else _reviews(reviews),
        "restrictions": _restrictions(current.get("restrictions")),
        **{name: _enabled(current, name) for name in (*_OTHERS_FLAGS, *_OUR_FLAGS)},
    }


def _reviews(current: Mapping[str, Any]) -> dict[str, Any]:
    # Only organisations have these, and an account that has none refuses the very words.
    people = {
        name: _restrictions(current[name])
        for name in ("dismissal_restrictions", "bypass_pull_request_allowances")
        if current.get(name) is not None
    }
    return {
        "dismiss_stale_reviews": current.get("dismiss_stale_reviews", False),
        "require_code_owner_reviews": current.get("require_code_owner_reviews", False),
        "require_last_push_approval": current.get("require_last_push_approval", False),
        "required_approving_review_count": current.get("required_approving_review_count", 0),
        **people,
    }


def _required(checks: Mapping[str, Any] | None) -> dict[str, bool]:
    """The names of required status checks, and whether they are strict, as branch protection tells them.

    Our own status is no build.
    """
    found = status_checks(checks)
    every = {check["context"]: found["strict"] for check in found["checks"]} if found else {}
    return {name: strict for name, strict in every.items() if not name.startswith(OWN_STATUSES)}


def status_checks(current: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The required checks as they are sent back, each with the app it is bound to; ``None`` where none is required."""
    if current is None:
        return None
    checks = [
        {"context": check["context"], **({"app_id": check["app_id"]} if check.get("app_id") else {})}
        for check in current.get("checks") or [{"context": name} for name in current.get("contexts", [])]
    ]
    return {"strict": bool(current.get("strict")), "checks": checks}


def _restrictions(current: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if current is None:
        return None
    return {
        "users": [user["login"] for user in current.get("users", [])],
        "teams": [team["slug"] for team in current.get("teams", [])],
        "apps": [app["slug"] for app in current.get("apps", [])],
    }
