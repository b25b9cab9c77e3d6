"""Every event reaches those whose filters it passes, in the shape of the published samples, as often as its answers ask."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.sandbox.azure_devops.contract import contracts_folder
from local.sandbox.azure_devops.hook_catalog import EVENTS
from tests.unit.local.sandbox.azure_devops.support import ZERO, Receiver, change, fields, push, refused, wait_until

pytestmark = pytest.mark.stack
APPROVAL = "8c6f20a7-a545-4486-9777-f762fafe0d4d"
YAML = "trigger: none\nstages:\n- stage: Ship\n  jobs: [{deployment: d, environment: hooked}]\n"
ABSENT = {
    # Of features the simulator has none of: drop folders, XAML builds, notification scopes and templates of messages.
    "": {"scope"},
    "build.complete": {"dropLocation", "drop", "log", "hasDiagnostics"},
}
OWN_TO_THE_SAMPLE = (
    # Which fields changed or are filled depends on the work item; a new repository has no branch, a run under way no
    # result, and XAML definitions and queues are of the past.
    ".fields.",
    ".revision.fields.",
    ".repository.defaultBranch",
    ".run.result",
    ".run.finishedDate",
    ".definition.batchSize",
    ".definition.triggerType",
    ".definition.definitionType",
    ".queue.queueType",
    ".queue.url",
    "._links.workItemHistory",
)


def subscription(clients: Any, url: str, event: str, project: str = "Shop", **filters: str) -> Any:
    inputs = {"projectId": clients.get_core_client().get_project(project).id, **filters}
    return {
        "publisherId": EVENTS[event][0],
        "eventType": event,
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": inputs,
        "consumerInputs": {"url": url},
    }


@pytest.fixture
def hook(clients: Any, receiver: Receiver) -> Iterator[Callable[..., Any]]:
    """Subscribe to an event with filters; ended with the test."""
    service, made = clients.get_service_hooks_client(), []

    def subscribe(event: str, consumer: dict[str, str] | None = None, **filters: str) -> Any:
        wanted = subscription(clients, receiver.url, event, **filters)
        wanted["consumerInputs"] |= consumer or {}
        made.append(service.create_subscription(wanted))
        return made[-1]

    yield subscribe
    for one in made:
        service.delete_subscription(one.id)


@pytest.fixture(scope="module")
def told(clients: Any, connect: Any, raw: Any) -> Iterator[dict[str, dict[str, Any]]]:
    """One body of each event, from a story that makes all of them happen."""
    receiver = Receiver()
    service = clients.get_service_hooks_client()
    made = [service.create_subscription(subscription(clients, receiver.url, event)) for event in EVENTS]
    tracker, git, build = clients.get_work_item_tracking_client(), clients.get_git_client(), clients.get_build_client()
    parent = tracker.create_work_item(fields(System_Title="p"), "Shop", "Epic")
    link = {
        "op": "add",
        "path": "/relations/-",
        "value": {"rel": "System.LinkTypes.Hierarchy-Reverse", "url": parent.url},
    }
    item = tracker.create_work_item([*fields(System_Title="t", System_AssignedTo="Dev Dana"), link], "Shop", "Feature")
    tracker.add_comment({"text": "hello"}, "Shop", item.id)
    tracker.delete_work_item(item.id)
    tracker.restore_work_item({"isDeleted": False}, item.id)
    repository = git.create_repository({"name": "hooked"}, "Shop")
    tip = push(git, repository, "main", ZERO, change("add", "/ci.yml", YAML))
    git.update_refs([{"name": "refs/heads/t", "oldObjectId": ZERO, "newObjectId": tip}], repository.id)
    source = push(git, repository, "t", tip, change("add", "/b", "2"))
    pull = git.create_pull_request(
        {"sourceRefName": "refs/heads/t", "targetRefName": "refs/heads/main", "title": "t"}, repository.id
    )
    thread = git.create_thread({"comments": [{"content": "c"}]}, repository.id, pull.pull_request_id)
    git.update_comment({"content": "d"}, repository.id, pull.pull_request_id, thread.id, 1)
    git.update_pull_request(
        {"status": "completed", "lastMergeSourceCommit": {"commitId": source}}, repository.id, pull.pull_request_id
    )
    environment = clients.get_task_agent_client().add_environment({"name": "hooked"}, "Shop")
    lead = connect("lead").clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
    resource = {"type": "environment", "id": str(environment.id)}
    raw.ok(
        "POST",
        "/Shop/_apis/pipelines/checks/configurations",
        {"type": {"id": APPROVAL}, "settings": {"approvers": [{"id": lead}]}, "resource": resource},
    )
    definition = build.create_definition(
        {
            "name": "hooked",
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    build.queue_build({"definition": {"id": definition.id}}, "Shop")
    route = "/Shop/_apis/pipelines/approvals"
    waiting = wait_until(lambda: raw.ok("GET", route, state="pending")["value"])
    raw.ok("PATCH", route, [{"approvalId": waiting[0]["id"], "status": "approved"}], who="lead")
    wait_until(lambda: set(EVENTS) <= {b["eventType"] for b in receiver.events()})
    wait_until(lambda: receiver.events("build.complete"))
    for one in made:
        service.delete_subscription(one.id)
    receiver.stop()
    yield {event: receiver.events(event)[-1] for event in EVENTS} | {"all": {"bodies": receiver.events()}}


@pytest.mark.parametrize("event", EVENTS)
def test_each_event_says_what_happened_where_and_to_whom(told: dict[str, Any], event: str) -> None:
    body = told[event]
    assert body["publisherId"] == EVENTS[event][0]
    assert body["message"]["text"] == body["detailedMessage"]["markdown"] != ""
    assert set(body["resourceContainers"]) == {"collection", "account", "project"}
    assert {"id", "subscriptionId", "notificationId", "createdDate", "resourceVersion"} <= set(body)
    json.dumps(body, allow_nan=False)


def test_the_story_is_told_in_its_order_and_with_its_facts(told: dict[str, Any]) -> None:
    assert told["workitem.commented"]["resource"]["fields"]["System.History"] == "hello"
    created = next(
        b
        for b in told["all"]["bodies"]
        if b["eventType"] == "workitem.created" and "System.Parent" in b["resource"]["fields"]
    )
    assert created["resource"]["fields"]["System.AssignedTo"] == "Dev Dana <dana@fabrikam.example>"
    updated = told["workitem.updated"]["resource"]
    assert (updated["workItemId"], updated["fields"]["System.History"]["newValue"]) == (
        updated["revision"]["id"],
        "hello",
    )
    assert told["git.push"]["resource"]["refUpdates"][0]["name"] == "refs/heads/main"
    assert told["git.pullrequest.merged"]["resource"]["status"] == "completed"
    assert told["ms.vss-code.git-pullrequest-comment-event"]["resource"]["comment"]["content"] == "d"
    assert "edited" in told["ms.vss-code.git-pullrequest-comment-event"]["message"]["text"]
    stages = [b["resource"]["stage"]["state"] for b in told["all"]["bodies"] if "stage-state" in b["eventType"]]
    assert stages == ["waiting", "running", "completed"]
    runs = [b["resource"]["run"]["state"] for b in told["all"]["bodies"] if "run-state" in b["eventType"]]
    assert runs == ["inProgress", "completed"]
    assert told["ms.vss-pipelinechecks-events.approval-completed"]["resource"]["approval"]["status"] == "approved"
    assert told["build.complete"]["resource"]["result"] == "succeeded"


def missing(sample: Any, ours: Any, where: str = "") -> list[str]:
    """Names the sample has and we have not, where both hold something."""
    if isinstance(sample, list) and isinstance(ours, list) and sample and ours:
        return missing(sample[0], ours[0], where + "[0]")
    if not isinstance(sample, dict) or not isinstance(ours, dict):
        wrong = type(sample) is not type(ours) and None not in (sample, ours)
        return [f"{where}: {type(sample).__name__}, not {type(ours).__name__}"] if wrong else []
    found = [f"{where}.{name}" for name in sample if name not in ours]
    return found + [m for name in sample if name in ours for m in missing(sample[name], ours[name], f"{where}.{name}")]


@pytest.mark.contract
@pytest.mark.parametrize("event", EVENTS)
def test_bodies_have_the_names_and_types_of_the_published_samples(told: dict[str, Any], event: str) -> None:
    folder = contracts_folder() / "azure_devops" / "events"
    samples = sorted(folder.glob(f"{event}*.json"))
    if not samples:
        pytest.skip(f"no sample of {event} in {folder}: set DONERIGHT_CONTRACTS to the contracts folder")
    sample = json.loads(samples[0].read_text())
    absent = ABSENT[""] | ABSENT.get(event, set())
    top = {k: v for k, v in sample.items() if k not in absent}
    assert [
        m
        for m in missing({k: v for k, v in top.items() if k != "resource"}, told[event])
        if not m.startswith(".resourceContainers")
    ] == []
    resource = {k: v for k, v in sample["resource"].items() if k not in absent}
    gaps = [m for m in missing(resource, told[event]["resource"]) if not m.startswith(OWN_TO_THE_SAMPLE)]
    assert not gaps, ", ".join(gaps)


@pytest.mark.parametrize(
    ("event", "passing", "failing"),
    [
        ("workitem.created", {"workItemType": "Bug"}, {"workItemType": "Task"}),
        ("workitem.created", {"areaPath": "shop"}, {"areaPath": "Shop\\Web"}),
        ("workitem.created", {"tag": "URGENT"}, {"tag": "urg"}),
        ("workitem.updated", {"changedFields": "System.Title"}, {"changedFields": "System.State"}),
        ("workitem.updated", {"linksChanged": "false"}, {"linksChanged": "true"}),
        ("workitem.commented", {"commentPattern": "HELL"}, {"commentPattern": "bye"}),
        # A filter the event does not have is none, and must not stop anybody's work.
        ("workitem.created", {"repository": "x", "tag": ""}, {"tag": "none"}),
    ],
)
def test_work_item_filters(
    clients: Any, hook: Any, receiver: Receiver, event: str, passing: dict[str, str], failing: dict[str, str]
) -> None:
    yes, no = hook(event, **passing), hook(event, **failing)
    tracker = clients.get_work_item_tracking_client()
    item = tracker.create_work_item(fields(System_Title="t", System_Tags="urgent; x"), "Shop", "Bug")
    tracker.update_work_item(fields(System_Title="u"), item.id)
    if event == "workitem.commented":
        tracker.add_comment({"text": "hello"}, "Shop", item.id)
    wait_until(receiver.events)
    service = clients.get_service_hooks_client()
    wait_until(lambda: all(n.status == "completed" for n in service.get_notifications(yes.id)))
    assert {b["subscriptionId"] for b in receiver.events()} == {yes.id}
    assert service.get_notifications(no.id) == []


def test_code_and_pipeline_filters(clients: Any, hook: Any, receiver: Receiver, connect: Any) -> None:
    git, build = clients.get_git_client(), clients.get_build_client()
    me = connect().clients_v7_1.get_location_client().get_connection_data().authenticated_user.id
    repository = git.create_repository({"name": "filtered"}, "Shop")
    tip = push(
        git, repository, "main", ZERO, change("add", "/ci.yml", "trigger: none\nstages: [{stage: A, jobs: [{job: j}]}]")
    )
    definition = build.create_definition(
        {
            "name": "filtered",
            "process": {"type": 2, "yamlFilename": "ci.yml"},
            "repository": {"id": repository.id, "type": "TfsGit"},
        },
        "Shop",
    )
    number = str(definition.id)
    own = {"repository": repository.id}
    pairs = [
        ("git.push", {**own, "branch": "topic", "pushedBy": me}, {"branch": "main"}),
        ("git.push", {"branch": "refs/heads/topic"}, {"pushedBy": "nobody"}),
        ("git.pullrequest.created", {**own, "branch": "main", "pullrequestCreatedBy": me}, {"repository": "none"}),
        ("git.pullrequest.created", {"pullrequestReviewersContains": me}, {"pullrequestReviewersContains": "nobody"}),
        ("git.pullrequest.merged", {"mergeResult": "Succeeded"}, {"mergeResult": "Conflicts"}),
        (
            "git.pullrequest.updated",
            {"notificationType": "ReviewerVoteNotification"},
            {"notificationType": "PushNotification"},
        ),
        ("build.complete", {"definitionName": "Filtered", "buildStatus": "Succeeded"}, {"buildStatus": "Failed"}),
        ("build.complete", {"buildStatus": ""}, {"definitionName": "other"}),
        (
            "ms.vss-pipelines.run-state-changed-event",
            {"pipelineId": number, "runStateId": "InProgress"},
            {"runStateId": "Canceling"},
        ),
        ("ms.vss-pipelines.run-state-changed-event", {"runResultId": "Succeeded"}, {"pipelineId": "0"}),
        (
            "ms.vss-pipelines.stage-state-changed-event",
            {"stageNameId": "A", "stageStateId": "Running"},
            {"stageNameId": "B"},
        ),
        ("ms.vss-pipelines.stage-state-changed-event", {"stageResultId": "Succeeded"}, {"stageStateId": "Waiting"}),
    ]
    yes, no = [], []
    for event, passing, failing in pairs:
        yes.append(hook(event, **passing).id)
        no.append(hook(event, **failing).id)
    git.update_refs([{"name": "refs/heads/topic", "oldObjectId": ZERO, "newObjectId": tip}], repository.id)
    push(git, repository, "topic", tip, change("add", "/b", "2"))
    body = {
        "sourceRefName": "refs/heads/topic",
        "targetRefName": "refs/heads/main",
        "title": "t",
        "reviewers": [{"id": me}],
    }
    pull = git.create_pull_request(body, repository.id)
    git.create_pull_request_reviewer({"vote": 10}, repository.id, pull.pull_request_id, me)
    build.queue_build({"definition": {"id": definition.id}}, "Shop")
    wait_until(lambda: set(yes) <= {b["subscriptionId"] for b in receiver.events()})
    assert not set(no) & {b["subscriptionId"] for b in receiver.events()}


def test_an_approval_reaches_only_hooks_of_its_environment(
    clients: Any, hook: Any, receiver: Receiver, raw: Any, told: Any
) -> None:
    pending = "ms.vss-pipelinechecks-events.approval-pending"
    yes = [hook(pending, environmentName="Hooked"), hook(pending, stageName="Ship")]
    no = [hook(pending, environmentName="other"), hook(pending, stageName="Other"), hook(pending, pipelineId="0")]
    build = clients.get_build_client()
    definition = build.get_definitions("Shop", name="hooked")[0]
    run = build.queue_build({"definition": {"id": definition.id}}, "Shop")
    wait_until(lambda: {y.id for y in yes} <= {b["subscriptionId"] for b in receiver.events()})
    assert not {n.id for n in no} & {b["subscriptionId"] for b in receiver.events()}
    build.update_build({"status": "cancelling"}, "Shop", run.id)
    wait_until(lambda: build.get_build("Shop", run.id).status == "completed")
    assert told


def test_what_is_sent_is_trimmed_as_asked(clients: Any, hook: Any, receiver: Receiver) -> None:
    plain = hook(
        "workitem.created",
        {"resourceDetailsToSend": "none", "messagesToSend": "none", "detailedMessagesToSend": "text"},
    )
    small = hook("workitem.created", {"resourceDetailsToSend": "minimal", "httpHeaders": "X-One: 1\nbroken\n: none"})
    item = clients.get_work_item_tracking_client().create_work_item(fields(System_Title="t"), "Shop", "Task")
    wait_until(lambda: len(receiver.got) == 2)
    bodies = {b["subscriptionId"]: (h, b) for h, b in receiver.got}
    _, first = bodies[plain.id]
    assert (first["resource"], first["message"], list(first["detailedMessage"])) == (None, None, ["text"])
    headers, second = bodies[small.id]
    assert (second["resource"], headers["x-one"], "authorization" in headers) == (
        {"id": item.id, "url": item.url},
        "1",
        False,
    )


def test_a_busy_receiver_is_tried_eight_times_more_and_then_disabled(
    clients: Any, hook: Any, receiver: Receiver, simulator: Any
) -> None:
    deliveries, service = simulator.app.state.deliveries, clients.get_service_hooks_client()
    deliveries.retry_seconds, before = 0.001, deliveries.retry_seconds
    try:
        made = hook("workitem.created")
        receiver.answers = [503] * 9
        tracker = clients.get_work_item_tracking_client()
        tracker.create_work_item(fields(System_Title="t"), "Shop", "Task")
        wait_until(lambda: service.get_subscription(made.id).status == "disabledBySystem")
        assert len(receiver.got) == 9
        failed = service.get_notifications(made.id, status="completed", result="failed")
        assert [n.details.request_attempts for n in failed] == [9]
        tracker.create_work_item(fields(System_Title="t"), "Shop", "Task")
        wanted = service.get_subscription(made.id).serialize() | {"status": "enabled"}
        wanted["consumerInputs"] = {"url": receiver.url}
        assert service.replace_subscription(wanted, made.id).status == "enabled"
        receiver.answers = [500]
        tracker.create_work_item(fields(System_Title="t"), "Shop", "Task")
        wait_until(lambda: len(receiver.got) == 10)
        wait_until(lambda: len(service.get_notifications(made.id, result="failed")) == 2)
        # A server error is final for the delivery, and no reason to disable.
        assert service.get_subscription(made.id).status == "enabled"
        receiver.answers = [504]
        deliveries.retry_seconds = 0.2
        tracker.create_work_item(fields(System_Title="t"), "Shop", "Task")
        wait_until(lambda: service.get_subscription(made.id).status == "onProbation")
        service.replace_subscription(wanted | {"status": "disabledByUser"}, made.id)
        wait_until(lambda: len(service.get_notifications(made.id, result="failed")) == 3)
        assert len(receiver.got) == 11
    finally:
        deliveries.retry_seconds = before


def test_nobody_there_and_a_delivery_lost_on_purpose(
    clients: Any, hook: Any, receiver: Receiver, simulator: Any, raw: Any
) -> None:
    service, tracker = clients.get_service_hooks_client(), clients.get_work_item_tracking_client()
    gone = hook("workitem.created", {"url": "http://127.0.0.1:9/none"})
    lost = hook("workitem.created")
    rule = {"kind": "webhook_dropped", "event": "workitem.created", "path": ".*hook", "count": 1}
    answer = raw.client.post(f"{simulator.url}/_faults", json=rule)
    assert answer.status_code < 300, answer.text
    tracker.create_work_item(fields(System_Title="t"), "Shop", "Task")
    wait_until(lambda: service.get_subscription(gone.id).status == "onProbation")
    dropped = wait_until(lambda: service.get_notifications(lost.id, result="failed"))
    assert "dropped" in dropped[0].details.error_message
    assert (receiver.got, service.get_subscription(lost.id).status) == ([], "enabled")


def test_subscriptions_are_checked_found_and_tried_out(
    clients: Any, hook: Any, receiver: Receiver, raw: Any, connect: Any
) -> None:
    service = clients.get_service_hooks_client()
    made = hook("git.push", {"basicAuthUsername": "u", "basicAuthPassword": "hush"})
    good = subscription(clients, receiver.url, "git.push")
    for change_, words in (
        ({"publisherId": "none"}, "publisher 'none'"),
        ({"eventType": "build.none"}, "not supported"),
        ({"publisherId": "pipelines"}, "not supported"),
        ({"consumerId": "slack"}, "webHooks"),
        ({"consumerInputs": {"url": "ftp://x"}}, "absolute URL"),
        ({"consumerInputs": {"url": receiver.url, "basicAuthPassword": "********"}}, "masked"),
    ):
        refused(lambda change_=change_: service.create_subscription({**good, **change_}), words)
    kept = {**good, "consumerInputs": {"url": receiver.url, "basicAuthUsername": "u", "basicAuthPassword": "********"}}
    assert service.replace_subscription(kept, made.id).consumer_inputs["basicAuthPassword"] == "********"
    lead = connect("dev").clients_v7_1.get_service_hooks_client()
    refused(lambda: lead.delete_subscription(made.id), "Edit subscriptions")
    everywhere = {**good, "publisherInputs": {}}
    refused(
        lambda: connect("lead").clients_v7_1.get_service_hooks_client().create_subscription(everywhere),
        "Edit subscriptions",
    )
    # Nor may one move a subscription to where one may not make one.
    refused(
        lambda: connect("lead").clients_v7_1.get_service_hooks_client().replace_subscription(everywhere, made.id),
        "Edit subscriptions",
    )
    condition = {"inputId": "projectId", "inputValue": made.publisher_inputs["projectId"], "operator": "equals"}
    found = service.create_subscriptions_query(
        {"eventType": "git.push", "publisherInputFilters": [{"conditions": [condition]}]}
    )
    assert [s.id for s in found.results] == [made.id]
    listed = raw.ok("GET", "/_apis/hooks/subscriptions", eventType="git.push", publisherId="tfs")["value"]
    assert [s["id"] for s in listed] == [made.id]
    details = {"publisherId": "tfs", "eventType": "git.push", "consumerInputs": {"url": receiver.url}}
    service.create_test_notification({"details": details})
    wait_until(lambda: receiver.events("git.push"))
    assert receiver.events("git.push")[0]["message"]["text"] == "Test"
    push_to = clients.get_git_client().create_repository({"name": "asked"}, "Shop")
    push(clients.get_git_client(), push_to, "main", ZERO, change("add", "/a", "1"))
    wait_until(lambda: len(receiver.events("git.push")) == 2)
    assert receiver.got[-1][0]["authorization"].startswith("Basic ")
    one = wait_until(lambda: service.get_notifications(made.id, result="succeeded"))[0]
    assert service.get_notification(made.id, one.id).details.event_type == "git.push"
    refused(lambda: service.get_notification(made.id, 99_999), "could not be found")
    asked = service.query_notifications(
        {"subscriptionIds": [made.id], "resultType": "succeeded", "status": "completed", "maxResults": 5}
    )
    assert [n.id for n in asked.results] == [one.id]


def test_the_catalogue(clients: Any, raw: Any) -> None:
    service = clients.get_service_hooks_client()
    assert [p.id for p in service.list_publishers()] == ["tfs", "pipelines"]
    assert "git.push" in [e.id for e in service.get_publisher("tfs").supported_events]
    assert [e.id for e in service.list_event_types("pipelines")] == [
        e for e, row in EVENTS.items() if row[0] == "pipelines"
    ]
    assert "branch" in [i.id for i in service.get_event_type("tfs", "git.push").input_descriptors]
    assert service.get_consumer("webHooks").actions[0].id == "httpRequest"
    assert [c.id for c in service.list_consumers()] == ["webHooks"]
    assert [a.id for a in service.list_consumer_actions("webHooks")] == ["httpRequest"]
    secret = {i.id: i.is_confidential for i in service.get_consumer_action("webHooks", "httpRequest").input_descriptors}
    assert (secret["basicAuthPassword"], secret["url"]) == (True, False)
    for path in (
        "publishers/none",
        "publishers/tfs/eventTypes/none",
        "consumers/none",
        "consumers/none/actions",
        "consumers/webHooks/actions/none",
    ):
        raw.no(404, "could not be found", "GET", f"/_apis/hooks/{path}")
    raw.no(404, "VS800135", "GET", "/_apis/hooks/subscriptions/none")
