"""Serves what service hooks offer: publishers with their event types, and the consumer with its action."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, hook_catalog
from local.sandbox.azure_devops.call import Call, serves


def hooks_url(call: Call) -> str:
    return call.url("_apis/hooks")


def unknown(kind: str, name: str) -> errors.ServiceError:
    return errors.not_found(
        f"The {kind} '{name}' could not be found.", f"{kind.title().replace(' ', '')}NotFoundException", errors.HOOKS
    )


@serves("GET", "hooks/publishers/{publisherId}")
def get_publishers(call: Call) -> object:
    """One publisher or all."""
    if "publisherId" in call.values:
        return hook_catalog.publisher(hooks_url(call), _publisher(call))
    return [hook_catalog.publisher(hooks_url(call), p) for p in hook_catalog.PUBLISHERS]


def _publisher(call: Call) -> str:
    name = call.value("publisherId").lower()
    if name not in hook_catalog.PUBLISHERS:
        raise unknown("publisher", name)
    return name


@serves("GET", "hooks/publishers/{publisherId}/eventTypes/{eventTypeId}")
def get_event_types(call: Call) -> object:
    """One event type of a publisher, or all."""
    publisher = _publisher(call)
    found = [e for e, row in hook_catalog.EVENTS.items() if row[0] == publisher]
    if "eventTypeId" not in call.values:
        return [hook_catalog.event_type(hooks_url(call), e) for e in found]
    if call.values["eventTypeId"] not in found:
        raise unknown("event type", call.values["eventTypeId"])
    return hook_catalog.event_type(hooks_url(call), call.values["eventTypeId"])


@serves("GET", "hooks/consumers/{consumerId}")
def get_consumers(call: Call) -> object:
    """The web hooks consumer."""
    if "consumerId" not in call.values:
        return [hook_catalog.consumer(hooks_url(call))]
    if call.values["consumerId"].lower() != "webhooks":
        raise unknown("consumer", call.values["consumerId"])
    return hook_catalog.consumer(hooks_url(call))


@serves("GET", "hooks/consumers/{consumerId}/actions/{consumerActionId}")
def get_actions(call: Call) -> object:
    """The action of the web hooks consumer."""
    if call.value("consumerId").lower() != "webhooks":
        raise unknown("consumer", call.value("consumerId"))
    if "consumerActionId" not in call.values:
        return [hook_catalog.action(hooks_url(call))]
    if call.values["consumerActionId"].lower() != "httprequest":
        raise unknown("consumer action", call.values["consumerActionId"])
    return hook_catalog.action(hooks_url(call))
