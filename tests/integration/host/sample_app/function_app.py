"""Every pattern the host runs, each as small as it can be, written as an app for Azure would be."""

import asyncio
import json
import logging
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import List  # noqa: UP035 - the worker library takes no builtin generic inside Out

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
TRACE = Path(os.environ.get("SAMPLE_TRACE", "sample_trace.log"))


def trace(line: str) -> None:
    """Append a line to the file the tests read."""
    with TRACE.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


@app.route(route="noop")
async def noop(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok")


@app.route(route="noop-sync")
def noop_sync(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok")


@app.route(route="echo/{id:int}", methods=["GET", "POST"])
async def echo_int(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(
        json.dumps(
            {
                "route": dict(req.route_params),
                "query": dict(req.params),
                "body": req.get_body().decode(),
                "method": req.method,
                "url": req.url,
                "header": req.headers.get("X-Sample"),
            }
        ),
        mimetype="application/json",
    )


@app.route(route="echo/{name}", methods=["PUT"])
async def echo_name(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.route_params["name"], status_code=201, headers={"X-Made": "yes"})


@app.route(route="files/{*path}", methods=["GET"])
async def files(req: func.HttpRequest) -> str:
    return req.route_params["path"]


@app.route(route="maybe/{id?}", methods=["GET"])
async def maybe(req: func.HttpRequest) -> str:
    return req.route_params.get("id", "none")


@app.route(route="bytes", methods=["GET"])
async def raw_bytes(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(bytes(range(256)), mimetype="application/octet-stream")


@app.route(route="text", methods=["GET"])
async def text(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("naïve", mimetype="text/plain", charset="latin-1")


@app.route(route="cookies", methods=["GET"])
async def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("cookies")
    response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
    response.headers.add("Set-Cookie", "b=2; Secure; SameSite=Lax")
    return response


@app.route(route="fail")
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("failed on purpose")


@app.route(route="log")
def log(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    logging.warning("said inside")
    return func.HttpResponse(context.invocation_id)


@app.route(route="slow-sync")
def slow_sync(req: func.HttpRequest) -> func.HttpResponse:
    time.sleep(1)
    return func.HttpResponse("slow")


@app.route(route="secret", auth_level=func.AuthLevel.FUNCTION)
async def secret(req: func.HttpRequest) -> str:
    trace("secret ran")
    return "secret"


@app.route(route="admin-only", auth_level=func.AuthLevel.ADMIN)
async def admin_only(req: func.HttpRequest) -> str:
    return "admin"


@app.route(route="enqueue", methods=["POST"])
@app.queue_output(arg_name="message", queue_name="%SAMPLE_QUEUE%", connection="AzureWebJobsStorage")
async def enqueue(req: func.HttpRequest, message: func.Out[str]) -> func.HttpResponse:
    message.set(req.get_body().decode())
    return func.HttpResponse(status_code=202)


@app.route(route="enqueue-many", methods=["POST"])
@app.queue_output(arg_name="messages", queue_name="sample-many", connection="AzureWebJobsStorage")
async def enqueue_many(req: func.HttpRequest, messages: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006
    messages.set([f"m{number}" for number in range(3)])
    return func.HttpResponse(status_code=202)


@app.route(route="enqueue-broken", methods=["POST"])
@app.queue_output(arg_name="message", queue_name="sample-broken", connection="SAMPLE_DEAD_STORAGE")
async def enqueue_broken(req: func.HttpRequest, message: func.Out[str]) -> func.HttpResponse:
    message.set("never arrives")
    return func.HttpResponse(status_code=202)


@app.queue_trigger(arg_name="message", queue_name="%SAMPLE_QUEUE%", connection="AzureWebJobsStorage")
async def on_message(message: func.QueueMessage) -> None:
    body = message.get_body().decode()
    trace(f"message {body} {message.dequeue_count} {message.id} {bool(message.pop_receipt)} {message.insertion_time}")
    if body.startswith("fail"):
        raise ValueError("refused on purpose")
    if body.startswith("slow"):
        await asyncio.sleep(float(body.split()[1]))
        trace(f"done {body}")


@app.queue_trigger(arg_name="message", queue_name="sample-many", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="$return", queue_name="sample-out", connection="AzureWebJobsStorage")
def on_many(message: func.QueueMessage) -> str:
    trace(f"many {message.get_body().decode()}")
    return f"out {message.get_body().decode()}"


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_SCHEDULE%", run_on_startup=True, use_monitor=True)
def tick(timer: func.TimerRequest) -> None:
    trace(f"tick {timer.past_due}")


@app.activity_trigger(input_name="city")
def say_hello(city: str) -> str:
    return f"Hello {city}"


@app.activity_trigger(input_name="value")
async def double(value: int) -> int:
    return value * 2


@app.activity_trigger(input_name="value")
def always_fails(value: str) -> str:
    trace(f"always_fails {value}")
    raise ValueError(f"cannot do {value}")


@app.activity_trigger(input_name="path")
def fails_twice(path: str) -> str:
    counter = Path(path)
    count = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(str(count))
    if count < 3:
        raise OSError(f"attempt {count}")
    return f"succeeded at {count}"


@app.activity_trigger(input_name="path")
def fails_until_present(path: str) -> str:
    if not Path(path).exists():
        raise OSError("not there yet")
    return "repaired"


@app.activity_trigger(input_name="seconds")
async def slow_activity(seconds: float) -> str:
    trace("slow_activity started")
    await asyncio.sleep(seconds)
    trace("slow_activity ended")
    return "slow done"


@app.activity_trigger(input_name="value")
def round_trip(value):
    return value


@app.orchestration_trigger(context_name="context")
def chaining(context: df.DurableOrchestrationContext):
    first = yield context.call_activity("say_hello", "Tokyo")
    second = yield context.call_activity("say_hello", "Seattle")
    return [first, second]


@app.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext):
    count = context.get_input() or 5
    results = yield context.task_all([context.call_activity("double", number) for number in range(count)])
    return sum(results)


@app.orchestration_trigger(context_name="context")
def parent(context: df.DurableOrchestrationContext):
    children = [context.call_sub_orchestrator("chaining"), context.call_sub_orchestrator("fan_out", 3)]
    results = yield context.task_all(children)
    return results


@app.orchestration_trigger(context_name="context")
def timer_then(context: df.DurableOrchestrationContext):
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    return "fired"


@app.orchestration_trigger(context_name="context")
def approval(context: df.DurableOrchestrationContext):
    context.set_custom_status("waiting for approval")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(seconds=float(context.get_input() or 30)))
    answer = context.wait_for_external_event("approval")
    winner = yield context.task_any([answer, deadline])
    if winner == answer:
        context.set_custom_status({"approved": answer.result})
        return {"approved": answer.result}
    return "timed out"


@app.orchestration_trigger(context_name="context")
def eternal(context: df.DurableOrchestrationContext):
    count = context.get_input() or 0
    if count < 3:
        context.continue_as_new(count + 1)
        return None
    return count


@app.orchestration_trigger(context_name="context")
def retrying(context: df.DurableOrchestrationContext):
    options = df.RetryOptions(first_retry_interval_in_milliseconds=100, max_number_of_attempts=3)
    result = yield context.call_activity_with_retry("fails_twice", options, context.get_input())
    return result


@app.orchestration_trigger(context_name="context")
def failing(context: df.DurableOrchestrationContext):
    yield context.call_activity("always_fails", "this")


@app.orchestration_trigger(context_name="context")
def rewindable(context: df.DurableOrchestrationContext):
    hello = yield context.call_activity("say_hello", "again")
    repaired = yield context.call_activity("fails_until_present", context.get_input())
    return [hello, repaired]


@app.orchestration_trigger(context_name="context")
def unknown_activity(context: df.DurableOrchestrationContext):
    yield context.call_activity("no_such_activity", 1)


@app.orchestration_trigger(context_name="context")
def slow(context: df.DurableOrchestrationContext):
    result = yield context.call_activity("slow_activity", context.get_input())
    return result


@app.orchestration_trigger(context_name="context")
def values(context: df.DurableOrchestrationContext):
    result = []
    for value in context.get_input():
        back = yield context.call_activity("round_trip", value)
        result.append(back)
    return result


@app.entity_trigger(context_name="context")
def counter(context: df.DurableEntityContext):
    value = context.get_state(lambda: 0)
    if context.operation_name == "add":
        value += context.get_input()
        context.set_state(value)
    elif context.operation_name == "reset":
        context.set_state(0)
    elif context.operation_name == "fail":
        raise ValueError("entity refused")
    context.set_result(value)


@app.orchestration_trigger(context_name="context")
def count_up(context: df.DurableOrchestrationContext):
    entity = df.EntityId("counter", context.get_input())
    context.signal_entity(entity, "add", 1)
    yield context.call_entity(entity, "add", 2)
    total = yield context.call_entity(entity, "get")
    return total


@app.orchestration_trigger(context_name="context")
def locking(context, _):
    entity = df.EntityId("counter", "locked")
    other = df.EntityId("counter", "locked2")
    with (yield context.lock_entities([entity, other])):
        before = yield context.call_entity(entity, "get")
        after = yield context.call_entity(entity, "add", 1)
    return [before, after]


@app.orchestration_trigger(context_name="context")
def calls_http(context: df.DurableOrchestrationContext):
    answer = yield context.call_http("GET", context.get_input())
    return {"status": answer.status_code, "content": answer.content}


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    body = req.get_body()
    instance_id = await client.start_new(
        req.route_params["name"], req.params.get("id"), json.loads(body) if body else None
    )
    return client.create_check_status_response(req, instance_id)


@app.route(route="entity/{key}", methods=["GET"])
@app.durable_client_input(client_name="client")
async def read_entity(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    state = await client.read_entity_state(df.EntityId("counter", req.route_params["key"]))
    return func.HttpResponse(json.dumps({"exists": state.entity_exists, "state": state.entity_state}))
