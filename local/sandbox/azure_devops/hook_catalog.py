"""Lists what service hooks know: publishers, their event types with filters, and the web hooks consumer."""

from __future__ import annotations

from local.sandbox.azure_devops.service import Tree

WORK_ITEM_INPUTS = ("areaPath", "workItemType", "changedFields", "commentPattern", "tag", "linksChanged")
PULL_INPUTS = (
    "repository",
    "branch",
    "pullrequestCreatedBy",
    "pullrequestReviewersContains",
    "notificationType",
    "mergeResult",
)

EVENTS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "workitem.created": ("tfs", "Work item created", "workitem", WORK_ITEM_INPUTS),
    "workitem.updated": ("tfs", "Work item updated", "workitem", WORK_ITEM_INPUTS),
    "workitem.deleted": ("tfs", "Work item deleted", "workitem", WORK_ITEM_INPUTS),
    "workitem.restored": ("tfs", "Work item restored", "workitem", WORK_ITEM_INPUTS),
    "workitem.commented": ("tfs", "Work item commented on", "workitem", WORK_ITEM_INPUTS),
    "git.push": ("tfs", "Code pushed", "push", ("repository", "branch", "pushedBy")),
    "git.repo.created": ("tfs", "Repository created", "repository", ("projectId",)),
    "git.pullrequest.created": ("tfs", "Pull request created", "pullrequest", PULL_INPUTS),
    "git.pullrequest.updated": ("tfs", "Pull request updated", "pullrequest", PULL_INPUTS),
    "git.pullrequest.merged": ("tfs", "Pull request merge attempted", "pullrequest", PULL_INPUTS),
    "ms.vss-code.git-pullrequest-comment-event": (
        "tfs",
        "Pull request commented on",
        "comment",
        ("repository", "branch"),
    ),
    "build.complete": ("tfs", "Build completed", "build", ("definitionName", "buildStatus")),
    "ms.vss-pipelines.run-state-changed-event": (
        "pipelines",
        "Run state changed",
        "run",
        ("pipelineId", "runStateId", "runResultId"),
    ),
    "ms.vss-pipelines.stage-state-changed-event": (
        "pipelines",
        "Run stage state changed",
        "stage",
        ("pipelineId", "stageNameId", "stageStateId", "stageResultId"),
    ),
    "ms.vss-pipelinechecks-events.approval-pending": (
        "pipelines",
        "Run stage waiting for approval",
        "approval",
        ("pipelineId", "stageName", "environmentName"),
    ),
    "ms.vss-pipelinechecks-events.approval-completed": (
        "pipelines",
        "Run stage approval completed",
        "approval",
        ("pipelineId", "stageName", "environmentName"),
    ),
}
"""Event types: publisher, name, resource and filters."""

PUBLISHERS = {"tfs": "Azure DevOps Services", "pipelines": "Azure Pipelines"}
RESOURCE_VERSIONS = {"tfs": "1.0", "pipelines": "5.1-preview.1"}
CONFIDENTIAL = frozenset({"basicAuthPassword", "httpHeaders"})
MASK = "********"
CONSUMER_INPUTS = (
    ("url", True),
    ("httpHeaders", False),
    ("basicAuthUsername", False),
    ("basicAuthPassword", False),
    ("resourceDetailsToSend", False),
    ("messagesToSend", False),
    ("detailedMessagesToSend", False),
    ("acceptUntrustedCerts", False),
)


def _input(name: str, required: bool = False) -> Tree:
    return {
        "id": name,
        "name": name,
        "inputMode": "passwordBox" if name == "basicAuthPassword" else "textBox",
        "isConfidential": name in CONFIDENTIAL,
        "validation": {"dataType": "string", "isRequired": required},
        "hasDynamicValueInformation": False,
    }


def event_type(base: str, event: str) -> Tree:
    """An event type as answered."""
    publisher, name, resource, inputs = EVENTS[event]
    return {
        "publisherId": publisher,
        "id": event,
        "name": name,
        "description": name,
        "supportedResourceVersions": [RESOURCE_VERSIONS[publisher]],
        "inputDescriptors": [_input(i) for i in ("projectId", *inputs)],
        "resourceName": resource,
        "url": f"{base}/publishers/{publisher}/eventTypes/{event}",
    }


def publisher(base: str, publisher_id: str) -> Tree:
    """A publisher as answered."""
    return {
        "id": publisher_id,
        "name": PUBLISHERS[publisher_id],
        "description": PUBLISHERS[publisher_id],
        "supportedEvents": [event_type(base, e) for e, row in EVENTS.items() if row[0] == publisher_id],
        "inputDescriptors": [_input("projectId")],
        "url": f"{base}/publishers/{publisher_id}",
        "_links": {"self": {"href": f"{base}/publishers/{publisher_id}"}},
    }


def action(base: str) -> Tree:
    """The one action: post over HTTP."""
    return {
        "id": "httpRequest",
        "consumerId": "webHooks",
        "name": "Post via HTTP",
        "description": "Post a JSON object representation of the event to the specified URL.",
        "supportedEventTypes": ["*"],
        "inputDescriptors": [_input(name, required) for name, required in CONSUMER_INPUTS],
        "allowResourceVersionOverride": True,
        "url": f"{base}/consumers/webHooks/actions/httpRequest",
    }


def consumer(base: str) -> Tree:
    """The web hooks consumer."""
    return {
        "id": "webHooks",
        "name": "Web Hooks",
        "description": "Provides event communication via HTTP.",
        "authenticationType": "none",
        "actions": [action(base)],
        "inputDescriptors": [],
        "url": f"{base}/consumers/webHooks",
    }
