"""Takes the reports of tools about a commit over HTTP, lists them, and gives them back as they were sent."""

from __future__ import annotations

import logging
import re
from contextlib import ExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING

import azure.durable_functions as df
import azure.functions as func

from functions.known import known_project
from functions.problems import ProblemError, actor_of, answer, refusals
from orchestrations.durable import start
from shared.domain.run import ProjectRecord
from shared.errors import RefusedError, TransientError
from shared.services import Services, services

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

blueprint = df.Blueprint()

_log = logging.getLogger(__name__)

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FLAG = re.compile(r"[A-Za-z0-9._-]{0,64}")
_LONGEST_ROOT = 1024
_FIELDS = 4
"""Flag, root, the end, and one to spare."""
_TAKEN_AS = frozenset({"", "identity", "gzip", "x-gzip"})


@blueprint.function_name("keep_evidence")
@blueprint.route(route="evidence/{project}/{commit}", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def keep_evidence(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/evidence/{project}/{commit}?flag=…&root=…``: one report as it is, gzip or zip, or several parts.

    A review whose head is that commit looks again.
    """
    return _keep_evidence(req, client=client)


@refusals
def _keep_evidence(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    from shared.evidence.keeping import Sent, keep
    from shared.evidence.unpacking import TooLargeError

    app = services()
    project, commit = known_project(app, req.route_params["project"]), _commit(req)
    try:
        contents, fields = _contents(req)
        sent = Sent(
            project=project.id,
            commit=commit,
            actor=app.project_ports.pseudonyms.of(actor_of(req), project.connection),
            flag=_flag(req.params.get("flag") or fields.get("flag", "")),
            root=_root(req.params.get("root") or fields.get("root", "")),
        )
        receipt = keep(app.evidence_ports, sent, contents)
    except TooLargeError as error:
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.reason, remedy=error.remedy) from error
    except RefusedError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, error.reason, remedy=error.remedy) from error
    new = {record.digest for record in receipt.evidence} - set(receipt.repeated)
    if new:
        _look_again(client, app, project, commit)
    status = HTTPStatus.CREATED if new else HTTPStatus.OK
    return answer(receipt, status, {"Location": app.links.api(f"evidence/{project.id}/{commit}")})


def _look_again(client: df.SyncDurableFunctionsClient, app: Services, project: ProjectRecord, commit: str) -> None:
    """What was sent may settle a review; that it cannot be begun now must not lose the report, and the sweep finds it."""
    from shared.intake.reviewing import with_new_evidence

    try:
        for run in with_new_evidence(app.project_ports, app.review_ports, project, commit):
            start(client, "review", run.instance, run)
    except TransientError as error:
        _log.warning("the reviews of %s could not be asked to look again: %s", commit, error.reason)


@blueprint.function_name("list_evidence")
@blueprint.route(route="evidence/{project}/{commit}", methods=["GET"])
@refusals
def list_evidence(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/evidence/{project}/{commit}``: what was sent, each with a summary."""
    from shared.evidence.keeping import listed

    app = services()
    return answer(listed(app.evidence_ports, known_project(app, req.route_params["project"]).id, _commit(req)))


@blueprint.function_name("show_evidence")
@blueprint.route(route="evidence/{project}/{commit}/{digest}", methods=["GET"])
@refusals
def show_evidence(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/evidence/{project}/{commit}/{digest}``: a report's bytes as the tool wrote them."""
    from shared.evidence.keeping import found

    app = services()
    project = known_project(app, req.route_params["project"]).id
    commit, digest = _commit(req), req.route_params["digest"].lower()
    kept = found(app.evidence_ports, project, commit, digest)
    if kept is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"there is no evidence {digest[:80]} about {commit}",
            remedy=f"GET /api/evidence/{project}/{commit} lists what there is.",
        )
    record, content = kept
    return func.HttpResponse(
        content,
        mimetype=record.media_type,
        headers={
            "Cache-Control": "private, max-age=31536000, immutable",
            # Anybody who may send reports wrote this: no browser may take it for a page of ours.
            "Content-Disposition": f'attachment; filename="{record.format}-{digest[-12:]}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{digest}"',
        },
    )


def _contents(req: func.HttpRequest) -> tuple[list[bytes], dict[str, str]]:
    """The reports of a request, unpacked, and the fields beside them."""
    from werkzeug.http import parse_options_header

    from shared.evidence.limits import LIMITS
    from shared.evidence.unpacking import TooLargeError, unpacked

    encoding = req.headers.get("content-encoding", "").strip().lower()
    if encoding not in _TAKEN_AS:
        raise RefusedError(f"the content encoding {encoding[:40]!r} is not taken", "Use gzip, or none.")
    body = req.get_body()
    if len(body) > LIMITS.body:
        raise TooLargeError(
            f"the body takes {len(body)} bytes; {LIMITS.body} are the most",
            "Pack it with gzip, or send the reports in several requests.",
        )
    if not req.headers.get("content-type", "").lower().startswith("multipart/"):
        return unpacked(body), {}
    _, options = parse_options_header(req.headers["content-type"])
    boundary = options.get("boundary", "").encode()
    if not boundary:
        raise RefusedError("the multipart body names no boundary", _MULTIPART)
    # The parser opens a file for each part, so they are counted before it is asked.
    if (parts := body.count(b"--" + boundary)) > LIMITS.reports + _FIELDS:
        raise TooLargeError(f"the body holds {parts} parts; {LIMITS.reports} are the most", _MULTIPART)
    files, fields = req.files, req.form
    with ExitStack() as opened:
        given = [part for name in files for part in files.getlist(name)]
        for part in given:
            opened.callback(part.close)
        return _parts(given), {"flag": fields.get("flag", ""), "root": fields.get("root", "")}


def _parts(parts: list[FileStorage]) -> list[bytes]:
    from shared.evidence.limits import LIMITS
    from shared.evidence.unpacking import TooLargeError, unpacked

    if not parts:
        raise RefusedError("the multipart body holds no file", _MULTIPART)
    reports: list[bytes] = []
    for part in parts:
        reports += unpacked(part.stream.read())
        if len(reports) > LIMITS.reports or sum(map(len, reports)) > LIMITS.unpacked:
            raise TooLargeError("the files unpack to more than one request may hold", "Send them in several requests.")
    return reports


_MULTIPART = "Send each report as a file of multipart/form-data, at most 50: curl -F report=@report.sarif.gz"


def _commit(req: func.HttpRequest) -> str:
    commit = str(req.route_params["commit"]).lower()
    if not _COMMIT.fullmatch(commit):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            f"{commit[:80]!r} is no commit: 40 or 64 hexadecimal digits are",
            remedy="Give the whole id: git rev-parse HEAD writes it.",
        )
    return commit


def _flag(flag: str) -> str:
    if not _FLAG.fullmatch(flag):
        raise RefusedError(f"the flag {flag[:80]!r} is no name", "Use up to 64 letters, digits, '.', '_' and '-'.")
    return flag


def _root(root: str) -> str:
    if len(root) > _LONGEST_ROOT or any(character < " " for character in root):
        raise RefusedError("the root is no folder's path", f"Give the checkout's folder in {_LONGEST_ROOT} characters.")
    return root
