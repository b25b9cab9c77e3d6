"""Every durable pattern runs through the host, started, watched and steered over the durable HTTP API."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytestmark = pytest.mark.stack


def test_chaining(stack: Any) -> None:
    status = stack.run("chaining")
    assert (status["runtimeStatus"], status["output"]) == ("Completed", ["Hello Tokyo", "Hello Seattle"])
    assert status["name"] == "chaining"


def test_fan_out_and_fan_in(stack: Any) -> None:
    assert stack.run("fan_out", 20)["output"] == sum(number * 2 for number in range(20))


def test_sub_orchestrations(stack: Any) -> None:
    assert stack.run("parent")["output"] == [["Hello Tokyo", "Hello Seattle"], 6]


def test_durable_timer(stack: Any) -> None:
    assert stack.run("timer_then")["output"] == "fired"


def test_external_event_and_custom_status(stack: Any, until: Callable[..., Any]) -> None:
    instance = stack.begin("approval")
    until(lambda: stack.status(instance)["customStatus"] == "waiting for approval")
    running = stack.durable("GET", f"/instances/{instance}")
    assert running.status_code == 202
    assert running.headers["retry-after"] == "10"
    assert running.headers["location"].startswith(f"{stack.url}/runtime/webhooks/durabletask/instances/{instance}")
    assert stack.durable("POST", f"/instances/{instance}/raiseEvent/approval", json={"by": "mia"}).status_code == 202
    status = stack.ended(instance)
    assert status["output"] == {"approved": {"by": "mia"}}
    assert status["customStatus"] == {"approved": {"by": "mia"}}
    gone = stack.durable("POST", f"/instances/{instance}/raiseEvent/approval", json=1)
    assert gone.status_code == 410


def test_external_event_that_does_not_come(stack: Any) -> None:
    assert stack.run("approval", 0.5)["output"] == "timed out"


def test_continue_as_new(stack: Any) -> None:
    status = stack.run("eternal")
    assert (status["output"], status["input"]) == (3, 3)


def test_retry_policy(stack: Any) -> None:
    assert stack.run("retrying", str(stack.folder / "attempts"))["output"] == "succeeded at 3"


def test_failure_names_the_exception(stack: Any) -> None:
    instance = stack.begin("failing")
    status = stack.ended(instance)
    assert status["runtimeStatus"] == "Failed"
    assert "cannot do this" in str(status["output"])
    assert stack.durable("GET", f"/instances/{instance}").status_code == 200
    as_error = stack.durable("GET", f"/instances/{instance}", params={"returnInternalServerErrorOnFailure": "true"})
    assert as_error.status_code == 500


def test_unknown_activity_fails_its_task_with_a_clear_message(stack: Any) -> None:
    status = stack.run("unknown_activity")
    assert status["runtimeStatus"] == "Failed"
    assert "'no_such_activity' doesn't exist" in str(status["output"])


@pytest.mark.parametrize(
    "values", [[None, True, 0, -1.5, "", "text", 'é\n"', [], [1, [2]], {}, {"a": {"b": None}}, "123", "null"]]
)
def test_json_values_arrive_as_sent(stack: Any, values: list[Any]) -> None:
    assert stack.run("values", values)["output"] == values


def test_entities(stack: Any, until: Callable[..., Any]) -> None:
    assert stack.run("count_up", "a")["output"] == 3
    assert stack.durable("GET", "/entities/counter/a").json() == 3
    assert stack.durable("POST", "/entities/Counter/a?op=add", json=4).status_code == 202
    until(lambda: stack.durable("GET", "/entities/counter/a").json() == 7)
    listed = stack.durable("GET", "/entities/counter", params={"fetchState": "true"}).json()
    assert {"name": "counter", "key": "a"} in [item["entityId"] for item in listed]
    assert next(item["state"] for item in listed if item["entityId"]["key"] == "a") == 7
    assert stack.durable("GET", "/entities/counter/absent").status_code == 404
    assert stack.durable("POST", "/entities/unknown/a?op=add", json=4).status_code == 400
    assert stack.request("GET", "/api/entity/a").json() == {"exists": True, "state": 7}


def test_entity_lock(stack: Any) -> None:
    instances = [stack.begin("locking") for _ in range(4)]
    outputs = sorted(stack.ended(instance)["output"] for instance in instances)
    assert outputs == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_suspend_and_resume(stack: Any, until: Callable[..., Any]) -> None:
    instance = stack.begin("approval")
    until(lambda: stack.status(instance)["runtimeStatus"] == "Running")
    assert stack.durable("POST", f"/instances/{instance}/suspend?reason=lunch").status_code == 202
    until(lambda: stack.status(instance)["runtimeStatus"] == "Suspended")
    assert stack.durable("GET", f"/instances/{instance}").status_code == 202
    assert stack.durable("POST", f"/instances/{instance}/raiseEvent/approval", json="yes").status_code == 202
    assert stack.durable("POST", f"/instances/{instance}/resume?reason=back").status_code == 202
    assert stack.ended(instance)["output"] == {"approved": "yes"}


def test_terminate_then_purge(stack: Any, until: Callable[..., Any]) -> None:
    instance = stack.begin("approval")
    until(lambda: stack.status(instance)["runtimeStatus"] == "Running")
    assert stack.durable("POST", f"/instances/{instance}/terminate?reason=enough").status_code == 202
    status = stack.ended(instance)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "enough")
    assert stack.durable("POST", f"/instances/{instance}/terminate").status_code == 410
    assert stack.durable("DELETE", f"/instances/{instance}").json() == {"instancesDeleted": 1}
    assert stack.durable("DELETE", f"/instances/{instance}").status_code == 404
    assert stack.durable("GET", f"/instances/{instance}").status_code == 404


def test_rewind(stack: Any, until: Callable[..., Any]) -> None:
    repaired = stack.folder / "repaired"
    instance = stack.begin("rewindable", str(repaired))
    assert stack.ended(instance)["runtimeStatus"] == "Failed"
    repaired.touch()
    assert stack.durable("POST", f"/instances/{instance}/rewind?reason=repaired").status_code == 202
    until(lambda: stack.status(instance)["runtimeStatus"] == "Completed")
    assert stack.status(instance)["output"] == ["Hello again", "repaired"]
    assert stack.durable("POST", f"/instances/{instance}/rewind").status_code == 410


def test_restart(stack: Any) -> None:
    first = stack.begin("fan_out", 3)
    assert stack.ended(first)["output"] == 6
    answer = stack.durable("POST", f"/instances/{first}/restart")
    assert answer.status_code == 202
    again = answer.json()["id"]
    assert again != first
    assert stack.ended(again)["output"] == 6
    same = stack.durable("POST", f"/instances/{first}/restart", params={"restartWithNewInstanceId": "false"})
    assert same.json()["id"] == first
    assert stack.ended(first)["output"] == 6
    assert stack.durable("POST", "/instances/absent/restart").status_code == 404


@pytest.fixture
def polled_server() -> Iterator[str]:
    """A server that answers 202 with a Location once, then 200."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/start":
                self.send_response(202)
                self.send_header("Location", "/done")
                self.send_header("Retry-After", "1")
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"done")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/start"
    server.shutdown()
    server.server_close()
    thread.join()


def test_call_http_polls(stack: Any, polled_server: str) -> None:
    assert stack.run("calls_http", polled_server)["output"] == {"status": 200, "content": "done"}


def test_the_client_binding_starts_and_links(stack: Any) -> None:
    answer = stack.request("POST", "/api/start/fan_out?id=named%20one", json=4)
    assert answer.status_code == 202
    links = answer.json()
    assert links["id"] == "named one"
    assert answer.headers["location"] == links["statusQueryGetUri"]
    assert stack.ended("named%20one")["output"] == 12
    assert stack.client.get(links["statusQueryGetUri"]).json()["output"] == 12
    assert stack.client.delete(links["purgeHistoryDeleteUri"]).json() == {"instancesDeleted": 1}


def test_starting_twice_under_one_id_conflicts(stack: Any) -> None:
    instance = stack.begin("approval", instance_id="only-once")
    assert stack.durable("POST", "/orchestrators/approval/only-once").status_code == 409
    stack.durable("POST", f"/instances/{instance}/terminate")


def test_start_and_wait(stack: Any) -> None:
    done = stack.durable("POST", "/orchestrators/fan_out?timeout=20&pollingInterval=0.1", json=3)
    assert (done.status_code, done.json()) == (200, 6)
    failed = stack.durable("POST", "/orchestrators/failing?timeout=20&pollingInterval=0.1")
    assert failed.status_code == 500
    late = stack.durable("POST", "/orchestrators/approval?timeout=0.2&pollingInterval=0.1")
    assert late.status_code == 202
    stack.durable("POST", f"/instances/{late.json()['id']}/terminate")


def test_history_and_input_are_shown_on_request(stack: Any) -> None:
    instance = stack.begin("fan_out", 2)
    stack.ended(instance)
    assert "historyEvents" not in stack.status(instance)
    status = stack.status(instance, showHistory="true", showHistoryOutput="true", showInput="false")
    assert status["input"] is None
    kinds = [event["EventType"] for event in status["historyEvents"]]
    assert kinds[0] == "ExecutionStarted"
    assert kinds.count("TaskCompleted") == 2
    assert kinds[-1] == "ExecutionCompleted"


def test_list_filter_and_purge_by_filter(stack: Any) -> None:
    instances = [stack.begin("fan_out", 1, f"listed-{number}") for number in range(5)]
    for instance in instances:
        stack.ended(instance)
    first = stack.durable("GET", "/instances", params={"instanceIdPrefix": "listed-", "top": "3"})
    names = [item["instanceId"] for item in first.json()]
    assert len(names) == 3
    token = first.headers["x-ms-continuation-token"]
    rest = stack.request(
        "GET",
        "/runtime/webhooks/durabletask/instances",
        params={"instanceIdPrefix": "listed-", "top": "3"},
        headers={"x-functions-key": "durable-key", "x-ms-continuation-token": token},
    )
    assert sorted(names + [item["instanceId"] for item in rest.json()]) == sorted(instances)
    running = stack.durable(
        "GET", "/instances", params={"runtimeStatus": "Running,Pending", "instanceIdPrefix": "listed-"}
    )
    assert running.json() == []
    assert stack.durable("DELETE", "/instances").status_code == 400
    purged = stack.durable(
        "DELETE", "/instances", params={"createdTimeFrom": "2020-01-01T00:00:00Z", "runtimeStatus": "Completed"}
    )
    assert purged.json()["instancesDeleted"] >= 5
    later = stack.durable("DELETE", "/instances", params={"createdTimeFrom": "2100-01-01T00:00:00Z"})
    assert later.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/orchestrators/unknown", {}, 400),
        ("POST", "/orchestrators/fan_out", {"content": b"{"}, 400),
        ("POST", "/orchestrators/fan_out?timeout=soon", {}, 400),
        ("POST", "/instances/absent/raiseEvent/approval", {"json": 1}, 404),
        ("POST", "/instances/absent/terminate", {}, 404),
        ("POST", "/instances/absent/suspend", {}, 404),
        ("POST", "/instances/absent/resume", {}, 404),
        ("POST", "/instances/absent/rewind", {}, 404),
        ("GET", "/instances/absent", {}, 404),
        ("GET", "/instances?runtimeStatus=Sleeping", {}, 400),
        ("GET", "/instances?createdTimeFrom=yesterday", {}, 400),
        ("GET", "/instances?top=none", {}, 400),
        ("GET", "/instances/absent?showHistory=perhaps", {}, 404),
        ("GET", "/nothing", {}, 404),
    ],
)
def test_wrong_requests_are_refused_with_a_message(
    stack: Any, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = stack.durable(method, path, **options)
    assert answer.status_code == status, answer.text
    assert answer.json()["Message"]


def test_the_api_wants_its_key(stack: Any) -> None:
    for key in ({}, {"x-functions-key": "function-key"}):
        assert stack.request("GET", "/runtime/webhooks/durabletask/instances", headers=key).status_code == 401
    assert stack.request("GET", "/runtime/webhooks/durabletask/instances?code=durable-key").status_code == 200
    assert stack.request("GET", "/runtime/webhooks/durabletask/instances?code=master-key").status_code == 200


def test_many_instances_at_once(stack: Any) -> None:
    instances = [stack.begin("fan_out", 5) for _ in range(100)]
    assert {stack.ended(instance, 60)["output"] for instance in instances} == {20}
