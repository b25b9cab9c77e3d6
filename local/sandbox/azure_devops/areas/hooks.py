"""Serves subscriptions of service hooks with masked secrets, and their notifications."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, hook_catalog
from local.sandbox.azure_devops.areas.hook_publishers import hooks_url, unknown
from local.sandbox.azure_devops.call import Call, Level, Reply, page_of, serves
from local.sandbox.azure_devops.hook_delivery import masked
from local.sandbox.azure_devops.identities import identity_ref, level_of
from local.sandbox.azure_devops.service import Tree, new_id

_ROUTE = "hooks/subscriptions/{subscriptionId}"


def subscription_json(call: Call, subscription: Tree) -> Tree:
    """A subscription as answered, secrets hidden."""
    creator = identity_ref(call.service, call.org, call.org["users"].get(subscription["by"], call.user))
    url = f"{hooks_url(call)}/subscriptions/{subscription['id']}"
    name = hook_catalog.EVENTS[subscription["eventType"]][1]
    return {
        "id": subscription["id"],
        "url": url,
        "status": subscription["status"],
        "publisherId": subscription["publisherId"],
        "eventType": subscription["eventType"],
        "subscriber": None,
        "resourceVersion": subscription["resourceVersion"],
        "eventDescription": name,
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "actionDescription": f"To host {str(subscription['consumerInputs']['url']).split('/')[2]}",
        "probationRetries": 0,
        "createdBy": creator,
        "createdDate": subscription["created"],
        "modifiedBy": creator,
        "modifiedDate": subscription["modified"],
        "lastProbationRetryDate": "0001-01-01T00:00:00",
        "publisherInputs": {**subscription["publisherInputs"], "tfsSubscriptionId": subscription["tfs"]},
        "consumerInputs": masked(subscription["consumerInputs"]),
        "_links": {"self": {"href": url}, "notifications": {"href": f"{url}/notifications"}},
    }


def _subscription_of(call: Call) -> Tree:
    wanted = call.value("subscriptionId").lower()
    subscription = call.org["subscriptions"].get(wanted)
    if subscription is None:
        message = f"VS800135: The subscription with id '{wanted}' could not be found."
        raise errors.not_found(message, "SubscriptionNotFoundException", errors.HOOKS)
    return subscription  # type: ignore[no-any-return]


def _may_edit(call: Call, inputs: Tree) -> None:
    project_id = inputs.get("projectId")
    project = call.find_project(str(project_id)) if project_id else None
    needed = Level.PROJECT_ADMINISTRATOR if project else Level.COLLECTION_ADMINISTRATOR
    if level_of(call.user, project) < needed:
        message = f"VS403140: {call.user['name']} does not have the Edit subscriptions permission for this project."
        raise errors.ServiceError(403, message, "AccessCheckException", namespace=errors.FRAMEWORK)


def _checked(body: Tree, old: Tree | None = None) -> Tree:
    event = str(body.get("eventType") or "")
    publisher = str(body.get("publisherId") or "")
    if publisher not in hook_catalog.PUBLISHERS:
        raise errors.invalid(f"The publisher '{publisher}' is not valid.", "PublisherNotFoundException", errors.HOOKS)
    if event not in hook_catalog.EVENTS or hook_catalog.EVENTS[event][0] != publisher:
        raise errors.invalid(
            f"The event type '{event}' is not supported by the publisher '{publisher}'.",
            "EventTypeNotSupportedException",
            errors.HOOKS,
        )
    if (body.get("consumerId"), body.get("consumerActionId")) != ("webHooks", "httpRequest"):
        raise errors.invalid(
            "Only the consumer webHooks with the action httpRequest is known here.",
            "ConsumerNotFoundException",
            errors.HOOKS,
        )
    consumer = dict(body.get("consumerInputs") or {})
    publisher_inputs = {k: v for k, v in (body.get("publisherInputs") or {}).items() if k != "tfsSubscriptionId"}
    if not str(consumer.get("url") or "").startswith(("http://", "https://")):
        message = "Subscription input 'url' is missing or is not an absolute URL."
        raise errors.invalid(message, "SubscriptionInputException", errors.HOOKS)
    for name in hook_catalog.CONFIDENTIAL:
        # Sending the mask back means leaving the secret as it is.
        if consumer.get(name) == hook_catalog.MASK:
            if old is None:
                raise errors.invalid(
                    f"Subscription input '{name}' is masked; send its real value.",
                    "SubscriptionInputException",
                    errors.HOOKS,
                )
            consumer[name] = old["consumerInputs"].get(name)
    return {
        "publisherId": publisher,
        "eventType": event,
        "resourceVersion": str(body.get("resourceVersion") or hook_catalog.RESOURCE_VERSIONS[publisher]),
        "publisherInputs": publisher_inputs,
        "consumerInputs": consumer,
    }


def _visible(call: Call, subscription: Tree) -> bool:
    project = call.org["projects"].get(str(subscription["publisherInputs"].get("projectId")))
    return level_of(call.user, project) >= Level.READER


@serves("GET", _ROUTE)
def get_subscriptions(call: Call) -> object:
    """One subscription, or those of a publisher, event type and consumer."""
    if "subscriptionId" in call.values:
        return subscription_json(call, _subscription_of(call))
    wanted = {"publisherId": call.text("publisherId"), "eventType": call.text("eventType")}
    return [
        subscription_json(call, s)
        for s in call.org["subscriptions"].values()
        if _visible(call, s) and all(v in {"", s[k]} for k, v in wanted.items())
    ]


@serves("POST", _ROUTE, Level.READER)
def create_subscription(call: Call) -> Tree:
    """Subscribe a URL to an event."""
    body = call.json()
    checked = _checked(body)
    _may_edit(call, checked["publisherInputs"])
    stamp = call.stamp()
    own: Tree = {
        "id": new_id(),
        "tfs": new_id(),
        "status": "enabled",
        "by": call.user["id"],
        "created": stamp,
        "modified": stamp,
        "failures": 0,
    }
    subscription = own | checked
    call.org["subscriptions"][subscription["id"]] = subscription
    return subscription_json(call, subscription)


@serves("PUT", _ROUTE, Level.READER)
def replace_subscription(call: Call) -> Tree:
    """Replace a subscription; enabling it again ends its disabled state."""
    subscription = _subscription_of(call)
    _may_edit(call, subscription["publisherInputs"])
    body = call.json()
    checked = _checked(body, subscription)
    _may_edit(call, checked["publisherInputs"])
    subscription |= checked
    status = str(body.get("status") or subscription["status"])
    if status in {"enabled", "disabledByUser"}:
        subscription["status"], subscription["failures"] = status, 0
    subscription["modified"] = call.stamp()
    return subscription_json(call, subscription)


@serves("DELETE", _ROUTE, Level.READER)
def delete_subscription(call: Call) -> Reply:
    """Unsubscribe."""
    subscription = _subscription_of(call)
    _may_edit(call, subscription["publisherInputs"])
    del call.org["subscriptions"][subscription["id"]]
    return Reply(None, 204)


@serves("POST", "hooks/subscriptionsQuery", Level.READER)
def query_subscriptions(call: Call) -> Tree:
    """Subscriptions that match the body's filters."""
    body = call.json()
    wanted = {k: body.get(k) for k in ("publisherId", "eventType") if body.get(k)}
    conditions = [
        c
        for f in body.get("publisherInputFilters") or []
        for c in f.get("conditions") or []
        if c.get("operator", "equals") == "equals"
    ]
    found = []
    for subscription in call.org["subscriptions"].values():
        inputs = subscription["publisherInputs"]
        matches = all(str(inputs.get(c["inputId"], "")).lower() == str(c["inputValue"]).lower() for c in conditions)
        if matches and _visible(call, subscription) and all(subscription[k] == v for k, v in wanted.items()):
            found.append(subscription_json(call, subscription))
    return {**body, "results": found}


def notification_json(notification: Tree) -> Tree:
    """A delivery as answered."""
    last = notification["attempts"][-1] if notification["attempts"] else {}
    body = notification["body"]
    return {
        "id": notification["id"],
        "subscriptionId": notification["subscriptionId"],
        "eventId": notification["eventId"],
        "status": notification["status"],
        "result": notification["result"],
        "createdDate": notification["createdDate"],
        "modifiedDate": notification["modifiedDate"],
        "details": {
            "publisherId": body["publisherId"],
            "consumerId": "webHooks",
            "consumerActionId": "httpRequest",
            "eventType": body["eventType"],
            "event": {k: v for k, v in body.items() if k not in {"subscriptionId", "notificationId"}},
            "request": f"POST attempt {len(notification['attempts'])}",
            "response": "" if last.get("status") is None else f"Status Code: {last['status']}",
            "errorMessage": last.get("error"),
            "requestAttempts": len(notification["attempts"]),
            "requestDuration": (last.get("milliseconds") or 0) / 1000,
        },
    }


@serves("GET", "hooks/subscriptions/{subscriptionId}/notifications/{notificationId}")
def get_notifications(call: Call) -> object:
    """One delivery of a subscription, or all, newest first."""
    subscription = _subscription_of(call)
    held = [n for n in call.org["notifications"].values() if n["subscriptionId"] == subscription["id"]]
    if "notificationId" in call.values:
        found = next((n for n in held if str(n["id"]) == call.values["notificationId"]), None)
        if found is None:
            raise unknown("notification", call.values["notificationId"])
        return notification_json(found)
    result, status = call.text("result").lower(), call.text("status").lower()
    shown = [n for n in reversed(held) if result in {"", n["result"].lower()} and status in {"", n["status"].lower()}]
    return [notification_json(n) for n in page_of(shown, call, "maxResults")]


@serves("POST", "hooks/notificationsQuery", Level.READER)
def query_notifications(call: Call) -> Tree:
    """Deliveries that match the body's filters."""
    body = call.json()
    ids = {str(i).lower() for i in body.get("subscriptionIds") or []}
    found = [
        notification_json(n)
        for n in call.org["notifications"].values()
        if (not ids or n["subscriptionId"] in ids)
        and body.get("resultType") in {None, n["result"]}
        and body.get("status") in {None, n["status"]}
    ]
    return {**body, "results": found[-int(body.get("maxResults") or 100) :]}


@serves("POST", "hooks/testNotifications/{notificationId}", Level.READER)
def test_notification(call: Call) -> Tree:
    """Send a sample event to the URL of the body, without a subscription."""
    body = call.json()
    details = body.get("details") or {}
    subscription = _checked({**details, "consumerId": "webHooks", "consumerActionId": "httpRequest"})
    subscription |= {"id": "00000000-0000-0000-0000-000000000000", "status": "enabled", "failures": 0}
    deliveries = next(e.__self__ for e in call.service.emitters if hasattr(e, "__self__"))
    sample = {
        "id": new_id(),
        "eventType": subscription["eventType"],
        "publisherId": subscription["publisherId"],
        "message": {"text": "Test", "html": "Test", "markdown": "Test"},
        "detailedMessage": {"text": "Test", "html": "Test", "markdown": "Test"},
        "resource": {},
        "resourceVersion": subscription["resourceVersion"],
        "resourceContainers": {"collection": {"id": call.org["id"]}, "account": {"id": call.org["id"]}},
        "createdDate": call.stamp(),
    }
    return notification_json(deliveries.deliver(call.org, subscription, sample))
