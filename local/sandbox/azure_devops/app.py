"""Composes the simulator: one Starlette app that authenticates, negotiates versions, routes and words refusals."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from local.sandbox.azure_devops import areas, errors
from local.sandbox.azure_devops.areas.builds import control as control_build
from local.sandbox.azure_devops.call import OPERATIONS, Call, Reply
from local.sandbox.azure_devops.hook_delivery import Deliveries
from local.sandbox.azure_devops.identities import NoCredentialsError, SignInRequiredError, authenticate
from local.sandbox.azure_devops.locations import LATEST_VERSION, Location, locations, match
from local.sandbox.azure_devops.pages import page
from local.sandbox.azure_devops.progress import Ticker
from local.sandbox.azure_devops.service import Clock, Service, Tree, utc_now
from local.sandbox.browser.serve import browser_middleware, wants_html
from local.sandbox.compose import compose
from local.sandbox.contract import Contract
from local.sandbox.fault_rule import Forge
from local.sandbox.faults import FaultRules
from local.sandbox.hooks import HookSender
from local.sandbox.state import State

areas.load()
_LOG = logging.getLogger(__name__)

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_VERSION = re.compile(r"^(\d+(?:\.\d+)?)(-preview(?:\.(\d+))?)?$")
_SIGN_IN = (
    "<!DOCTYPE html><html lang='en'><head><title>Azure DevOps Services | Sign In</title></head>"
    "<body><h1>Sign in to your account</h1></body></html>"
)


def build_azure_devops(
    state: State,
    *,
    base_url: str,
    contract: Contract | None = None,
    faults: FaultRules | None = None,
    min_project_seconds: float = 2.0,
    max_project_seconds: float = 4.0,
    build_seconds: float = 1.5,
    clock: Clock = utc_now,
    sender: HookSender | None = None,
) -> Starlette:
    """The simulator over `state`, seeded with `seed.apply`.

    `base_url` is the address clients use, without the organization; it appears in every link. Creating a project takes
    between `min_project_seconds` and `max_project_seconds`, a build `build_seconds`.
    """
    rules = faults if faults is not None else FaultRules()
    delivery = sender if sender is not None else HookSender(state, rules)
    service = Service(
        state, base_url.rstrip("/"), clock, (min_project_seconds, max_project_seconds), build_seconds=build_seconds
    )
    ticker = Ticker(service)
    deliveries = Deliveries(service, delivery)
    service.emitters.append(deliveries.event)

    async def endpoint(request: Request) -> Response:
        deliveries.resume()
        ticker.ensure()
        answer = await _answer(service, request)
        service.changed()
        ticker.ensure()
        return answer

    async def build_control(request: Request) -> Response:
        try:
            return JSONResponse(control_build(service, request.path_params["number"], await request.json()))
        except errors.ServiceError as refusal:
            return JSONResponse(refusal.body(), status_code=refusal.status)
        except ValueError as error:
            return JSONResponse({"message": f"the body is not JSON: {error}"}, status_code=400)
        finally:
            ticker.ensure()

    app = compose(
        [
            Route("/_builds/{number:int}", build_control, methods=["POST"]),
            Route("/{path:path}", endpoint, methods=_METHODS),
        ],
        state=state,
        forge=Forge.AZURE_DEVOPS,
        contract=contract,
        faults=rules,
        sender=delivery,
        inner=[
            Middleware(
                browser_middleware,
                page_for=lambda path, query: page(state, path, query, base_url=service.base_url),
                forge="azure_devops",
                clock=clock,
            )
        ],
    )
    app.state.service, app.state.deliveries, app.state.ticker = service, deliveries, ticker
    return app


async def _answer(service: Service, request: Request) -> Response:
    raw_path = request.scope.get("raw_path", request.url.path.encode()).decode("ascii").partition("?")[0]
    try:
        return await _dispatch(service, request, raw_path)
    except errors.ServiceError as refusal:
        return JSONResponse(refusal.body(), status_code=refusal.status, headers=refusal.headers)
    except SignInRequiredError:
        return HTMLResponse(_SIGN_IN, status_code=203)
    except NoCredentialsError as missing:
        if wants_html(request.headers.get("accept", "")):
            # Somebody browses: pages need no credentials here, and this path has none.
            return Response(status_code=404)
        return Response(status_code=401, headers={"WWW-Authenticate": missing.challenge})


async def _dispatch(service: Service, request: Request, raw_path: str) -> Response:
    organization, _, rest = raw_path.lstrip("/").partition("/")
    org = service.organization(organization)
    if org is None:
        # Clients ask the deployment level for locations an organization lacks; there are none here.
        if request.method == "OPTIONS" and raw_path.rstrip("/").lower() == "/_apis":
            return JSONResponse({"count": 0, "value": []})
        raise errors.not_found(
            f"The organization '{organization}' does not exist.", "HostDoesNotExistException", errors.FRAMEWORK
        )
    headers = {key.lower(): value for key, value in request.headers.items()}
    user = authenticate(service, org, headers)
    if request.method == "OPTIONS" and rest.strip("/").lower() == "_apis":
        listed = [location.as_json() for location in locations()]
        return JSONResponse({"count": len(listed), "value": listed})
    found = match("/" + rest)
    if found is None:
        raise errors.no_such_route("/" + rest)
    query = {k.lower(): v for k, v in parse_qsl(request.url.query, keep_blank_values=True)}
    _check_version(found.location, request.method, headers, query)
    operation = OPERATIONS.get((request.method, found.route))
    if operation is None:
        body = {"Message": f"The requested resource does not support http method '{request.method}'."}
        return JSONResponse({"count": 1, "value": body}, status_code=405)
    call = Call(
        service=service,
        org=org,
        user=user,
        method=request.method,
        route=found.route,
        values=found.values,
        scope=found.scope,
        query=query,
        headers=headers,
        raw=await request.body(),
        accept=headers.get("accept", "application/json"),
        level=operation.level,
    )
    call.require(operation.level, call.project_or_none)
    try:
        return _respond(operation.handler(call))
    except (AttributeError, TypeError, LookupError, ArithmeticError, ValueError, RecursionError) as error:
        # Handlers read the JSON of strangers as it comes; a value of the wrong shape ends here instead of as a traceback.
        _LOG.warning("%s %s could not be read", request.method, raw_path, exc_info=True)
        raise errors.unreadable(error) from error


def _respond(answer: Any) -> Response:
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers, media_type=reply.media_type or "application/octet-stream")
    if isinstance(reply.body, str) and reply.media_type is not None:
        return Response(reply.body, reply.status, headers, media_type=reply.media_type)
    if reply.body is None and reply.status in {200, 204}:
        return Response(status_code=204, headers=headers)
    body: Any = {"count": len(reply.body), "value": reply.body} if isinstance(reply.body, list) else reply.body
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, reply.status, headers, media_type="application/json; charset=utf-8; api-version=7.1")


def asked_version(headers: dict[str, str], query: dict[str, str]) -> str | None:
    """The api-version of a request, from its Accept header, its Content-Type or its query."""
    if query.get("api-version"):
        return query["api-version"]
    for name in ("accept", "content-type"):
        found = re.search(r"api-version\s*=\s*\"?([^;,\s\"]+)", headers.get(name, ""), re.IGNORECASE)
        if found:
            return found.group(1)
    return None


def _check_version(location: Location, method: str, headers: dict[str, str], query: Tree) -> None:
    asked = asked_version(headers, query)
    if asked is None:
        if method != "GET":
            raise errors.version_not_specified(method)
        return
    found = _VERSION.match(asked)
    if found is None:
        raise errors.version_malformed(asked)
    number = float(found.group(1))
    if number > float(LATEST_VERSION):
        raise errors.version_out_of_range(asked, LATEST_VERSION)
    if number > float(location.released) and found.group(2) is None:
        raise errors.version_needs_preview(asked)
