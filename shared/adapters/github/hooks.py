"""Webhooks of a GitHub repository: one for each address, and the deliveries that failed to arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.adapters.github.client import GitHubClient, path
from shared.adapters.github.credentials import AppInstallation
from shared.adapters.github.errors import AlreadyThereError, NotFoundError
from shared.adapters.github.repositories import repository_path
from shared.domain.forge import Hook, HookDelivery, RepositoryRef
from shared.errors import RefusedError

APP_HOOK = "app"


class HookCalls:
    """The webhook part of ``GitHubForge``."""

    _client: GitHubClient
    _webhook_url: str | None

    def hooks(self, ref: RepositoryRef) -> Sequence[Hook]:
        """Every webhook of the repository, without its secret."""
        return tuple(_hook(data) for data in self._client.pages(repository_path(ref) + "/hooks"))

    def create_hook(self, ref: RepositoryRef, hook: Hook, secret: str) -> Hook:
        """Make the one webhook that calls ``hook.url`` have these events and this secret; found again by its address.

        GitHub never shows a secret, so a webhook that is there already is told it again.
        """
        wanted = {
            "active": hook.active,
            "events": sorted(hook.events),
            "config": {"url": hook.url, "content_type": "json", "insecure_ssl": "0", "secret": secret},
        }
        found = self._hook_at(ref, hook.url)
        if found is None:
            try:
                return _hook(self._client.request("POST", _hooks_path(ref), {"name": "web", **wanted})[1])
            except AlreadyThereError as error:
                found = self._hook_at(ref, hook.url)
                if found is None:
                    raise RefusedError(error.reason, "Remove the webhook that is in the way") from None
        return _hook(self._client.request("PATCH", _hooks_path(ref) + path("/{}", found.id), wanted)[1])

    def delete_hook(self, ref: RepositoryRef, hook_id: str) -> None:
        """Delete the webhook; without effect when it is not there."""
        try:
            self._client.request("DELETE", _hooks_path(ref) + path("/{}", hook_id))
        except NotFoundError:
            self.hooks(ref)  # raises when the credential may not see webhooks at all, which is a 404 as well

    def failed_deliveries(self, ref: RepositoryRef, since: datetime) -> Sequence[HookDelivery]:
        """The last attempt of every delivery since ``since`` of which none ended in 2xx, oldest first.

        Looks at the webhooks of the repository (only those that call ``webhook_url``, when the forge was given one),
        and at the App's own webhook when Doneright is an App.
        """
        failed: list[HookDelivery] = []
        for hook in self.hooks(ref):
            if self._webhook_url is None or hook.url == self._webhook_url:
                url = _hooks_path(ref) + path("/{}/deliveries", hook.id)
                failed += _without_success(_attempts(self._client.pages(url), hook.id, since))
        if isinstance(self._client.credentials, AppInstallation):
            repository_id = self._client.request("GET", repository_path(ref))[1]["id"]
            deliveries = self._client.pages("/app/hook/deliveries", as_app=True)
            mine = _attempts(deliveries, APP_HOOK, since, repository_id)
            failed += _without_success(mine)
        return tuple(sorted(failed, key=lambda delivery: (delivery.delivered_at, delivery.id)))

    def redeliver(self, ref: RepositoryRef, delivery: HookDelivery) -> None:
        """Ask GitHub to send ``delivery`` again; it does so within moments, under the same GUID."""
        if delivery.hook_id == APP_HOOK:
            self._client.request("POST", path("/app/hook/deliveries/{}/attempts", delivery.id), as_app=True)
            return
        url = _hooks_path(ref) + path("/{}/deliveries/{}/attempts", delivery.hook_id, delivery.id)
        self._client.request("POST", url)

    def _hook_at(self, ref: RepositoryRef, url: str) -> Hook | None:
        return next((hook for hook in self.hooks(ref) if hook.url == url), None)


def _hooks_path(ref: RepositoryRef) -> str:
    return repository_path(ref) + "/hooks"


def _hook(data: Mapping[str, Any]) -> Hook:
    return Hook(
        id=str(data["id"]),
        url=data.get("config", {}).get("url", ""),
        events=tuple(sorted(data["events"])),
        active=data["active"],
    )


def _attempts(
    deliveries: Iterator[Mapping[str, Any]], hook_id: str, since: datetime, repository_id: int | None = None
) -> Iterator[HookDelivery]:
    """Attempts down to ``since``: GitHub lists the newest first, so the older pages are never asked for."""
    for data in deliveries:
        delivered_at = datetime.fromisoformat(data["delivered_at"])
        if delivered_at < since:
            return
        if repository_id is None or data.get("repository_id") == repository_id:
            yield HookDelivery(
                id=str(data["id"]),
                hook_id=hook_id,
                guid=data["guid"],
                event=data["event"],
                delivered_at=delivered_at,
                status_code=data["status_code"],
            )


def _without_success(attempts: Iterator[HookDelivery]) -> list[HookDelivery]:
    latest: dict[str, HookDelivery] = {}
    arrived: set[str] = set()
    for attempt in attempts:
        latest.setdefault(attempt.guid, attempt)
        if 200 <= attempt.status_code < 300:
            arrived.add(attempt.guid)
    return [attempt for guid, attempt in latest.items() if guid not in arrived]
