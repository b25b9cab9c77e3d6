"""Delivers events to subscriptions, keeps each delivery as a notification, retries what may pass, and disables what is gone."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from local.sandbox.azure_devops.hook_catalog import CONFIDENTIAL, EVENTS, MASK
from local.sandbox.azure_devops.hook_events import payload
from local.sandbox.azure_devops.hook_filters import concerns
from local.sandbox.azure_devops.service import Service, Tree
from local.sandbox.hooks import DROPPED, HookSender

RETRIED = frozenset({408, 502, 503, 504})
MAX_RETRIES = 8
KEPT = 500
ENABLED = ("enabled", "onProbation")


class Deliveries:
    """Turns events into deliveries of one simulator."""

    def __init__(self, service: Service, sender: HookSender, retry_seconds: float = 0.5) -> None:
        """Retries wait `retry_seconds`, doubling each time."""
        self.service = service
        self.sender = sender
        self.retry_seconds = retry_seconds
        self._resumed = False

    def event(self, org: Tree, event: str, facts: Tree) -> None:
        """Deliver an event to every subscription it concerns."""
        if event not in EVENTS:
            return
        subscriptions = [
            s
            for s in org["subscriptions"].values()
            if s["eventType"] == event and s["status"] in ENABLED and concerns(s["publisherInputs"], event, facts)
        ]
        if not subscriptions:
            return
        body = payload(self.service, org, event, facts)
        for subscription in subscriptions:
            self.deliver(org, subscription, body)

    def deliver(self, org: Tree, subscription: Tree, event: Tree) -> Tree:
        """Deliver one event to one subscription; the notification kept of it."""
        number = self.service.number(org, "notification")
        body = {"subscriptionId": subscription["id"], "notificationId": number, **_trimmed(event, subscription)}
        notification: Tree = {
            "id": number,
            "subscriptionId": subscription["id"],
            "eventId": event["id"],
            "status": "queued",
            "result": "pending",
            "createdDate": self.service.stamp(),
            "modifiedDate": self.service.stamp(),
            "body": body,
            "attempts": [],
        }
        held = org["notifications"]
        held[str(number)] = notification
        for old in list(held)[:-KEPT]:
            del held[old]
        self._send(org, subscription, notification)
        return notification

    def _send(self, org: Tree, subscription: Tree, notification: Tree) -> None:
        def record(status: int | None, error: str | None, duration_ms: int) -> None:
            self._ended(org, subscription, notification, status, error, duration_ms)

        notification["status"] = "requestInProgress"
        self.sender.enqueue(
            event=notification["body"]["eventType"],
            url=str(subscription["consumerInputs"]["url"]),
            headers=request_headers(subscription["consumerInputs"]),
            body=json.dumps(notification["body"]).encode(),
            record=record,
        )

    def _ended(
        self, org: Tree, subscription: Tree, notification: Tree, status: int | None, error: str | None, duration_ms: int
    ) -> None:
        attempt = {"status": status, "error": error, "milliseconds": duration_ms, "at": self.service.stamp()}
        notification["attempts"].append(attempt)
        notification["modifiedDate"] = attempt["at"]
        succeeded = status is not None and 200 <= status < 300
        notification["status"], notification["result"] = "completed", "succeeded" if succeeded else "failed"
        if succeeded:
            subscription["failures"] = 0
            if subscription["status"] == "onProbation":
                subscription["status"] = "enabled"
            return
        if error == DROPPED:
            return  # a fault rule loses this delivery for good, so that what misses it can be tried
        if status == 410:
            subscription["status"] = "disabledBySystem"
            return
        tries = len(notification["attempts"])
        if (status is None or status in RETRIED) and tries <= MAX_RETRIES:
            subscription["status"] = "onProbation" if subscription["status"] in ENABLED else subscription["status"]
            notification["status"], notification["result"] = "queued", "pending"
            delay = self.retry_seconds * 2 ** (tries - 1)
            asyncio.get_running_loop().call_later(delay, self._again, org, subscription, notification)
            return
        subscription["failures"] = int(subscription.get("failures", 0)) + 1
        if status in RETRIED or status is None:
            subscription["status"] = "disabledBySystem"

    def _again(self, org: Tree, subscription: Tree, notification: Tree) -> None:
        if subscription["id"] in org["subscriptions"] and subscription["status"] in ENABLED:
            self._send(org, subscription, notification)
        else:
            notification["status"], notification["result"] = "completed", "failed"

    def resume(self) -> None:
        """Once in the life of this simulator: take up the deliveries that an earlier one left unfinished."""
        if self._resumed:
            return
        self._resumed = True
        for org in self.service.organizations.values():
            for notification in list(org["notifications"].values()):
                subscription = org["subscriptions"].get(notification["subscriptionId"])
                if notification["result"] == "pending" and subscription is not None:
                    self._again(org, subscription, notification)


def request_headers(inputs: Tree) -> dict[str, str]:
    """The headers of a delivery: JSON, basic authentication, and the subscription's own."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "VSServices/20.0 (sandbox)"}
    if inputs.get("basicAuthUsername") or inputs.get("basicAuthPassword"):
        pair = f"{inputs.get('basicAuthUsername') or ''}:{inputs.get('basicAuthPassword') or ''}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
    for line in str(inputs.get("httpHeaders") or "").splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip():
            headers[name.strip()] = value.strip()
    return headers


def _trimmed(event: Tree, subscription: Tree) -> Tree:
    inputs = subscription["consumerInputs"]
    body: dict[str, Any] = dict(event)
    for name, setting in (("message", "messagesToSend"), ("detailedMessage", "detailedMessagesToSend")):
        wanted = str(inputs.get(setting) or "all").lower()
        if wanted == "none":
            body[name] = None
        elif wanted in {"text", "html", "markdown"}:
            body[name] = {wanted: body[name][wanted]}
    details = str(inputs.get("resourceDetailsToSend") or "all").lower()
    if details == "none":
        body["resource"] = None
    elif details == "minimal":
        body["resource"] = {k: v for k, v in body["resource"].items() if k in {"id", "url", "pullRequestId", "pushId"}}
    return body


def masked(inputs: Tree) -> Tree:
    """A consumer's inputs with the confidential ones hidden, as the service shows them."""
    return {k: MASK if k in CONFIDENTIAL and v else v for k, v in inputs.items()}
