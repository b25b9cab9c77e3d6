"""Puts a simulator's routes behind the same request log, contract check, faults and seeding."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from local.sandbox.contract import Contract, ContractMiddleware
from local.sandbox.fault_rule import Forge
from local.sandbox.faults import FaultMiddleware, FaultRules, problem
from local.sandbox.hooks import HookSender
from local.sandbox.seed import SeedError, apply_seed
from local.sandbox.state import State


def compose(
    routes: Sequence[BaseRoute],
    *,
    state: State,
    forge: Forge,
    contract: Contract | None,
    faults: FaultRules,
    sender: HookSender,
    exception_handlers: Mapping[Any, Callable[..., Any]] | None = None,
    inner: Sequence[Middleware] = (),
) -> Starlette:
    """A Starlette app with `/_faults`, `/_seed`, `/_violations` and `/_requests` besides `routes`.

    A simulator is a package with `app.build_<forge>(state, *, base_url, contract=None, faults=None, …) -> Starlette`, which
    ends in this call, `seed.apply(state, part)` raising SeedError, and `contract.load() -> Contract` raising
    FileNotFoundError when the vendor's contract is absent.

    `inner` is put nearest to the routes. The app's state holds `sandbox` (State), `faults` and `sender`.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await sender.aclose()

    async def seed(request: Request) -> Response:
        try:
            document = await request.json()
        except ValueError as error:
            return problem(400, "The body is not JSON", [{"field": "body", "message": str(error)}])
        try:
            apply_seed(state, document)
        except SeedError as error:
            return problem(400, "The seed is not usable", error.errors)
        return Response(status_code=204)

    async def unexpected(_: Request, error: Exception) -> Response:
        return JSONResponse({"message": f"defect of the sandbox: {error!r}"}, status_code=500)

    app = Starlette(
        routes=[Route("/_seed", seed, methods=["POST"]), *routes],
        middleware=[
            Middleware(ContractMiddleware, contract=contract),
            Middleware(FaultMiddleware, rules=faults, forge=forge),
            *inner,
        ],
        exception_handlers={Exception: unexpected, **(exception_handlers or {})},
        lifespan=lifespan,
    )
    app.state.sandbox, app.state.faults, app.state.sender = state, faults, sender
    return app
