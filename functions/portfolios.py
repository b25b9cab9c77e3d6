"""Takes portfolios over HTTP, many projects in one file, and shows how each of their projects stands."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from functions import pages
from functions.problems import ProblemError, actor_of, answer, page, refusals, wants_html
from orchestrations.durable import ended, start
from shared.domain.connection import Connection
from shared.domain.faults import FieldFault
from shared.domain.portfolio import Portfolio, PortfolioEnd, PortfolioRun
from shared.errors import RefusedError
from shared.projects.portfolio import previewing, running, viewing
from shared.projects.portfolio.parsing import Parsed, parse
from shared.projects.portfolio.reading import YAML_TYPES, TooLargeError, read
from shared.projects.portfolio.weighing import Weighed, weigh
from shared.projects.ports import CONNECTIONS
from shared.projects.request_form import EXAMPLES
from shared.services import Services, services

blueprint = df.Blueprint()
_log = logging.getLogger(__name__)

MOST_IN_ONE_ANSWER = 5
"""Projects whose dry run fits within one HTTP answer, which Azure ends after 230 s:
https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout"""


@blueprint.function_name("create_portfolio")
@blueprint.route(route="portfolios", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def create_portfolio(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/portfolios``; with ``?dry_run=true`` each project's plan beside live state, changing nothing."""
    return _create_portfolio(req, client=client)


@refusals
def _create_portfolio(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app = services()
    content, kind = req.get_body(), req.headers.get("content-type", "")
    value = _read(content, kind)
    parsed = parse(value, EXAMPLES)
    connection = _connection(app, value, parsed)
    weighed = weigh(app.portfolio_ports, parsed.requests, connection, parsed.id) if connection else None
    portfolio = _whole(parsed, weighed, connection)
    if weighed is None or connection is None or portfolio is None:
        raise _refusal(parsed, weighed, connection, value)
    if req.params.get("dry_run", "false").lower() in {"true", "1", "yes"}:
        return _dry_run(app, client, portfolio, connection, weighed)
    plain = "application/yaml" if kind.split(";")[0].strip().lower() in YAML_TYPES else "application/json"
    run = _begin(app, client, portfolio, (content, plain), connection, actor_of(req))
    location = app.links.api(f"portfolios/{run.id}")
    return answer(
        {"id": run.id, "instance": run.instance, "status_url": location},
        HTTPStatus.ACCEPTED,
        {"Location": location, "Retry-After": "2"},
    )


@blueprint.function_name("list_portfolios")
@blueprint.route(route="portfolios", methods=["GET"])
@refusals
def list_portfolios(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/portfolios``: a page for browsers, JSON for scripts."""
    rows = viewing.listed(services().portfolio_ports)
    if wants_html(req):
        return page(pages.portfolios(rows, req.params.get("code", "")))
    return answer({"portfolios": [row.model_dump(mode="json") for row in rows]})


@blueprint.function_name("show_portfolio")
@blueprint.route(route="portfolios/{id}", methods=["GET"])
@refusals
def show_portfolio(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/portfolios/{id}``: a page for browsers, JSON for scripts."""
    portfolio = req.route_params["id"]
    view = viewing.view(services().portfolio_ports, portfolio)
    if view is None:
        raise _unknown(portfolio)
    return page(pages.portfolio(view)) if wants_html(req) else answer(view)


@blueprint.function_name("show_portfolio_dry_run")
@blueprint.route(route="portfolios/{id}/dry-run", methods=["GET"])
@refusals
def show_portfolio_dry_run(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/portfolios/{id}/dry-run``: the newest dry run that was too large for one answer."""
    portfolio = req.route_params["id"]
    view = previewing.newest(services().portfolio_ports, portfolio)
    if view is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"there is no dry run of a portfolio {portfolio}",
            remedy="POST /api/portfolios?dry_run=true begins one; a small one is answered at once and not kept.",
        )
    return answer(view)


@blueprint.function_name("take_up_portfolios")
@blueprint.timer_trigger(arg_name="timer", schedule="%DONERIGHT_SWEEP_SCHEDULE%", run_on_startup=False)
@blueprint.durable_client_input(client_name="client")
def take_up_portfolios(timer: func.TimerRequest, client: df.SyncDurableFunctionsClient) -> None:
    """With each sweep: begin again the runs of portfolios that the engine has lost."""
    app = services()
    for run in running.under_way(app.portfolio_ports):
        try:
            _offer(app, client, run)
        except Exception:
            # One that cannot be taken up is looked at again by the next sweep, and must not stop the others.
            _log.exception("the run %s could not be taken up", run.instance)


def _read(content: bytes, kind: str) -> dict[str, Any]:
    try:
        return read(content, kind)
    except TooLargeError as error:
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.reason, remedy=error.remedy) from error
    except RefusedError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, error.reason, remedy=error.remedy) from error


def _connection(app: Services, value: dict[str, Any], parsed: Parsed) -> Connection | None:
    given = value.get("connection")
    if not isinstance(given, str) or any(fault.field == "connection" for fault in parsed.faults):
        return None
    found = app.project_ports.connections.get(CONNECTIONS, given)
    return found[0] if found else None


def _whole(parsed: Parsed, weighed: Weighed | None, connection: Connection | None) -> Portfolio | None:
    if parsed.portfolio is None or weighed is None or connection is None or weighed.faults or weighed.conflicts:
        return None
    requests = tuple(weighed.requests[place] for place in sorted(weighed.requests))
    return parsed.portfolio.model_copy(update={"projects": requests})


def _refusal(
    parsed: Parsed, weighed: Weighed | None, connection: Connection | None, value: dict[str, Any]
) -> ProblemError:
    faults = [*parsed.faults, *(weighed.faults if weighed else ())]
    if connection is None and not any(fault.field == "connection" for fault in faults):
        problem = (
            f"there is no connection {str(value.get('connection'))[:40]!r}; GET /api/connections lists those there are"
        )
        faults.append(FieldFault(field="connection", problem=problem))
    conflicts = weighed.conflicts if weighed else ()
    told = [*faults, *conflicts]
    fields = "1 field is" if len(told) == 1 else f"{len(told)} fields are"
    if faults:
        return ProblemError(HTTPStatus.BAD_REQUEST, f"{fields} missing or wrong; nothing was begun", faults=told)
    return ProblemError(
        HTTPStatus.CONFLICT,
        f"{fields} against projects that are there; nothing was begun",
        faults=told,
        remedy="Name the projects as they were made, or give others another name.",
    )


def _dry_run(
    app: Services, client: df.SyncDurableFunctionsClient, portfolio: Portfolio, connection: Connection, weighed: Weighed
) -> func.HttpResponse:
    unknown = {"owners_unknown": dict(weighed.unknown)} if weighed.unknown else {}
    if len(portfolio.projects) <= MOST_IN_ONE_ANSWER:
        view = previewing.at_once(app.portfolio_ports, portfolio, connection)
        return answer(view.model_dump(mode="json", exclude_none=True) | unknown)
    run = previewing.begin(app.portfolio_ports, portfolio, connection, app.settings.portfolio_at_once)
    if how := ended(client, run.instance):
        previewing.finish(app.portfolio_ports, run.model_copy(update={"reason": f"the dry run ended as {how}"}))
        run = previewing.begin(app.portfolio_ports, portfolio, connection, app.settings.portfolio_at_once)
    start(client, "portfolio_preview", run.instance, run)
    location = app.links.api(f"portfolios/{run.id}/dry-run")
    body = {"dry_run": True, "id": run.id, "instance": run.instance, "status_url": location} | unknown
    return answer(body, HTTPStatus.ACCEPTED, {"Location": location, "Retry-After": "5"})


def _begin(
    app: Services,
    client: df.SyncDurableFunctionsClient,
    portfolio: Portfolio,
    file: tuple[bytes, str],
    connection: Connection,
    actor: str,
) -> PortfolioRun:
    def asked() -> PortfolioRun:
        return running.begin(
            app.portfolio_ports,
            portfolio,
            file,
            connection,
            actor,
            at_once=app.settings.portfolio_at_once,
            deadline_seconds=app.settings.step_deadline_seconds,
            pause_seconds=app.settings.step_pause_seconds,
            decision_seconds=app.settings.decision_deadline_seconds,
        )

    run = asked()
    if not _offer(app, client, run):
        # That run's end is on record now, so that this is a request for another.
        run = asked()
        start(client, "portfolio", run.instance, run)
    return run


def _offer(app: Services, client: df.SyncDurableFunctionsClient, run: PortfolioRun) -> bool:
    """Start ``run`` unless the engine knows it; ``False`` when it has ended there, which is on record then."""
    if how := ended(client, run.instance):
        reason = f"the run ended in the durable engine as {how} before it was through"
        running.conclude(app.portfolio_ports, PortfolioEnd(run=run, reason=reason))
        return False
    start(client, "portfolio", run.instance, run)
    return True


def _unknown(portfolio: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        f"there is no portfolio {portfolio}",
        remedy="GET /api/portfolios lists those there are; POST /api/portfolios begins one.",
    )
