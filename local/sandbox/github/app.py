"""Builds the GitHub simulator: API at the root and under /api/v3, GraphQL, pages, and webhooks out."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from local.sandbox.browser.serve import browser_middleware
from local.sandbox.compose import compose
from local.sandbox.contract import Contract
from local.sandbox.fault_rule import Forge
from local.sandbox.faults import FaultRules
from local.sandbox.github import (  # noqa: F401 - each registers its routes
    accounts,
    actions,
    app_routes,
    branches,
    checks,
    code_scanning,
    collaborators,
    commits,
    contents,
    discussion,
    environments,
    forks,
    git_data,
    hook_routes,
    issues,
    labels,
    objects,
    protection,
    pull_merges,
    pulls,
    refs,
    repositories,
    repository_settings,
    review_comments,
    reviews,
    rulesets,
    search,
    security_alerts,
    statuses,
    sub_issues,
    teams,
)
from local.sandbox.github.auth import Caller, authenticate
from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.graphql import graphql_routes
from local.sandbox.github.hub import Hub
from local.sandbox.github.pages import page
from local.sandbox.github.routing import Answer, api_routes, respond
from local.sandbox.github.web import web_routes
from local.sandbox.hooks import HookSender
from local.sandbox.state import State


def build_github(
    state: State,
    *,
    base_url: str,
    contract: Contract | None = None,
    faults: FaultRules | None = None,
    hook_client: httpx.AsyncClient | None = None,
) -> Starlette:
    """The simulator over `state`, as reached under `base_url`; `hook_client` replaces the client that delivers webhooks."""
    rules = faults or FaultRules()
    sender = HookSender(state, rules, hook_client)
    hub = Hub(state, base_url, sender)

    async def archive(request: Request) -> Response:
        repo = hub.repo(request.path_params["owner"], request.path_params["repo"])
        commit = objects.resolve(hub, repo, request.path_params["ref"]) if repo else None
        if repo is None or commit is None:
            return respond(hub, request, Caller(), Answer(404, not_found().body()))
        content = contents.packed(hub, repo, commit, request.path_params["kind"])
        return Response(
            content, media_type="application/zip" if request.path_params["kind"] == "zip" else "application/gzip"
        )

    async def unknown(request: Request, _: Exception) -> Response:
        try:
            caller = authenticate(hub, request.headers.get("authorization"))
        except ApiError as error:
            return respond(hub, request, Caller(), Answer(error.status, error.body()))
        return respond(hub, request, caller, Answer(404, not_found().body()))

    api = [*api_routes(hub), Route("/repos/{owner}/{repo}/_archive/{kind}/{ref:path}", archive)]
    app = compose(
        [*web_routes(hub), *graphql_routes(hub), Mount("/api/v3", routes=api), *api],
        state=state,
        forge=Forge.GITHUB,
        contract=contract,
        faults=rules,
        sender=sender,
        exception_handlers={404: unknown, 405: unknown},
        inner=[Middleware(browser_middleware, page_for=lambda path, query: page(state, path, query), forge="github")],
    )
    app.state.hub = hub
    return app
