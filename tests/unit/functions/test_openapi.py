"""The description is valid OpenAPI 3.1, lists exactly the app's routes, and the app is wired as it says."""

from __future__ import annotations

import inspect

import pytest
from jsonschema import Draft202012Validator
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource

import function_app
from functions import openapi, reference
from orchestrations.activities import ACTIVITIES
from tests.unit.functions.conftest import answered, request, user_function

DOCUMENT = openapi.document()
OPEN = {
    "receive_github",
    "receive_azure_devops",
    "view_project",
    "view_review",
    "finish_github_app",
    "describe_api",
    "health",
}


@pytest.fixture(scope="module")
def registered():
    return {function.get_function_name(): function for function in function_app.app.get_functions()}


def test_routes_methods_and_auth_levels_are_those_of_the_app(registered):
    served = {}
    for name, function in registered.items():
        trigger = function.get_trigger()
        if trigger.type == "httpTrigger":
            (method,) = [method.value.lower() for method in trigger.methods]
            served[name] = (method, f"/api/{trigger.route}", trigger.auth_level.value.upper())
    described = {
        operation["operationId"]: (
            method,
            path,
            "FUNCTION" if openapi.KEY in str(operation["security"]) else "ANONYMOUS",
        )
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    assert described == served
    assert {name for name, (_, _, level) in served.items() if level == "ANONYMOUS"} == OPEN


def test_runbooks_activities_queues_and_the_timer_are_registered(registered):
    ours = {name: function for name, function in registered.items() if not name.startswith("BuiltIn__")}
    kinds = {name: function.get_trigger().type for name, function in ours.items()}
    assert {name for name, kind in kinds.items() if kind == "orchestrationTrigger"} == {
        "bootstrap", "drift", "portfolio", "portfolio_preview", "portfolio_project_preview", "removal", "review", "scaffold_update", "scaffold_updates",
        "simulation", "step",
    }  # fmt: skip
    assert {name for name, kind in kinds.items() if kind == "activityTrigger"} == {a.__name__ for a in ACTIVITIES}
    queues = {name: f.get_trigger().queue_name for name, f in ours.items() if kinds[name] == "queueTrigger"}
    assert queues == {"handle_delivery": "deliveries", "keep_poisoned": "deliveries-poison"}
    assert registered["sweep"].get_trigger().schedule == "%DONERIGHT_SWEEP_SCHEDULE%"
    assert registered["sweep_reviews"].get_trigger().schedule == "%DONERIGHT_SWEEP_SCHEDULE%"
    assert registered["take_up_portfolios"].get_trigger().schedule == "%DONERIGHT_SWEEP_SCHEDULE%"
    assert registered["look_for_drift_daily"].get_trigger().schedule == "%DONERIGHT_DRIFT_SCHEDULE%"


def schemas():
    return [(name, schema) for name, schema in DOCUMENT["components"]["schemas"].items()]


@pytest.mark.parametrize(("name", "schema"), schemas(), ids=[name for name, _ in schemas()])
def test_every_schema_is_a_schema_of_openapi_31(name, schema):
    OAS31Validator.check_schema(schema)
    Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere():
    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(DOCUMENT))
    assert found
    for reference_ in found:
        prefix, _, name = reference_.rpartition("/")
        assert prefix == "#/components/schemas"
        assert name in DOCUMENT["components"]["schemas"]


def test_the_document_has_the_shape_openapi_31_asks_for():
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(DOCUMENT["info"])
    identifiers = []
    for path, operations in DOCUMENT["paths"].items():
        assert path.startswith("/api/")
        for operation in operations.values():
            identifiers.append(operation["operationId"])
            assert operation["responses"]
            assert all(response["description"] for response in operation["responses"].values())
            in_path = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert in_path == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
            assert all(p["required"] for p in operation.get("parameters", ()) if p["in"] == "path")
            for requirement in operation["security"]:
                assert set(requirement) <= set(DOCUMENT["components"]["securitySchemes"])
    assert len(identifiers) == len(set(identifiers))


def test_refusals_validate_against_the_problem_they_are_described_as(app, call):
    from functions import connections, projects

    registry = Registry().with_resource("urn:doc", Resource.opaque(DOCUMENT))
    validator = Draft202012Validator({"$ref": "urn:doc#/components/schemas/Problem"}, registry=registry)
    for answer in (
        call(connections.create_connection, "POST", {}),
        call(projects.show_project, route={"id": "nothing"}),
        call(connections.finish_github_app),
    ):
        validator.validate(answer.body)


def test_a_status_validates_against_its_schema(app, call):
    from functions import projects
    from shared.projects.admission import admit
    from shared.projects.planning import draw_plan
    from tests.fakes.app import an_issue

    app.connect_to()
    run = app.run_for(an_issue())
    draw_plan(app.ports, run, admit(app.ports, run).project)
    answer = call(projects.show_project, route={"id": "order-desk"})
    registry = Registry().with_resource("urn:doc", Resource.opaque(DOCUMENT))
    Draft202012Validator({"$ref": "urn:doc#/components/schemas/StatusView"}, registry=registry).validate(answer.body)


async def test_the_description_and_the_health_are_served():
    assert inspect.iscoroutinefunction(user_function(reference.health))
    described = answered(await user_function(reference.describe_api)(request()))
    assert described.body["paths"].keys() == DOCUMENT["paths"].keys()
    assert answered(await user_function(reference.health)(request())).body == {"status": "ok"}
