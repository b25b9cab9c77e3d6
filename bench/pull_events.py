"""Builds the events by which either forge tells that a pull request was opened, as they begin a review.

Member names follow https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request and
https://learn.microsoft.com/azure/devops/service-hooks/events#git.pullrequest.created; the values are made up, and no
member is there that nobody reads.
"""

from __future__ import annotations

import base64
import json
from typing import NamedTuple

from bench.payload import signed_headers
from local.stack import Ready
from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName


class PullEvent(NamedTuple):
    """A webhook, ready to be sent."""

    url: str
    body: str
    headers: dict[str, str]


def opened(ready: Ready, ref: ChangeRef, head: str) -> PullEvent:
    """The event that ``ref`` was opened with that head."""
    return _on_github(ready, ref, head) if ref.forge is ForgeName.GITHUB else _on_azure_devops(ready, ref, head)


def _on_github(ready: Ready, ref: ChangeRef, head: str) -> PullEvent:
    owner, name = ref.repository.owner, ref.repository.name
    body = json.dumps(
        {
            "action": "opened",
            "number": ref.number,
            "pull_request": {"number": ref.number, "state": "open", "merged": False, "head": {"sha": head}},
            "repository": {"full_name": f"{owner}/{name}", "name": name, "owner": {"login": owner}},
            "sender": {"login": "casey", "id": 1, "type": "User"},
        }
    )
    headers = signed_headers(ready.github_webhook_secret, body, f"bench-{head}") | {"X-GitHub-Event": "pull_request"}
    return PullEvent(f"{ready.host}/api/webhooks/github", body, headers)


def _on_azure_devops(ready: Ready, ref: ChangeRef, head: str) -> PullEvent:
    project, name = ref.repository.owner, ref.repository.name
    body = json.dumps(
        {
            "id": f"bench-{head}",
            "eventType": "git.pullrequest.created",
            "publisherId": "tfs",
            "resource": {
                "repository": {"name": name, "project": {"name": project}},
                "pullRequestId": ref.number,
                "status": "active",
                "lastMergeSourceCommit": {"commitId": head},
            },
        }
    )
    secret = base64.b64encode(f"doneright:{ready.azure_devops_webhook_secret}".encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {secret}"}
    return PullEvent(f"{ready.host}/api/webhooks/azure-devops", body, headers)
