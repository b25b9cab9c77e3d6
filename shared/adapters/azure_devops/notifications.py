"""What the default team of a project is told about by e-mail: subscriptions of the service, each made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import Notification, NotificationEvent

# https://learn.microsoft.com/rest/api/azure/devops/notification/subscriptions
_SUBSCRIPTIONS = "70f911d6-abac-488c-85b3-a206bf57e165"
_VERSION = "7.1-preview.1"


class _Filter(NamedTuple):
    event_type: str
    field: str
    operator: str
    value: str


# https://learn.microsoft.com/azure/devops/organizations/notifications/oob-supported-event-types
_FILTERS = {
    NotificationEvent.BUILD_FAILED: _Filter("ms.vss-build.build-completed-event", "Status", "=", "Failed"),
    NotificationEvent.PULL_REQUEST_CREATED: _Filter(
        "ms.vss-code.git-pullrequest-event", "Event type", "=", "PullRequestCreatedNotification"
    ),
    NotificationEvent.WORK_ITEM_ASSIGNED: _Filter("ms.vss-work.workitem-changed-event", "Assigned To", "Changes", ""),
}


class NotificationCalls(ProjectCalls):
    """The notification part of ``AzureDevOpsForge``."""

    def notifications(self, project: str) -> Sequence[Notification]:
        """What the default team is told about in this project, of the events known here; none without the project."""
        try:
            team, scope = self._team_and_scope(project)
        except NotFoundError:
            return ()
        listed = self._send("GET", query={"targetId": team}).json()["value"]
        found = (_notification(one) for one in listed if str((one.get("scope") or {}).get("id")).lower() == scope)
        return tuple(one for one in found if one is not None)

    def create_notification(self, project: str, notification: Notification) -> Notification:
        """Tell the default team, or the address, about the event; or return the subscription that does."""
        for there in self.notifications(project):
            if (there.event, there.address.lower()) == (notification.event, notification.address.lower()):
                return there
        team, scope = self._team_and_scope(project)
        wanted = _FILTERS[notification.event]
        clause = {
            "logicalOperator": "",
            "fieldName": wanted.field,
            "operator": wanted.operator,
            "value": wanted.value,
            "index": 1,
        }
        channel = (
            {"type": "EmailHtml", "address": notification.address, "useCustomAddress": True}
            if notification.address
            else {"type": "Group", "useCustomAddress": False}
        )
        body = {
            "description": f"{notification.event.replace('_', ' ').capitalize()} in {project}",
            "filter": {
                "type": "Expression",
                "eventType": wanted.event_type,
                "criteria": {"clauses": [clause], "groups": [], "maxGroupLevel": 0},
            },
            "channel": channel,
            "scope": {"type": "none", "id": scope},
            "subscriber": {"id": team},
        }
        made = self._send("POST", body=body).json()
        return notification.model_copy(update={"id": str(made["id"])})

    def delete_notification(self, notification: Notification) -> None:
        """End the subscription; without effect when it is not there."""
        try:
            self._send("DELETE", route={"subscriptionId": notification.id})
        except NotFoundError:
            return

    def _team_and_scope(self, project: str) -> tuple[str, str]:
        def ask() -> tuple[str, str]:
            found = self._client.area("core").get_project(project)
            return str(found.default_team.id), str(found.id).lower()

        return self._client.looks.lasting(("default team", project.lower()), ask)

    def _send(
        self,
        method: str,
        *,
        route: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        # The package's models of filters and channels know their type alone and would send nothing else.
        return self._client.area("notification")._send(
            http_method=method,
            location_id=_SUBSCRIPTIONS,
            version=_VERSION,
            route_values=dict(route or {}),
            query_parameters=dict(query or {}),
            content=body,
        )


def _notification(found: Mapping[str, Any]) -> Notification | None:
    """The subscription as one of those known here; ``None`` for any other, such as one that people narrowed down."""
    given = found.get("filter") or {}
    clauses = (given.get("criteria") or {}).get("clauses") or []
    if len(clauses) != 1 or str(found.get("status", "enabled")).lower() != "enabled":
        return None
    told = tuple(
        str(part or "").lower()
        for part in (given.get("eventType"), *map(clauses[0].get, ("fieldName", "operator", "value")))
    )
    channel = found.get("channel") or {}
    for event, wanted in _FILTERS.items():
        if told == tuple(part.lower() for part in wanted):
            address = str(channel.get("address") or "") if channel.get("useCustomAddress") else ""
            return Notification(id=str(found["id"]), event=event, address=address)
    return None
