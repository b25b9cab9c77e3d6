"""Answers for Apps and their installations, whose tokens last an hour."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from local.sandbox.github import present
from local.sandbox.github.apps import add_app, announce, application, installation, repositories_of
from local.sandbox.github.auth import granted
from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.hub import Record, now
from local.sandbox.github.routing import Answer, Call, route

TOKEN_LIFE = timedelta(hours=1)
MANIFEST_LIFE = timedelta(hours=1)


def own_app(call: Call) -> Record:
    """The calling App; raises ApiError 401 for anyone else."""
    if call.caller.kind != "app":
        raise ApiError(401, "A JSON web token could not be decoded")
    return call.caller.app


def _own_installation(call: Call) -> Record:
    found = call.hub.table("installations").get(call.params["installation_id"])
    if found is None or found["app_id"] != own_app(call)["id"]:
        raise not_found()
    return dict(found) if call.request.method == "GET" else found


@route("GET", "/app")
def app(call: Call) -> Record:
    """The calling App."""
    return application(call.hub, own_app(call))


@route("GET", "/apps/{app_slug}")
def app_by_slug(call: Call) -> Record:
    """An App by its address."""
    found = next((a for a in call.hub.table("apps").values() if a["slug"] == call.params["app_slug"]), None)
    if found is None:
        raise not_found()
    return application(call.hub, found)


@route("GET", "/app/installations")
def installations(call: Call) -> Answer:
    """Every installation of the calling App."""
    number = own_app(call)["id"]
    found = [i for i in call.hub.table("installations").values() if i["app_id"] == number]
    return call.page_of(found, lambda i: installation(call.hub, i))


@route("GET", "/app/installations/{installation_id}")
def one_installation(call: Call) -> Record:
    """One installation."""
    return installation(call.hub, _own_installation(call))


@route("DELETE", "/app/installations/{installation_id}")
def uninstall(call: Call) -> Answer:
    """Uninstall; its tokens end with it."""
    found = _own_installation(call)
    announce(call.hub, found, "deleted", call.hub.account(found["account"]) or found)
    call.hub.table("installations").pop(str(found["id"]))
    tokens = call.hub.table("tokens")
    for token in [t for t, entry in tokens.items() if entry.get("installation_id") == found["id"]]:
        del tokens[token]
    call.hub.changed()
    return Answer(204)


@route("PUT", "/app/installations/{installation_id}/suspended")
def suspend(call: Call) -> Answer:
    """Suspend; its tokens stop working."""
    _own_installation(call)["suspended_at"] = now()
    call.hub.changed()
    return Answer(204)


@route("DELETE", "/app/installations/{installation_id}/suspended")
def unsuspend(call: Call) -> Answer:
    """Let it work again."""
    _own_installation(call)["suspended_at"] = None
    call.hub.changed()
    return Answer(204)


@route("GET", "/orgs/{org}/installation")
@route("GET", "/users/{username}/installation")
@route("GET", "/repos/{owner}/{repo}/installation")
def installation_for(call: Call) -> Record:
    """The calling App's installation on an account or a repository."""
    number = own_app(call)["id"]
    account = next(call.params[name] for name in ("org", "username", "owner") if name in call.params)
    for record in call.hub.table("installations").values():
        if record["app_id"] != number or record["account"].lower() != account.lower():
            continue
        names = {repo["name"].lower() for repo in repositories_of(call.hub, record)}
        if "repo" not in call.params or call.params["repo"].lower() in names:
            return installation(call.hub, record)
    raise not_found()


@route("POST", "/app/installations/{installation_id}/access_tokens")
def create_token(call: Call) -> Answer:
    """A token for one hour, narrowed to repositories and permissions when asked."""
    record = _own_installation(call)
    if record["suspended_at"]:
        raise ApiError(403, "This installation has been suspended")
    reachable = repositories_of(call.hub, record)
    wanted_ids: list[int] | None = call.get("repository_ids", list)
    wanted_names: list[str] | None = call.get("repositories", list)
    chosen: list[Record] | None = None
    if wanted_ids is not None or wanted_names is not None:
        chosen = [r for r in reachable if r["id"] in (wanted_ids or []) or r["name"] in (wanted_names or [])]
        if len(chosen) < len(wanted_ids or []) + len(wanted_names or []):
            message = (
                "There is at least one repository that does not exist or is not accessible to the parent installation."
            )
            raise ApiError(422, message)
    permissions: dict[str, str] = call.get("permissions", dict) or record["permissions"]
    if any(not granted(record["permissions"], name, level) for name, level in permissions.items()):
        raise ApiError(422, "The permissions requested are not granted to this installation.")
    token = f"ghs_{secrets.token_hex(18)}"
    expires = (datetime.now(UTC) + TOKEN_LIFE).strftime("%Y-%m-%dT%H:%M:%SZ")
    call.hub.table("tokens")[token] = {
        "kind": "installation",
        "installation_id": record["id"],
        "permissions": {"metadata": "read", **permissions},
        "repository_ids": None if chosen is None else [r["id"] for r in chosen],
        "expires_at": expires,
    }
    call.hub.changed()
    body: dict[str, Any] = {
        "token": token,
        "expires_at": expires,
        "permissions": permissions,
        "repository_selection": "selected" if chosen is not None else record["repository_selection"],
    }
    if chosen is not None:
        body["repositories"] = [present.repository(call.hub, r) for r in chosen]
    return Answer(201, body)


@route("DELETE", "/installation/token")
def revoke_token(call: Call) -> Answer:
    """End the calling token."""
    _installation_only(call)
    call.hub.table("tokens").pop(call.caller.token, None)
    call.hub.changed()
    return Answer(204)


@route("GET", "/installation/repositories")
def installation_repositories(call: Call) -> Answer:
    """What the calling token reaches."""
    record = _installation_only(call)
    limit = call.caller.repository_ids
    found = [r for r in repositories_of(call.hub, record) if limit is None or r["id"] in limit]
    answer = call.page_of(found, lambda r: present.repository(call.hub, r, call.caller), "repositories")
    answer.body["repository_selection"] = record["repository_selection"]
    return answer


def _installation_only(call: Call) -> Record:
    if call.caller.kind != "installation":
        raise ApiError(
            403,
            "You must authenticate with an installation access token in order to list repositories for an installation.",
        )
    return call.caller.installation


@route("POST", "/app-manifests/{code}/conversions")
def convert(call: Call) -> Answer:
    """Make the App of a manifest, once, within the hour; the only answer that holds its secrets."""
    kept = call.hub.table("manifests").pop(call.params["code"], None)
    if kept is None or datetime.fromisoformat(kept["at"]) + MANIFEST_LIFE < datetime.now(UTC):
        raise not_found()
    created, private = add_app(call.hub, kept["owner"], kept["manifest"])
    secret = created["hook"]["config"]["secret"]
    secrets_shown = {"client_secret": created["client_secret"], "webhook_secret": secret, "pem": private}
    return Answer(201, {**application(call.hub, created), **secrets_shown})
