"""Decides who is calling and what that caller may do with an account or a repository."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt

from local.sandbox.github.errors import ApiError, bad_credentials, not_found
from local.sandbox.github.hub import Hub, Record

LEVELS = ["none", "read", "triage", "write", "maintain", "admin"]
ALIASES = {"pull": "read", "push": "write"}


@dataclass(frozen=True)
class Caller:
    """Who sent a request."""

    kind: str = "anonymous"  # anonymous, user, app, installation
    login: str = ""
    token: str = ""
    scopes: list[str] | None = None
    permissions: dict[str, str] | None = None
    app: Record = field(default_factory=dict)
    installation: Record = field(default_factory=dict)
    repository_ids: list[int] | None = None


def authenticate(hub: Hub, header: str | None) -> Caller:
    """The caller named by an Authorization header; raises ApiError 401."""
    if not header:
        return Caller()
    scheme, _, credential = header.partition(" ")
    credential = credential.strip()
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(credential, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise bad_credentials() from error
        credential = password if password and password != "x-oauth-basic" else user  # noqa: S105 - GitHub's marker
    elif scheme.lower() not in {"token", "bearer"}:
        raise bad_credentials()
    if credential.count(".") == 2 and credential.startswith("ey"):
        return _app(hub, credential)
    entry = hub.table("tokens").get(credential)
    if entry is None:
        raise bad_credentials()
    expires = entry.get("expires_at")
    if expires and datetime.fromisoformat(expires) <= datetime.now(UTC):
        raise bad_credentials()
    if entry["kind"] == "installation":
        installation = hub.table("installations").get(str(entry["installation_id"]))
        if installation is None or installation.get("suspended_at"):
            raise bad_credentials()
        app = hub.table("apps")[str(installation["app_id"])]
        login = f"{app['slug']}[bot]"
        return Caller(
            "installation",
            login,
            credential,
            None,
            entry["permissions"],
            app,
            installation,
            entry.get("repository_ids"),
        )
    scopes = None if entry.get("permissions") is not None else entry["scopes"]
    return Caller("user", entry["login"], credential, scopes, entry.get("permissions"))


def _app(hub: Hub, credential: str) -> Caller:
    """Verify an App's JWT: RS256, issuer known, at most 10 minutes long (docs.github.com, "Generating a JWT")."""
    try:
        issuer = str(jwt.decode(credential, options={"verify_signature": False}).get("iss", ""))
    except jwt.PyJWTError as error:
        raise ApiError(401, "A JSON web token could not be decoded") from error
    app = next((a for a in hub.table("apps").values() if issuer in {str(a["id"]), a["client_id"]}), None)
    if app is None:
        raise ApiError(401, "Integration not found")
    try:
        claims: dict[str, Any] = jwt.decode(
            credential,
            app["public_key"],
            algorithms=["RS256"],
            leeway=60,
            options={"require": ["exp", "iat"], "verify_iat": False},
        )
    except jwt.ExpiredSignatureError as error:
        raise ApiError(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ) from error
    except jwt.PyJWTError as error:
        raise ApiError(401, "A JSON web token could not be decoded") from error
    if claims["iat"] > datetime.now(UTC).timestamp() + 60:
        raise ApiError(
            401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued"
        )
    if claims["exp"] > datetime.now(UTC).timestamp() + 660:
        raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
    return Caller("app", app["slug"], credential, app=app)


def role_in(hub: Hub, org: Record, caller: Caller) -> str | None:
    """The caller's role in an organisation: "admin", "member" or None."""
    user = hub.user(caller.login) if caller.kind == "user" else None
    if user is None:
        return None
    if user.get("site_admin"):
        return "admin"
    role: str | None = org["members"].get(user["login"].lower())
    return role


def level_of(hub: Hub, login: str, repo: Record) -> str:
    """A user's permission on a repository, from ownership, organisation, teams and collaboration."""
    user = hub.user(login)
    if user is None:
        return "none"
    found = ["none" if repo["private"] else "read"]
    name = user["login"].lower()
    if user.get("site_admin") or repo["owner"].lower() == name:
        return "admin"
    org = hub.org(repo["owner"])
    if org is not None:
        role = org["members"].get(name)
        if role == "admin":
            return "admin"
        if role:
            found.append(org["default_repository_permission"])
        found += [
            team["repos"][str(repo["id"])]
            for team in org["teams"].values()
            if name in team["members"] and str(repo["id"]) in team["repos"]
        ]
    found.append(repo["collaborators"].get(name, "none"))
    return max((ALIASES.get(level, level) for level in found), key=LEVELS.index)


def sees(hub: Hub, caller: Caller, repo: Record) -> bool:
    """Whether the caller may know that the repository exists."""
    if not repo["private"]:
        return True
    if caller.kind == "installation":
        return covers(caller, repo)
    if caller.kind != "user" or (caller.scopes is not None and "repo" not in caller.scopes):
        return False
    return level_of(hub, caller.login, repo) != "none"


def covers(caller: Caller, repo: Record) -> bool:
    """Whether an installation (and its token) was given the repository."""
    installation = caller.installation
    if installation["account"].lower() != repo["owner"].lower():
        return False
    if installation["repository_selection"] == "selected" and repo["id"] not in installation["repository_ids"]:
        return False
    return caller.repository_ids is None or repo["id"] in caller.repository_ids


def granted(permissions: dict[str, str], name: str, level: str) -> bool:
    """Whether a permission map holds `name` at `level` or above."""
    order = ["none", "read", "write", "admin"]
    wanted = {"triage": "write", "maintain": "write", "admin": "write"}.get(level, level)
    held = permissions.get(name, "read" if name == "metadata" else "none")
    return held in order and wanted in order and order.index(held) >= order.index(wanted)


def require(hub: Hub, caller: Caller, repo: Record, level: str, permission: str) -> None:
    """Refuse unless the caller has `level` on the repository; apps and fine-grained tokens need `permission`.

    Raises ApiError 404 where the repository must stay unknown, else 401 or 403.
    """
    if not sees(hub, caller, repo):
        raise not_found()
    if caller.kind == "installation":
        public_read = level == "read" and not repo["private"]
        if not public_read and not (covers(caller, repo) and granted(caller.permissions or {}, permission, level)):
            raise ApiError(403, "Resource not accessible by integration")
        return
    if level == "read" and not repo["private"]:
        return
    if caller.kind == "anonymous":
        raise ApiError(401, "Requires authentication")
    if caller.kind == "app":
        raise ApiError(403, "Resource not accessible by integration")
    _require_user(hub, caller, repo, level, permission)


def _require_user(hub: Hub, caller: Caller, repo: Record, level: str, permission: str) -> None:
    if caller.permissions is not None and not granted(caller.permissions, permission, level):
        raise ApiError(403, "Resource not accessible by personal access token")
    if caller.scopes is not None and not {"repo", "public_repo"} & set(caller.scopes):
        # An unscoped classic token is told nothing but that the address is not for it.
        raise not_found()
    held = level_of(hub, caller.login, repo)
    if LEVELS.index(held) < LEVELS.index(level):
        if level == "admin":
            raise ApiError(403, "Must have admin rights to Repository.")
        raise ApiError(
            403,
            "Must have push access to repository"
            if level == "write"
            else "Resource not accessible by personal access token",
        )
    if repo["archived"] and level in {"triage", "write", "maintain"}:
        raise ApiError(403, "Repository was archived so is read-only.")
