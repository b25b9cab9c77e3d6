"""Describes the HTTP API as OpenAPI 3.1, from the same models that validate it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.adoptions import NewAdoption, NewConsent
from functions.backlogs import ChosenFixes
from functions.decisions import NewDecision
from functions.policies import NewPolicy, NewPolicyCheck, NewSimulation
from functions.projects import NewProject
from functions.reviews import NewReview, ReviewView
from functions.stale import NewRemoval
from functions.updates import NewUpdates
from shared.agents.health import AgentsView
from shared.audit.verify import Verification
from shared.connections.keeping import ConnectionCheck
from shared.domain.activity import IdleListing
from shared.domain.audit import AuditEvent
from shared.domain.backlog import BacklogView, NormalisationView
from shared.domain.connection import Connection, ConnectionPatch, ConnectionSettings
from shared.domain.delivery import DeliveryRecord, DeliveryState
from shared.domain.evidence import EvidenceListing, EvidenceReceipt
from shared.domain.forge import ForgeName
from shared.domain.issue_category import SortingView
from shared.domain.plan import Plan
from shared.domain.policy_view import PolicyCheck, PolicyText, PolicyView
from shared.domain.portfolio import PortfolioBody
from shared.domain.scaffold_update import ProjectUpdateView, UpdateRunView
from shared.domain.simulation import SimulationView
from shared.projects.adopting.showing import AdoptionView
from shared.projects.portfolio.previewing import PreviewView
from shared.projects.portfolio.viewing import PortfolioView
from shared.projects.status import StatusView

KEY, SIGNED, BASIC, OPEN = "functionKey", "githubSignature", "azureDevOps", ""
_PARAMETER = re.compile(r"\{(\w+)\}")

MODELS: tuple[type[BaseModel], ...] = (
    AdoptionView,
    AgentsView,
    AuditEvent,
    BacklogView,
    ChosenFixes,
    Connection,
    ConnectionCheck,
    ConnectionPatch,
    ConnectionSettings,
    DeliveryRecord,
    EvidenceListing,
    EvidenceReceipt,
    IdleListing,
    NewAdoption,
    NewConsent,
    NewDecision,
    NewPolicy,
    NewPolicyCheck,
    NewProject,
    NewRemoval,
    NewReview,
    NewSimulation,
    NewUpdates,
    NormalisationView,
    Plan,
    PolicyCheck,
    PolicyText,
    PolicyView,
    PortfolioBody,
    PortfolioView,
    PreviewView,
    ProjectUpdateView,
    ReviewView,
    SimulationView,
    SortingView,
    StatusView,
    UpdateRunView,
    Verification,
)


ANSWERS = frozenset(
    {
        AdoptionView,
        AgentsView,
        BacklogView,
        EvidenceListing,
        EvidenceReceipt,
        NormalisationView,
        SortingView,
        Connection,
        IdleListing,
        PortfolioView,
        PreviewView,
        ProjectUpdateView,
        ReviewView,
        StatusView,
        UpdateRunView,
        PolicyCheck,
        PolicyText,
        PolicyView,
        SimulationView,
    }
)
"""Models that are only ever answered: what they compute is part of them."""


EITHER = frozenset({PortfolioBody.__name__, NewPolicy.__name__, NewPolicyCheck.__name__, NewSimulation.__name__})
"""Bodies that may be YAML as well."""


REPORT = "report"
"""A body of any kind of bytes, or several as parts."""
_BYTES: dict[str, Any] = {"type": "string", "contentEncoding": "binary"}


class Route(NamedTuple):
    """One operation."""

    method: str
    path: str
    function: str
    summary: str
    security: str
    body: str
    success: tuple[str, str]
    """Status and the model it answers, empty for none."""
    others: tuple[str, ...]


ROUTES: tuple[Route, ...] = (
    Route("post", "/webhooks/github", "receive_github", "Receive a GitHub webhook", SIGNED, "any", ("202", ""), ("400", "401", "413")),
    Route("post", "/webhooks/azure-devops", "receive_azure_devops", "Receive an Azure DevOps service hook", BASIC, "any", ("202", ""), ("400", "401", "413")),
    Route("get", "/deliveries", "list_deliveries", "List deliveries and what became of them", KEY, "", ("200", ""), ("400", "401")),
    Route("get", "/deliveries/{id}", "show_delivery", "Show a delivery", KEY, "", ("200", "DeliveryRecord"), ("401", "404")),
    Route("post", "/deliveries/{id}/replay", "replay_delivery", "Handle a delivery again", KEY, "", ("202", "DeliveryRecord"), ("401", "404", "409")),
    Route("post", "/projects", "create_project", "Ask for a project, or for its plan", KEY, "NewProject", ("202", ""), ("200", "400", "401", "409")),
    Route("get", "/projects", "list_projects", "List projects", KEY, "", ("200", ""), ("401",)),
    Route("get", "/projects/{id}", "show_project", "Show how a project stands", KEY, "", ("200", "StatusView"), ("401", "404")),
    Route(
        "post",
        "/projects/{id}/reconcile",
        "reconcile_project",
        "Bring the forges back to the plan, or say how they differ",
        KEY,
        "",
        ("202", ""),
        ("200", "401", "404", "409"),
    ),
    Route(
        "post",
        "/projects/{id}/decision",
        "decide_project",
        "Decide how a failed run goes on: retry, compensate or accept",
        KEY,
        "NewDecision",
        ("202", ""),
        ("303", "400", "401", "404", "409"),
    ),
    Route(
        "post",
        "/projects/{id}/scaffold-update",
        "update_scaffold",
        "Offer a project's repositories the newest templates as pull requests, or say file by file what would change",
        KEY,
        "",
        ("202", ""),
        ("200", "401", "404", "409"),
    ),
    Route("get", "/projects/{id}/scaffold-update", "show_scaffold", "Show a project's repositories beside the templates", KEY, "", ("200", "ProjectUpdateView"), ("401", "404", "409")),
    Route("post", "/scaffold-updates", "update_scaffolds", "Offer the newest templates to every project of a connection", KEY, "NewUpdates", ("202", ""), ("400", "401", "409")),
    Route("get", "/scaffold-updates/{id}", "show_scaffold_updates", "Show the newest run of updates over a connection's projects", KEY, "", ("200", "UpdateRunView"), ("401", "404")),
    Route("post", "/portfolios", "create_portfolio", "Ask for many projects in one file, or for their plans", KEY, "PortfolioBody", ("202", ""), ("200", "400", "401", "409", "413")),
    Route("get", "/portfolios", "list_portfolios", "List portfolios", KEY, "", ("200", ""), ("401",)),
    Route("get", "/portfolios/{id}", "show_portfolio", "Show how each project of a portfolio stands", KEY, "", ("200", "PortfolioView"), ("401", "404")),
    Route("get", "/portfolios/{id}/dry-run", "show_portfolio_dry_run", "Show what a run of a portfolio would do, when that took longer than one answer", KEY, "", ("200", "PreviewView"), ("401", "404")),
    Route(
        "post",
        "/projects/{id}/removal",
        "remove_project",
        "Remove what Doneright made of a project, asked for by its exact name",
        KEY,
        "NewRemoval",
        ("202", ""),
        ("303", "400", "401", "404", "409"),
    ),
    Route("get", "/stale", "list_stale", "List empty and stale projects with the date of each fact", KEY, "", ("200", "IdleListing"), ("400", "401")),
    Route("post", "/adoptions", "create_adoption", "Plan the adoption of what exists from its live state; nothing is changed", KEY, "NewAdoption", ("201", "AdoptionView"), ("400", "401", "409")),
    Route("get", "/adoptions/{id}", "show_adoption", "Show an adoption's plan beside live state", KEY, "", ("200", "AdoptionView"), ("401", "404")),
    Route(
        "post",
        "/adoptions/{id}/consent",
        "consent_to_adoption",
        "Consent to an adoption's plan, or to some of its steps",
        KEY,
        "NewConsent",
        ("202", ""),
        ("303", "400", "401", "404", "409"),
    ),
    Route("get", "/projects/{id}/backlog", "show_backlog", "Show a project's backlogs with what is wrong in them", KEY, "", ("200", "BacklogView"), ("401", "404", "503")),
    Route(
        "post",
        "/projects/{id}/backlog/normalise",
        "normalise_backlog",
        "Apply the fixes of a backlog that are asked for, and read each back",
        KEY,
        "ChosenFixes",
        ("200", "NormalisationView"),
        ("400", "401", "404", "409", "503"),
    ),
    Route(
        "post",
        "/projects/{id}/issues/categorise",
        "categorise_issues",
        "Categorise a project's open issues and work items, and link them to what they name",
        KEY,
        "",
        ("200", "SortingView"),
        ("401", "404", "409", "503"),
    ),
    Route("post", "/evidence/{project}/{commit}", "keep_evidence", "Send reports of tools about a commit", KEY, REPORT, ("201", "EvidenceReceipt"), ("200", "400", "401", "404", "413")),
    Route("get", "/evidence/{project}/{commit}", "list_evidence", "List the reports about a commit, each with a summary", KEY, "", ("200", "EvidenceListing"), ("400", "401", "404")),
    Route("get", "/evidence/{project}/{commit}/{digest}", "show_evidence", "Show a report as its tool wrote it", KEY, "", ("200", REPORT), ("400", "401", "404")),
    Route("post", "/reviews", "ask_for_review", "Ask for the review of a pull request, or give a command as a comment would", KEY, "NewReview", ("202", ""), ("200", "400", "401", "404", "409", "503")),
    Route("get", "/reviews", "list_reviews", "List the reviews of a project, the newest head of each pull request", KEY, "", ("200", ""), ("400", "401", "404")),
    Route("get", "/reviews/{id}", "show_review", "Show a review: verdict, findings, digests", KEY, "", ("200", "ReviewView"), ("401", "404")),
    Route("get", "/view/reviews/{id}", "view_review", "Show a review to whoever holds its signed link", OPEN, "", ("200", "ReviewView"), ("401", "404")),
    Route("get", "/agents", "list_agents", "Show how the agents answered lately, and whether their model can be asked", KEY, "", ("200", "AgentsView"), ("401",)),
    Route("post", "/policies/check", "check_policy", "Name every fault of a policy by field and line; nothing is set", KEY, "NewPolicyCheck", ("200", "PolicyCheck"), ("400", "401", "404")),
    Route("post", "/policies/simulate", "simulate_policy_on_reviews", "Say what a policy would have decided on the last pull requests", KEY, "NewSimulation", ("202", ""), ("400", "401", "404", "503")),
    Route("get", "/policies/simulations/{id}", "show_simulation", "Show how a simulation stands, and its answer", KEY, "", ("200", "SimulationView"), ("401", "404")),
    Route("get", "/policies/{project}", "show_policy", "Show which policy holds, and which level decided each criterion", KEY, "", ("200", "PolicyView"), ("401", "404", "409", "503")),
    Route("put", "/policies/{project}", "set_project_policy", "Set what a project says", KEY, "NewPolicy", ("200", "PolicyView"), ("400", "401", "404")),
    Route("get", "/connections/{id}/policy", "show_organisation_policy", "Show what an organisation says", KEY, "", ("200", "PolicyText"), ("401", "404")),
    Route("put", "/connections/{id}/policy", "set_organisation_policy", "Set what an organisation says in place of the shipped policy", KEY, "NewPolicy", ("200", "PolicyText"), ("400", "401", "404")),
    Route("get", "/view/{id}", "view_project", "Show a project to whoever holds its signed link", OPEN, "", ("200", "StatusView"), ("401", "404")),
    Route("post", "/connections", "create_connection", "Make a connection", KEY, "ConnectionSettings", ("201", "Connection"), ("400", "401", "409")),
    Route("get", "/connections", "list_connections", "List connections", KEY, "", ("200", ""), ("401",)),
    Route("get", "/connections/{id}", "show_connection", "Show a connection", KEY, "", ("200", "Connection"), ("401", "404")),
    Route("patch", "/connections/{id}", "change_connection", "Change, pause or resume a connection", KEY, "ConnectionPatch", ("200", "Connection"), ("400", "401", "404")),
    Route("get", "/connections/{id}/check", "check_connection", "Check each permission a connection needs", KEY, "", ("200", "ConnectionCheck"), ("401", "404")),
    Route("get", "/connections/{id}/github-app", "offer_github_app", "The page that registers the GitHub App", KEY, "", ("200", ""), ("401", "404")),
    Route("get", "/github-app/callback", "finish_github_app", "Where GitHub sends the browser after the registration", OPEN, "", ("200", ""), ("401",)),
    Route("get", "/audit/{project}", "read_record", "Read the record", KEY, "", ("200", ""), ("400", "401", "404")),
    Route("get", "/audit/{project}/verify", "verify_record", "Prove the record whole", KEY, "", ("200", "Verification"), ("401", "404")),
    Route("get", "/openapi.json", "describe_api", "This description", OPEN, "", ("200", ""), ()),
    Route("get", "/health", "health", "Whether the process answers", OPEN, "", ("200", ""), ()),
)  # fmt: skip

QUERY: dict[str, tuple[tuple[str, dict[str, Any], str], ...]] = {
    "list_deliveries": (
        ("state", {"type": "string", "enum": list(DeliveryState)}, "Only deliveries in this state."),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}, "At most so many."),
    ),
    "create_project": (
        ("dry_run", {"type": "boolean", "default": False}, "Answer the plan beside live state; change nothing."),
    ),
    "create_portfolio": (
        (
            "dry_run",
            {"type": "boolean", "default": False},
            "Answer each project's plan beside live state; change nothing.",
        ),
    ),
    "reconcile_project": (
        ("dry_run", {"type": "boolean", "default": False}, "Answer what has drifted; change nothing."),
    ),
    "update_scaffold": (
        ("dry_run", {"type": "boolean", "default": False}, "Answer the merge file by file; change nothing."),
        ("force", {"type": "boolean", "default": False}, "Offer again what the team has closed."),
    ),
    "list_stale": (
        ("connection", {"type": "string"}, "Id of the connection whose organisations are looked at."),
        ("days", {"type": "integer", "minimum": 0, "maximum": 3650, "default": 90}, "How long nothing happened."),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 200}, "Look at so many at most."),
    ),
    "normalise_backlog": (
        ("dry_run", {"type": "boolean", "default": False}, "Answer the fixes as data; change nothing."),
    ),
    "categorise_issues": (
        ("dry_run", {"type": "boolean", "default": False}, "Answer the category of each; change nothing."),
    ),
    "keep_evidence": (
        ("flag", {"type": "string", "pattern": "^[A-Za-z0-9._-]{0,64}$"}, "Which tests were measured: unit, e2e …"),
        ("root", {"type": "string", "maxLength": 1024}, "The checkout's folder on the machine that wrote the reports."),
    ),
    "list_reviews": (
        ("project", {"type": "string"}, "Id of the project."),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "At most so many."),
    ),
    "view_review": (("token", {"type": "string"}, "The signature the link carries."),),
    "show_policy": (
        ("forge", {"type": "string", "enum": list(ForgeName)}, "With what a repository there says as well."),
        ("repository", {"type": "string", "maxLength": 200}, "Its name; the project's main one otherwise."),
    ),
    "view_project": (("token", {"type": "string"}, "The signature the link carries."),),
    "finish_github_app": (
        ("code", {"type": "string"}, "From GitHub; good once, for an hour."),
        ("state", {"type": "string"}, "Proves that the registration began here."),
    ),
    "read_record": (
        ("cursor", {"type": "string"}, "`next_cursor` of the page before."),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}, "At most so many events."),
    ),
}

TEXTS = {
    "200": "As asked.",
    "201": "Made.",
    "202": "Accepted; it goes on in the background.",
    "303": "To a browser's form: back to the project's page.",
    "400": "The request is wrong; every field at fault is named.",
    "401": "Not authenticated.",
    "404": "There is no such thing.",
    "409": "It stands against what is there; the remedy says how to go on.",
    "413": "Too large.",
    "503": "A forge asks for patience; `Retry-After` says how long.",
}


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    _, schemas = models_json_schema(
        [(model, "serialization" if model in ANSWERS else "validation") for model in MODELS],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(f"/api{route.path}", {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Doneright",
            "version": "0.1.0",
            "description": "Software from a request to production: every step gated, done by an agent or a person, and on record.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"] | {"Problem": _problem()},
            "securitySchemes": {
                KEY: {"type": "apiKey", "in": "header", "name": "x-functions-key", "description": "Or `?code=`."},
                SIGNED: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Hub-Signature-256",
                    "description": "`sha256=` and the HMAC-SHA256 of the raw body.",
                },
                BASIC: {"type": "http", "scheme": "basic", "description": "Or the header `X-Doneright-Secret`."},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    status, model = route.success
    responses: dict[str, Any] = {status: _response(status, model)}
    for other in route.others:
        responses[other] = _response(other, "") if other.startswith("2") else _refusal(other)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    parameters += [
        {"name": name, "in": "query", "schema": schema, "description": text}
        for name, schema, text in QUERY.get(route.function, ())
    ]
    operation: dict[str, Any] = {
        "operationId": route.function,
        "summary": route.summary,
        "tags": [route.path.split("/")[1]],
        "security": [{route.security: []}] if route.security else [],
        "responses": dict(sorted(responses.items())),
    }
    if parameters:
        operation["parameters"] = parameters
    if route.body == REPORT:
        parts = {"type": "object", "properties": {"report": {"type": "array", "items": _BYTES}}}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/octet-stream": {"schema": _BYTES}, "multipart/form-data": {"schema": parts}},
        }
    elif route.body:
        schema = {"type": "object"} if route.body == "any" else {"$ref": f"#/components/schemas/{route.body}"}
        kinds = ("application/json", "application/yaml") if route.body in EITHER else ("application/json",)
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}
    return operation


def _response(status: str, model: str) -> dict[str, Any]:
    if model == REPORT:
        return {"description": TEXTS[status], "content": {"application/octet-stream": {"schema": _BYTES}}}
    schema = {"$ref": f"#/components/schemas/{model}"} if model else {"type": "object"}
    return {"description": TEXTS[status], "content": {"application/json": {"schema": schema}}}


def _refusal(status: str) -> dict[str, Any]:
    return {
        "description": TEXTS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _problem() -> dict[str, Any]:
    """RFC 9457, with what to do about it and every field at fault."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "remedy": text,
            "correlation": text,
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["field", "problem"],
                    "properties": {"field": text, "problem": text, "example": text, "line": {"type": "integer"}},
                },
            },
        },
    }
