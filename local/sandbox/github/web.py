"""Takes what people send from a browser: an App's manifest, its installation, issues and comments; and serves raw files."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from local.sandbox.browser.render import render
from local.sandbox.browser.serve import wants_html
from local.sandbox.github import apps, issue_forms, objects
from local.sandbox.github.auth import authenticate, level_of, sees
from local.sandbox.github.discussion import add_comment
from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.issue_changes import open_issue
from local.sandbox.github.pages_forms import name_taken_page

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; base-uri 'none'; form-action 'self'"
)


def web_routes(hub: Hub) -> list[BaseRoute]:
    """Form targets and raw files; the pages themselves are drawn by the browser."""

    def form(handler: Callable[[Hub, Request, Record], Response]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            fields = {name: str(value) for name, value in (await request.form()).items()}
            try:
                return handler(hub, request, fields)
            except ApiError as error:
                detail = "; ".join(str(e.get("message") or e) if isinstance(e, dict) else e for e in error.errors or [])
                return PlainTextResponse(f"{error.message} {detail}".strip(), error.status)
            except ValueError as error:
                return PlainTextResponse(str(error), 400)

        return endpoint

    async def raw(request: Request) -> Response:
        try:
            return _raw(hub, request)
        except ApiError as error:
            return PlainTextResponse(error.message, error.status)

    return [
        Route("/organizations/{org}/settings/apps/new", form(take_manifest), methods=["POST"]),
        Route("/settings/apps/new", form(take_manifest), methods=["POST"]),
        Route("/apps/{slug}/installations/new", form(install), methods=["POST"]),
        Route("/{owner}/{repo}/issues", form(new_issue), methods=["POST"]),
        Route("/{owner}/{repo}/issues/{number:int}/comments", form(new_comment), methods=["POST"]),
        Route("/{owner}/{repo}/raw/{ref}/{path:path}", raw, methods=["GET"]),
    ]


def take_manifest(hub: Hub, request: Request, fields: Record) -> Response:
    """Keep the manifest and send the person back with a code; raises ValueError naming what is wrong."""
    owner = request.path_params.get("org") or fields.get("user", "")
    account = hub.account(owner)
    if account is None:
        raise not_found()
    try:
        code, manifest = apps.keep_manifest(hub, account["login"], fields.get("manifest", ""), fields.get("name", ""))
    except ApiError:
        if not wants_html(request.headers.get("accept", "")):
            raise
        # GitHub lets the person change the name there and then.
        page = name_taken_page(f"{request.url.path}?{request.url.query}", fields)
        # The answer to the form leads to the manifest's redirect_url, which browsers hold to form-action as well.
        headers = {"Content-Security-Policy": f"{PAGE_POLICY} http: https:", "Cache-Control": "no-store"}
        return HTMLResponse(render(page, forge="github", now=datetime.now(UTC)), 422, headers)
    target = str(manifest.get("redirect_url") or "")
    if urlsplit(target).scheme not in {"http", "https"}:
        raise ValueError("the manifest's redirect_url must be an http(s) address")
    state = request.query_params.get("state") or fields.get("state")
    query = urlencode({"code": code, **({"state": state} if state else {})})
    return RedirectResponse(f"{target}{'&' if urlsplit(target).query else '?'}{query}", 302)


def install(hub: Hub, request: Request, fields: Record) -> Response:
    """Install an App on an account, as its owner would."""
    app = next((a for a in hub.table("apps").values() if a["slug"] == request.path_params["slug"]), None)
    account = hub.account(fields.get("account") or (app or {}).get("owner"))
    if app is None or account is None:
        raise not_found()
    record = apps.install(hub, app, account["login"])
    apps.announce(hub, record, "created", _owner(hub, account))
    page = f"{hub.base_url}/organizations/{account['login']}/settings/installations/{record['id']}"
    setup = app.get("setup_url")
    return RedirectResponse(f"{setup}?installation_id={record['id']}&setup_action=install" if setup else page, 303)


def _owner(hub: Hub, account: Record) -> Record:
    login = next((name for name, role in account.get("members", {}).items() if role == "admin"), account["login"])
    return hub.account(login) or account


def _place(hub: Hub, request: Request, fields: Record) -> tuple[Record, Record]:
    """The repository and the chosen person, who must be able to see it; raises ApiError."""
    repo = hub.repo(request.path_params["owner"], request.path_params["repo"])
    user = hub.user(fields.get("user"))
    if user is None:
        raise ApiError(422, f"There is no user {fields.get('user') or '(none chosen)'}: choose who you are.")
    if repo is None or level_of(hub, user["login"], repo) == "none":
        raise not_found()
    return repo, user


def new_issue(hub: Hub, request: Request, fields: Record) -> Response:
    """Open an issue from the page's form, or from an issue form of the repository.

    An issue form's labels hold whoever sends it: that is how strangers' requests are sorted. Raises ApiError, ValueError.
    """
    repo, user = _place(hub, request, fields)
    if not repo["has_issues"]:
        raise ApiError(410, "Issues has been disabled in this repository.")
    file = fields.get("template")
    if file is not None:
        return _by_form(hub, repo, user, file, fields)
    labels: list[object] = [name.strip() for name in fields.get("labels", "").split(",") if name.strip()]
    issue = open_issue(hub, repo, user, fields.get("title", ""), fields.get("body") or None, labels, [])
    return RedirectResponse(f"/{repo['owner']}/{repo['name']}/issues/{issue['number']}", 303)


def _by_form(hub: Hub, repo: Record, user: Record, file: str, fields: Record) -> Response:
    form = issue_forms.form_in(hub, repo, file)
    if form is None:
        raise ApiError(422, f"The default branch has no usable issue form {file}: choose another.")
    body = issue_forms.written(form, fields, public=not repo["private"])
    labels = issue_forms.labels_of(repo, form)
    issue = open_issue(hub, repo, user, fields.get("title", ""), body, labels, form.assignees)
    return RedirectResponse(f"/{repo['owner']}/{repo['name']}/issues/{issue['number']}", 303)


def new_comment(hub: Hub, request: Request, fields: Record) -> Response:
    """Comment from the page's form."""
    repo, user = _place(hub, request, fields)
    issue = repo["issues"].get(str(request.path_params["number"]))
    if issue is None:
        raise not_found()
    comment = add_comment(hub, repo, issue, user, fields.get("body", ""))
    kind = "pull" if issue.get("pull") else "issues"
    return RedirectResponse(
        f"/{repo['owner']}/{repo['name']}/{kind}/{issue['number']}#issuecomment-{comment['id']}", 303
    )


def _raw(hub: Hub, request: Request) -> Response:
    """A file's bytes, where the caller may see the repository."""
    repo = hub.repo(request.path_params["owner"], request.path_params["repo"])
    caller = authenticate(hub, request.headers.get("authorization"))
    if repo is None or not sees(hub, caller, repo):
        raise not_found()
    commit = objects.resolve(hub, repo, request.path_params["ref"])
    found = objects.entry_at(hub, hub.table("commits")[commit]["tree"], request.path_params["path"]) if commit else None
    if found is None or found[0] == "040000":
        raise not_found()
    kind = mimetypes.guess_type(request.path_params["path"])[0] or "text/plain"
    # Never a type that a browser would run: what is stored was written by anyone.
    safe = kind if kind.startswith("image/") and "svg" not in kind else "text/plain; charset=utf-8"
    return Response(objects.blob(hub, found[1]), media_type=safe, headers={"X-Content-Type-Options": "nosniff"})
