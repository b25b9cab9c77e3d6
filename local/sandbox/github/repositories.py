"""Answers for repositories themselves: creating, changing, listing, and the features switched on them."""

from __future__ import annotations

import re
from typing import Any

from local.sandbox.github import present
from local.sandbox.github.auth import LEVELS, granted, level_of, role_in, sees
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Record, now
from local.sandbox.github.pushes import commit_files
from local.sandbox.github.routing import Answer, Call, route

_FLAGS = [
    "has_issues",
    "has_projects",
    "has_wiki",
    "has_discussions",
    "is_template",
    "allow_squash_merge",
    "allow_merge_commit",
    "allow_rebase_merge",
    "allow_auto_merge",
    "delete_branch_on_merge",
    "web_commit_signoff_required",
]


@route("POST", "/orgs/{org}/repos")
def create_in_org(call: Call) -> Answer:
    """Create a repository in an organisation."""
    call.signed_in()
    org = call.org()
    caller = call.caller
    if caller.permissions is not None and not granted(caller.permissions, "administration", "write"):
        who = "integration" if caller.kind == "installation" else "personal access token"
        raise ApiError(403, f"Resource not accessible by {who}")
    if caller.scopes is not None and not {"repo", "public_repo"} & set(caller.scopes):
        raise not_found()
    if caller.kind == "installation":
        allowed = caller.installation["account"].lower() == org["login"].lower()
    else:
        role = role_in(call.hub, org, caller)
        allowed = role == "admin" or (role == "member" and org["members_can_create_repositories"])
    if not allowed:
        raise ApiError(403, "You need admin access to the organization before adding a repository to it.")
    return _create(call, org)


@route("POST", "/user/repos")
def create_own(call: Call) -> Answer:
    """Create a repository of one's own."""
    return _create(call, call.signed_in())


def _create(call: Call, owner: Record) -> Answer:
    hub = call.hub
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", call.need("name", str).strip())
    if not name or name in {".", ".."} or len(name) > 100:
        reason = "name is too long (maximum is 100 characters)" if len(name) > 100 else "name can't be blank"
        error = {"resource": "Repository", "code": "custom", "field": "name", "message": reason}
        raise ApiError(422, "Repository creation failed.", [error])
    if hub.repo(owner["login"], name):
        error = {
            "resource": "Repository",
            "code": "custom",
            "field": "name",
            "message": "name already exists on this account",
        }
        raise ApiError(422, "Repository creation failed.", [error])
    visibility = call.get("visibility", str)
    if visibility not in {None, "public", "private", "internal"}:
        raise invalid("Repository", "visibility")
    private = call.get("private", bool, False) if visibility is None else visibility != "public"
    flags = {flag: call.body[flag] for flag in _FLAGS if isinstance(call.body.get(flag), bool)}
    texts = {"description": call.get("description", str), "homepage": call.get("homepage", str)}
    repo = hub.add_repo(owner["login"], name, private=private, **flags, **texts)
    actor = call.signed_in()
    if owner["type"] == "Organization" and call.caller.kind == "user":
        repo["collaborators"][call.caller.login.lower()] = "admin"
    emit(hub, "repository", {}, sender=actor, repo=repo, action="created")
    if call.get("auto_init", bool, False):
        text = f"# {name}\n" + (f"{repo['description']}\n" if repo["description"] else "")
        commit_files(hub, repo, {"README.md": text.encode()}, "Initial commit", actor)
    body = present.repository(hub, repo, call.caller, full=True)
    return Answer(201, body, {"Location": present.repository_url(hub, repo)})


@route("GET", "/repos/{owner}/{repo}")
def repository(call: Call) -> Record:
    """One repository."""
    return present.repository(call.hub, call.repo(), call.caller, full=True)


@route("PATCH", "/repos/{owner}/{repo}")
def edit(call: Call) -> Record:
    """Change a repository."""
    repo = call.repo("admin", "administration")
    hub = call.hub
    before = {name: repo[name] for name in ("name", "description", "homepage", "default_branch", "private", "archived")}
    name = call.get("name", str, repo["name"])
    if name.lower() != repo["name"].lower() and hub.repo(repo["owner"], name):
        raise invalid("Repository", "name", "custom", "name already exists on this account")
    branch = call.get("default_branch", str, repo["default_branch"])
    if branch != repo["default_branch"] and f"refs/heads/{branch}" not in repo["refs"]:
        message = f"The branch {branch} was not found. Please push that ref first or create it via the Git Data API."
        raise invalid("Repository", "default_branch", "invalid", message)
    _set_security(call, repo)
    if name != repo["name"]:
        del hub.table("repos")[f"{repo['owner']}/{repo['name']}".lower()]
        hub.table("repos")[f"{repo['owner']}/{name}".lower()] = repo
    visibility = call.get("visibility", str)
    private = call.get("private", bool, repo["private"]) if visibility is None else visibility != "public"
    repo |= {
        "name": name,
        "default_branch": branch,
        "private": private,
        "archived": call.get("archived", bool, repo["archived"]),
    }
    for field in ("description", "homepage"):
        if field in call.body:
            repo[field] = call.get(field, str)
    for flag in _FLAGS:
        repo[flag] = call.get(flag, bool, repo[flag])
    repo["updated_at"] = now()
    hub.changed()
    _tell(call, repo, before)
    return present.repository(hub, repo, call.caller, full=True)


def _tell(call: Call, repo: Record, before: Record) -> None:
    actor = call.signed_in()
    changed = {name: {"from": value} for name, value in before.items() if repo[name] != value}
    for field, yes, no in (("archived", "archived", "unarchived"), ("private", "privatized", "publicized")):
        if changed.pop(field, None):
            emit(call.hub, "repository", {}, sender=actor, repo=repo, action=yes if repo[field] else no)
    old_name = changed.pop("name", None)
    if old_name:
        emit(
            call.hub,
            "repository",
            {"changes": {"repository": {"name": old_name}}},
            sender=actor,
            repo=repo,
            action="renamed",
        )
    if changed:
        emit(call.hub, "repository", {"changes": changed}, sender=actor, repo=repo, action="edited")


def _set_security(call: Call, repo: Record) -> None:
    wanted: dict[str, Any] = call.get("security_and_analysis", dict, {})
    offered = present.security(call.hub, repo)
    for name, setting in wanted.items():
        status = (setting or {}).get("status")
        if status not in {"enabled", "disabled", None}:
            raise invalid("Repository", "security_and_analysis")
        if name not in offered:
            if name == "advanced_security" and not repo["private"]:
                raise ApiError(422, "Advanced security is always available for public repos.")
            title = name.replace("_", " ").capitalize()
            if status == "enabled":
                raise ApiError(422, f"{title} is not available for this repository.")
            continue
        if status:
            repo["security_and_analysis"][name] = status


@route("DELETE", "/repos/{owner}/{repo}")
def delete(call: Call) -> Answer:
    """Delete a repository."""
    repo = call.repo("admin", "administration")
    if call.caller.scopes is not None and "delete_repo" not in call.caller.scopes:
        raise ApiError(403, "Must have admin rights to Repository.")
    emit(call.hub, "repository", {}, sender=call.signed_in(), repo=repo, action="deleted")
    del call.hub.table("repos")[f"{repo['owner']}/{repo['name']}".lower()]
    call.hub.changed()
    return Answer(204)


def _listed(call: Call, repos: list[Record]) -> Answer:
    shown = [repo for repo in repos if sees(call.hub, call.caller, repo)]
    kind = call.query.get("type", call.query.get("visibility", "all"))
    if kind in {"private", "public"}:
        shown = [repo for repo in shown if repo["private"] == (kind == "private")]
    order = call.query.get("sort", "created")
    key = {"created": "id", "updated": "updated_at", "pushed": "pushed_at", "full_name": "name"}.get(order, "id")
    ascending = call.query.get("direction", "asc" if order == "full_name" else "desc") == "asc"
    shown.sort(key=lambda repo: repo[key], reverse=not ascending)
    return call.page_of(shown, lambda repo: present.repository(call.hub, repo, call.caller))


@route("GET", "/orgs/{org}/repos")
def repos_of_org(call: Call) -> Answer:
    """Repositories of an organisation that the caller may see."""
    return _listed(call, call.hub.repos_of(call.org()["login"]))


@route("GET", "/users/{username}/repos")
def repos_of_user(call: Call) -> Answer:
    """Public repositories of a user."""
    if call.hub.account(call.params["username"]) is None:
        raise not_found()
    return _listed(call, [repo for repo in call.hub.repos_of(call.params["username"]) if not repo["private"]])


@route("GET", "/user/repos")
def own_repos(call: Call) -> Answer:
    """Repositories the caller works in."""
    login = call.signed_in()["login"]
    explicit = [
        repo
        for repo in call.hub.table("repos").values()
        if LEVELS.index(level_of(call.hub, login, repo)) > LEVELS.index("none" if repo["private"] else "read")
    ]
    return _listed(call, explicit)
