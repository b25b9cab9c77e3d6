"""Reads the record, page by page, and proves it whole."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import azure.functions as func

from functions.problems import ProblemError, answer, number, refusals
from shared.audit.verify import verify
from shared.domain.audit import TENANT, AuditEvent, AuditHead
from shared.services import services

blueprint = func.Blueprint()

MOST = 500


@blueprint.function_name("read_record")
@blueprint.route(route="audit/{project}", methods=["GET"])
@refusals
def read_record(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/audit/{project}?cursor=…&limit=100``: events from the oldest, and where to go on."""
    app, project = services(), req.route_params["project"]
    cursor = number(req, "cursor", 0, 0, 2**53)
    limit = number(req, "limit", 100, 1, MOST)
    head = _head(project)
    events = app.audit.events(project, cursor, limit)
    following = cursor + len(events)
    more = following < head.size
    body = {
        "project": project,
        "events": [event.model_dump(mode="json") for event in events],
        "next_cursor": str(following) if more else None,
        "head": {"size": head.size, "root": head.root},
    }
    headers = {}
    if more:
        headers["Link"] = f'<{app.links.api(f"audit/{project}")}?cursor={following}&limit={limit}>; rel="next"'
    return answer(body, headers=headers)


@blueprint.function_name("verify_record")
@blueprint.route(route="audit/{project}/verify", methods=["GET"])
@refusals
def verify_record(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/audit/{project}/verify``: every leaf, digest and the root computed again from what is stored."""
    app, project = services(), req.route_params["project"]
    head = _head(project)

    def events() -> Iterator[AuditEvent]:
        start = 0
        while start < head.size:
            page = app.audit.events(project, start, min(MOST, head.size - start))
            if not page:
                return
            yield from page
            start += len(page)

    return answer(verify(events(), head))


def _head(project: str) -> AuditHead:
    head = services().audit.head(project)
    if head.size == 0 and project != TENANT:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no record of {project}")
    return head
