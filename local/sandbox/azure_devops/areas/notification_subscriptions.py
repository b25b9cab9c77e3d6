"""Serves subscriptions to e-mail: which events of a project a team is told about, and at which address."""

from __future__ import annotations

import re

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.identities import find_subject, level_of, subject_ref
from local.sandbox.azure_devops.service import Tree

_ROUTE = "notification/Subscriptions/{subscriptionId}"
_NAMESPACE = "Microsoft.VisualStudio.Services.Notifications.Common"
# https://learn.microsoft.com/azure/devops/organizations/notifications/oob-supported-event-types
_FIELDS = {
    "ms.vss-build.build-completed-event": {"status", "definition name", "build reason", "requested for"},
    "ms.vss-code.git-pullrequest-event": {"event type", "status", "created by", "repository name", "vote"},
    "ms.vss-work.workitem-changed-event": {"assigned to", "state", "area path", "work item type"},
}
_CHANNELS = {"emailhtml", "emailplaintext", "user", "group"}
_ADDRESS = re.compile(r"[^@\s;,]+@[^@\s;,]+\.[^@\s;,]+")


def _held(call: Call) -> dict[str, Tree]:
    held: dict[str, Tree] = call.org.setdefault("mail_subscriptions", {})
    return held


def _json(call: Call, held: Tree) -> Tree:
    subscriber = find_subject(call.org, held["subscriber"])
    return {
        "id": held["id"],
        "url": call.url("_apis/notification/Subscriptions", held["id"]),
        "description": held["description"],
        "subscriber": subject_ref(call.service, call.org, subscriber) if subscriber else {"id": held["subscriber"]},
        "status": "enabled",
        "flags": "groupSubscription" if subscriber and "mail" not in subscriber else "none",
        "modifiedDate": held["modified"],
        "scope": held["scope"],
        "filter": held["filter"],
        "channel": held["channel"],
        "permissions": "view, edit, delete",
    }


def _subscription_of(call: Call) -> Tree:
    found = _held(call).get(call.value("subscriptionId"))
    if found is None:
        message = f"VS403322: Subscription {call.values['subscriptionId']} does not exist."
        raise errors.not_found(message, "SubscriptionNotFoundException", _NAMESPACE)
    return found


def _check(call: Call, body: Tree) -> None:
    """Refuse a filter or channel that the service could not evaluate or deliver to."""
    given, channel = body.get("filter") or {}, body.get("channel") or {}
    fields = _FIELDS.get(str(given.get("eventType")))
    if fields is None or given.get("type") != "Expression":
        message = (
            f"VS403323: The event type '{given.get('eventType')}' or filter '{given.get('type')}' is not supported."
        )
        raise errors.invalid(message, "InvalidSubscriptionException", _NAMESPACE)
    for clause in (given.get("criteria") or {}).get("clauses") or []:
        if str(clause.get("fieldName")).lower() not in fields:
            message = f"VS403324: The field '{clause.get('fieldName')}' is not one of {given['eventType']}."
            raise errors.invalid(message, "InvalidSubscriptionException", _NAMESPACE)
    if str(channel.get("type")).lower() not in _CHANNELS:
        message = f"VS403325: The channel '{channel.get('type')}' is not supported."
        raise errors.invalid(message, "InvalidSubscriptionException", _NAMESPACE)
    if channel.get("useCustomAddress") and not _ADDRESS.fullmatch(str(channel.get("address"))):
        message = f"VS403326: '{channel.get('address')}' is not an e-mail address."
        raise errors.invalid(message, "InvalidSubscriptionException", _NAMESPACE)


@serves("GET", _ROUTE, Level.READER)
def get_subscriptions(call: Call) -> object:
    """One subscription, or those of a person or team."""
    if "subscriptionId" in call.values:
        return _json(call, _subscription_of(call))
    target = call.text("targetId").lower() or call.user["id"]
    return [_json(call, held) for held in _held(call).values() if held["subscriber"] == target]


@serves("POST", _ROUTE, Level.READER)
def create_subscription(call: Call) -> Tree:
    """Subscribe oneself, or, as an administrator of its project, a team."""
    body = call.json()
    _check(call, body)
    subscriber = find_subject(call.org, str((body.get("subscriber") or {}).get("id") or call.user["id"]))
    if subscriber is None:
        message = "VS403327: The subscriber does not exist."
        raise errors.not_found(message, "IdentityNotFoundException", _NAMESPACE)
    scope = body.get("scope") or {}
    project = call.find_project(str(scope["id"])) if scope.get("id") else None
    if subscriber is not call.user and level_of(call.user, project) < Level.PROJECT_ADMINISTRATOR:
        message = f"VS403328: {call.user['name']} may not manage subscriptions of {subscriber['name']}."
        raise errors.ServiceError(403, message, "AccessCheckException", namespace=errors.FRAMEWORK)
    number = str(call.service.number(call.org, "mail-subscription", 1000))
    held: Tree = {
        "id": number,
        "description": str(body.get("description") or ""),
        "subscriber": subscriber["id"],
        "scope": {"type": "none", "id": project["id"] if project else call.org["id"]},
        "filter": body["filter"],
        "channel": body["channel"],
        "modified": call.stamp(),
    }
    _held(call)[number] = held
    return _json(call, held)


@serves("DELETE", _ROUTE, Level.READER)
def delete_subscription(call: Call) -> Reply:
    """End a subscription."""
    held = _subscription_of(call)
    if held["subscriber"] != call.user["id"] and level_of(call.user) < Level.PROJECT_ADMINISTRATOR:
        message = f"VS403328: {call.user['name']} may not manage this subscription."
        raise errors.ServiceError(403, message, "AccessCheckException", namespace=errors.FRAMEWORK)
    del _held(call)[held["id"]]
    return Reply(None, 204)
