"""Service hook subscriptions of Azure DevOps that call us: one for each project, event type and address.

They cover the whole project, so a second repository of it needs none of its own. The service signs nothing: the secret
travels as the password of basic authentication.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import Hook, MissedEvent, RepositoryRef
from shared.errors import RefusedError

USER = "doneright"
_PUBLISHER, _CONSUMER, _ACTION = "tfs", "webHooks", "httpRequest"


class HookCalls(ProjectCalls):
    """The service hook part of ``AzureDevOpsForge``; ``owner`` of a reference is the project."""

    def hooks(self, ref: RepositoryRef) -> Sequence[Hook]:
        """Every web hook subscription of the project, without its secret; none when the project is not there."""
        try:
            project = self._project_id(ref.owner)
        except NotFoundError:
            return ()
        found = tuple(_hook(one) for one in self._subscriptions(project))
        # Whoever makes some next need not list them.
        known: dict[tuple[str, str], str] = self._client.looks.lasting(_known_of(project), dict)
        known.update(_by_event(found))
        return found

    def create_hook(self, ref: RepositoryRef, hook: Hook, secret: str) -> Hook:
        """Make the one subscription that sends ``hook.events[0]`` of the project to ``hook.url`` with this secret.

        One that is there already is told the secret again, since it never shows it. Raises ``RefusedError`` unless
        the hook names exactly one event type.
        """
        if len(hook.events) != 1:
            raise RefusedError(
                "An Azure DevOps subscription carries exactly one event type", "Make one hook for each event type"
            )
        project = self._project_id(ref.owner)
        event = hook.events[0]
        wanted = self._client.models("service_hooks").Subscription(
            publisher_id=_PUBLISHER,
            event_type=event,
            resource_version="1.0",
            consumer_id=_CONSUMER,
            consumer_action_id=_ACTION,
            publisher_inputs={"projectId": project},
            consumer_inputs={
                "url": hook.url,
                "basicAuthUsername": USER,
                "basicAuthPassword": secret,
                "resourceDetailsToSend": "all",
                "messagesToSend": "none",
                "detailedMessagesToSend": "none",
            },
            status="enabled" if hook.active else "disabledByUser",
        )
        area = self._client.area("service_hooks")
        there = self._known(project)
        if known := there.get((event, hook.url)):
            wanted.id = known
            return _hook(area.replace_subscription(wanted, known))
        made = _hook(area.create_subscription(wanted))
        there[event, hook.url] = made.id
        return made

    def delete_hook(self, ref: RepositoryRef, hook_id: str) -> None:
        """Delete the subscription; without effect when it is not there."""
        del ref
        try:
            self._client.area("service_hooks").delete_subscription(hook_id)
        except NotFoundError:
            return

    def missed_events(self, project: str, url: str, since: datetime) -> Sequence[MissedEvent]:
        """Events whose last delivery to ``url`` failed since ``since``; the service itself has given up on them.

        Azure DevOps offers no redelivery, yet its history holds the event:
        https://learn.microsoft.com/rest/api/azure/devops/hooks/notifications
        """
        found = self.project(project)
        if found is None:
            return ()
        area = self._client.area("service_hooks")
        missed: list[MissedEvent] = []
        for subscription in self._subscriptions(found.id):
            if (subscription.consumer_inputs or {}).get("url") != url:
                continue
            for notification in area.get_notifications(subscription.id, status="completed", result="failed"):
                if notification.created_date >= since:
                    missed.append(self._missed(area, subscription.id, notification))
        return sorted(missed, key=lambda event: event.at)

    def _missed(self, area: Any, subscription_id: str, notification: Any) -> MissedEvent:
        details = notification.details or area.get_notification(subscription_id, notification.id).details
        event = details.event
        body = {
            "subscriptionId": subscription_id,
            "notificationId": notification.id,
            "id": event.id,
            "eventType": event.event_type,
            "publisherId": event.publisher_id,
            "resource": event.resource,
            "resourceVersion": event.resource_version,
        }
        return MissedEvent(
            id=f"{subscription_id}-{notification.id}-{event.id}",
            event=event.event_type,
            payload=json.dumps(body),
            at=notification.created_date,
        )

    def _known(self, project_id: str) -> dict[tuple[str, str], str]:
        """The subscriptions of the project as this use case knows them, looked for once."""

        def ask() -> dict[tuple[str, str], str]:
            return _by_event([_hook(one) for one in self._subscriptions(project_id)])

        return self._client.looks.lasting(_known_of(project_id), ask)

    def _subscriptions(self, project_id: str) -> list[Any]:
        found = self._client.area("service_hooks").list_subscriptions(
            publisher_id=_PUBLISHER, consumer_id=_CONSUMER, consumer_action_id=_ACTION
        )
        return [one for one in found if (one.publisher_inputs or {}).get("projectId", "").lower() == project_id.lower()]


def _known_of(project_id: str) -> tuple[str, str]:
    return "subscriptions", project_id


def _by_event(hooks: Sequence[Hook]) -> dict[tuple[str, str], str]:
    """Event and address → the first subscription of them."""
    return {(hook.events[0], hook.url): hook.id for hook in reversed(hooks)}


def _hook(found: Any) -> Hook:
    return Hook(
        id=found.id,
        url=(found.consumer_inputs or {}).get("url", ""),
        events=(found.event_type,),
        active=str(found.status).lower() in {"enabled", "onprobation"},
    )
