"""Statuses without which no pull request on GitHub is merged: required checks that, where Doneright is an App, only it can set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.adapters.github.credentials import AppInstallation
from shared.adapters.github.protection import ProtectionCalls, status_checks
from shared.adapters.github.rulesets import STATUS_CHECKS
from shared.domain.forge import RepositoryRef
from shared.errors import RefusedError


class RequiredStatusCalls(ProtectionCalls):
    """The part of ``GitHubForge`` that requires statuses of ours."""

    def required_statuses(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        """Each required check, and whether nobody but us can set it; with a token for a person, everybody can.

        Raises ``NotSupportedError`` where the plan has no rules for private repositories.
        """
        app = self._own_app()
        return {
            str(check["context"]): app is None or check.get("app_id") == app or check.get("integration_id") == app
            for check in self._required_checks(ref, branch)
        }

    def require_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        """Require the check ``genre/name`` of us; the checks that others required stay.

        Raises ``RefusedError`` when the branch has neither protection nor our ruleset.
        """
        context = f"{genre}/{name}"
        protection, _ = self._protection_if_offered(ref, branch)
        if protection is None:
            bound = {"integration_id": app} if (app := self._own_app()) else {}
            if not self._require_in_ruleset(ref, branch, {"context": context, **bound}):
                raise RefusedError(
                    f"{branch} of {ref} has no rules that could require a check",
                    "Protect the branch first: agree to its rules, or reconcile the project.",
                )
            return
        current = status_checks(protection.get("required_status_checks")) or {"strict": False, "checks": []}
        # Without the App's id, whoever may write a status could pass the review.
        bound = {"app_id": app} if (app := self._own_app()) else {}
        others = [check for check in current["checks"] if check["context"] != context]
        checks: list[Mapping[str, Any]] = [*others, {"context": context, **bound}]
        self._put_status_checks(ref, branch, protection, {**current, "checks": checks})

    def remove_required_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        """Require ``genre/name`` no longer; without effect when it is not required."""
        self.remove_required_builds(ref, branch, [f"{genre}/{name}"])

    def _required_checks(self, ref: RepositoryRef, branch: str) -> list[Mapping[str, Any]]:
        protection, _ = self._protection_if_offered(ref, branch)
        if protection is not None:
            return list((status_checks(protection.get("required_status_checks")) or {"checks": []})["checks"])
        found = self._ruleset(ref, branch)
        for rule in (found or {}).get("rules") or ():
            if rule["type"] == STATUS_CHECKS:
                return list((rule.get("parameters") or {}).get("required_status_checks") or ())
        return []

    def _require_in_ruleset(self, ref: RepositoryRef, branch: str, check: Mapping[str, Any]) -> bool:
        # A binding to an App cannot be changed in place: the check is taken out, and put in as it should be.
        known = {one["context"]: one for one in self._required_checks(ref, branch)}
        if known.get(check["context"]) == check:
            return True
        return self._change_ruleset_builds(ref, branch, remove=[check["context"]], checks=[check])

    def _own_app(self) -> int | None:
        credentials = self._client.credentials
        return credentials.app_id if isinstance(credentials, AppInstallation) else None
