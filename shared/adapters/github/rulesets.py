"""Expresses branch rules as a ruleset of the repository, which holds before the branch exists, and reads it back.

https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/about-rulesets
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.domain.forge import BranchRules, MergeKind, RepositoryRef

ADMINISTRATORS = {"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}
"""The built-in role; its number is the same everywhere: https://docs.github.com/rest/repos/rules#create-a-repository-ruleset"""

OWN_STATUSES = "doneright/"
"""Begins the statuses that Doneright sets itself; requiring them is no requirement of a build."""
STATUS_CHECKS = "required_status_checks"
"""The type of the rule that requires status checks."""


class RulesetCalls:
    """The ruleset part of ``GitHubForge``."""

    _client: GitHubClient

    def _ruleset_rules(self, ref: RepositoryRef, branch: str) -> BranchRules | None:
        """The rules our ruleset enforces on ``branch``; ``None`` when there is none, or it is switched off."""
        found = self._ruleset(ref, branch)
        return None if found is None else _read(found, branch)

    def _ruleset_builds(self, ref: RepositoryRef, branch: str) -> dict[str, bool]:
        """The status checks our ruleset requires on ``branch``, and whether strictly; none when it is not in force."""
        found = self._ruleset(ref, branch)
        return _checks(found) if found is not None and _read(found, branch) is not None else {}

    def _change_ruleset_builds(
        self,
        ref: RepositoryRef,
        branch: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        checks: Sequence[Mapping[str, Any]] = (),
    ) -> bool:
        """Let our ruleset require ``add`` strictly, ``checks`` as they are written, and ``remove`` no longer.

        ``False`` when there is no such ruleset.
        """
        found = self._ruleset(ref, branch)
        if found is None:
            return False
        asked = _parameters(found, STATUS_CHECKS)
        there = [check for check in asked.get("required_status_checks") or () if check["context"] not in remove]
        known = {check["context"] for check in there}
        wanted = [*there, *checks, *({"context": name} for name in add if name not in known)]
        strict = bool(add) or bool(asked.get("strict_required_status_checks_policy"))
        parameters = {**asked, "strict_required_status_checks_policy": strict, "required_status_checks": wanted}
        rules = [rule for rule in found.get("rules") or () if rule["type"] != STATUS_CHECKS]
        if wanted:
            rules.append({"type": STATUS_CHECKS, "parameters": parameters})
        self._client.request("PUT", repository_path(ref) + path("/rulesets/{}", found["id"]), {"rules": rules})
        return True

    def _put_ruleset(self, ref: RepositoryRef, branch: str, rules: BranchRules) -> None:
        """Make the one ruleset of ours for ``branch`` say ``rules``; the checks it requires stay.

        Others' further rules and bypasses go.
        Raises ``NotSupportedError`` where the plan has no rulesets for private repositories.
        """
        found = self._ruleset(ref, branch)
        if found is None:
            self._client.request("POST", repository_path(ref) + "/rulesets", _wanted(branch, rules))
        else:
            url = repository_path(ref) + path("/rulesets/{}", found["id"])
            wanted = _wanted(branch, rules)
            wanted["rules"] += [rule for rule in found.get("rules") or () if rule["type"] == STATUS_CHECKS]
            self._client.request("PUT", url, wanted)

    def _remove_ruleset(self, ref: RepositoryRef, branch: str) -> None:
        """Delete our ruleset for ``branch``; without effect when it is not there."""
        found = self._ruleset(ref, branch)
        if found is None:
            return
        try:
            self._client.request("DELETE", repository_path(ref) + path("/rulesets/{}", found["id"]))
        except NotFoundError:
            if self._ruleset(ref, branch) is not None:
                raise

    def _ruleset(self, ref: RepositoryRef, branch: str) -> Mapping[str, Any] | None:
        listed = self._client.pages(repository_path(ref) + "/rulesets", includes_parents="false")
        ours = next((item for item in listed if item["name"] == name_for(branch)), None)
        if ours is None:
            return None
        found: Mapping[str, Any] = self._client.request("GET", repository_path(ref) + path("/rulesets/{}", ours["id"]))[
            1
        ]
        return found


def name_for(branch: str) -> str:
    """The name our ruleset is found again by; GitHub keeps names unique within a repository."""
    return f"Doneright: {branch}"


def _target(branch: str) -> dict[str, Any]:
    return {"ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}}


def _wanted(branch: str, rules: BranchRules) -> dict[str, Any]:
    demanded: list[dict[str, Any]] = [
        {
            "type": "pull_request",
            "parameters": {
                "required_approving_review_count": rules.minimum_reviewers,
                "dismiss_stale_reviews_on_push": rules.reset_approvals_on_push,
                "required_review_thread_resolution": rules.require_resolved_comments,
                "require_code_owner_review": False,
                "require_last_push_approval": False,
                "allowed_merge_methods": sorted(rules.allowed_merges),
            },
        }
    ]
    if not rules.allow_force_push:
        demanded.append({"type": "non_fast_forward"})
    if not rules.allow_deletion:
        demanded.append({"type": "deletion"})
    return {
        "name": name_for(branch),
        "target": "branch",
        "enforcement": "active",
        "conditions": _target(branch),
        "bypass_actors": [] if rules.enforce_for_administrators else [ADMINISTRATORS],
        "rules": demanded,
    }


def _parameters(ruleset: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found = (rule.get("parameters") for rule in ruleset.get("rules") or () if rule["type"] == kind)
    return next(found, None) or {}


def _checks(ruleset: Mapping[str, Any]) -> dict[str, bool]:
    asked = _parameters(ruleset, STATUS_CHECKS)
    strict = bool(asked.get("strict_required_status_checks_policy"))
    names = (str(check["context"]) for check in asked.get("required_status_checks") or ())
    return {name: strict for name in names if not name.startswith(OWN_STATUSES)}


def _read(ruleset: Mapping[str, Any], branch: str) -> BranchRules | None:
    rules = {rule["type"]: rule.get("parameters") or {} for rule in ruleset.get("rules") or ()}
    names = (ruleset.get("conditions") or {}).get("ref_name") or {}
    meets = f"refs/heads/{branch}" in names.get("include", ()) and not names.get("exclude")
    if ruleset["enforcement"] != "active" or not meets or "pull_request" not in rules:
        return None
    asked = rules["pull_request"]
    return BranchRules(
        minimum_reviewers=min(asked["required_approving_review_count"], 6),
        author_may_approve=False,
        reset_approvals_on_push=asked["dismiss_stale_reviews_on_push"],
        require_resolved_comments=asked["required_review_thread_resolution"],
        require_linked_work_items=False,
        require_build=bool(_checks(ruleset)),
        allowed_merges=frozenset(MergeKind(kind) for kind in asked.get("allowed_merge_methods") or MergeKind),
        allow_force_push="non_fast_forward" not in rules,
        allow_deletion="deletion" not in rules,
        # Whoever may pass by is no administrator of ours alone: any bypass undoes the promise.
        enforce_for_administrators=not ruleset.get("bypass_actors"),
    )
