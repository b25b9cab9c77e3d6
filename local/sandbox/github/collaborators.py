"""Answers for who works in a repository, and with what permission."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.auth import ALIASES, LEVELS, level_of
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.hub import Record, now
from local.sandbox.github.routing import Answer, Call, route


def _people(call: Call, repo: Record) -> list[Record]:
    """Everyone whose access does not come from the repository being public."""
    least = LEVELS.index("read")
    found = []
    for user in call.hub.table("users").values():
        private = {**repo, "private": True}
        if user["type"] == "User" and LEVELS.index(level_of(call.hub, user["login"], private)) >= least:
            found.append(user)
    return found


def _shown(call: Call, repo: Record, user: Record) -> Record:
    held = level_of(call.hub, user["login"], repo)
    index = LEVELS.index(held)
    flags = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    permissions = {flag: index >= LEVELS.index(level) for flag, level in flags.items()}
    return {**present.account(call.hub, user), "permissions": permissions, "role_name": held}


@route("GET", "/repos/{owner}/{repo}/collaborators")
def collaborators(call: Call) -> Answer:
    """All collaborators, or those from outside the organisation, or those named on the repository."""
    repo = call.repo("write", "metadata") if call.caller.kind == "user" else call.repo("read", "metadata")
    people = _people(call, repo)
    affiliation = call.query.get("affiliation", "all")
    org = call.hub.org(repo["owner"])
    if affiliation in {"direct", "outside"}:
        people = [p for p in people if p["login"].lower() in repo["collaborators"]]
    if affiliation == "outside" and org:
        people = [p for p in people if p["login"].lower() not in org["members"]]
    return call.page_of(people, lambda user: _shown(call, repo, user))


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}")
def is_collaborator(call: Call) -> Answer:
    """204 for a collaborator."""
    repo = call.repo("read", "metadata")
    if call.params["username"].lower() not in {user["login"].lower() for user in _people(call, repo)}:
        raise ApiError(404, f"{call.params['username']} is not a user")
    return Answer(204)


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission")
def permission(call: Call) -> Record:
    """Somebody's permission, in the old four words, with the role's real name."""
    repo = call.repo("read", "metadata")
    call.signed_in()
    user = call.hub.user(call.params["username"])
    if user is None:
        raise not_found()
    held = level_of(call.hub, user["login"], repo)
    old = {"maintain": "write", "triage": "read"}.get(held, held)
    return {"permission": old, "role_name": held, "user": _shown(call, repo, user)}


@route("PUT", "/repos/{owner}/{repo}/collaborators/{username}")
def add(call: Call) -> Answer:
    """Add a collaborator; here the invitation is accepted at once, members of the organisation get none."""
    repo = call.repo("admin", "administration")
    user = call.hub.user(call.params["username"])
    if user is None:
        raise not_found()
    level = call.get("permission", str, "push")
    level = ALIASES.get(level, level)
    if level not in LEVELS[1:]:
        raise invalid("Repository", "permission", "custom", f"{level} is not a valid permission")
    login = user["login"].lower()
    org = call.hub.org(repo["owner"])
    known = login in repo["collaborators"] or (org is not None and login in org["members"])
    repo["collaborators"][login] = level
    call.hub.changed()
    if known or login == repo["owner"].lower():
        return Answer(204)
    number = call.hub.next_id("invitation")
    url = present.html_url(call.hub, repo)
    invitation = {
        "id": number,
        "node_id": f"RI_{number}",
        "repository": present.repository(call.hub, repo),
        "invitee": present.account(call.hub, user),
        "inviter": present.account(call.hub, call.signed_in()),
        "permissions": level,
        "created_at": now(),
        "url": f"{call.hub.api}/user/repository_invitations/{number}",
        "html_url": f"{url}/invitations",
        "expired": False,
    }
    return Answer(201, invitation)


@route("DELETE", "/repos/{owner}/{repo}/collaborators/{username}")
def remove(call: Call) -> Answer:
    """Remove a collaborator."""
    repo = call.repo("admin", "administration")
    repo["collaborators"].pop(call.params["username"].lower(), None)
    call.hub.changed()
    return Answer(204)


@route("GET", "/repos/{owner}/{repo}/assignees")
def assignees(call: Call) -> Answer:
    """Who may be assigned issues."""
    repo = call.repo()
    return call.page_of(_people(call, repo), lambda user: present.account(call.hub, user))


@route("GET", "/repos/{owner}/{repo}/assignees/{assignee}")
def is_assignee(call: Call) -> Answer:
    """204 for somebody who may be assigned issues."""
    if call.params["assignee"].lower() not in {user["login"].lower() for user in _people(call, call.repo())}:
        raise not_found()
    return Answer(204)
