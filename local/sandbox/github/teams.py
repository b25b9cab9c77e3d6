"""Answers for teams: their members and the repositories they reach."""

from __future__ import annotations

import re

from local.sandbox.github import present
from local.sandbox.github.auth import ALIASES, LEVELS, role_in
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.routing import Answer, Call, route


def slug_of(name: str) -> str:
    """The address part GitHub makes of a team's name."""
    return re.sub(r"[^a-z0-9_.]+", "-", name.lower()).strip("-")


def add_team(hub: Hub, org: Record, name: str, slug: str | None = None) -> Record:
    """Create a team."""
    team: Record = {
        "id": hub.next_id("team", 20_001),
        "name": name,
        "slug": slug or slug_of(name),
        "description": None,
        "privacy": "closed",
        "permission": "pull",
        "created_at": now(),
        "members": {},
        "repos": {},
    }
    org["teams"][team["slug"]] = team
    hub.changed()
    return team


def _visible(call: Call) -> Record:
    """The organisation, when the caller belongs to it; teams are unknown to others."""
    org = call.org()
    call.signed_in()
    if call.caller.kind == "installation":
        if call.caller.installation["account"].lower() != org["login"].lower() or "members" not in (
            call.caller.permissions or {}
        ):
            raise ApiError(403, "Resource not accessible by integration")
    elif role_in(call.hub, org, call.caller) is None:
        raise not_found()
    return org


def _team(call: Call, org: Record) -> Record:
    found: Record | None = org["teams"].get(call.params["team_slug"].lower())
    if found is None:
        raise not_found()
    return found


@route("GET", "/orgs/{org}/teams")
def teams(call: Call) -> Answer:
    """All teams."""
    org = _visible(call)
    return call.page_of(list(org["teams"].values()), lambda team: present.team(call.hub, org, team))


@route("POST", "/orgs/{org}/teams")
def create(call: Call) -> Answer:
    """Create a team; its maker leads it."""
    org = call.org(admin=True, level="write")
    name = call.need("name", str)
    if slug_of(name) in org["teams"]:
        error = {"resource": "Team", "code": "already_exists", "field": "name"}
        raise ApiError(422, "Validation Failed", [{**error, "message": "Name must be unique for this org"}])
    team = add_team(call.hub, org, name)
    team["description"] = call.get("description", str)
    team["privacy"] = call.get("privacy", str, "secret")
    team["permission"] = call.get("permission", str, "pull")
    if call.caller.kind == "user":
        team["members"][call.caller.login.lower()] = "maintainer"
    for full_name in call.get("repo_names", list, []):
        repo = call.hub.repo(*full_name.partition("/")[::2])
        if repo is None:
            raise invalid("Team", "repo_names")
        team["repos"][str(repo["id"])] = ALIASES.get(team["permission"], team["permission"])
    return Answer(201, present.team(call.hub, org, team, full=True))


@route("GET", "/orgs/{org}/teams/{team_slug}")
def team(call: Call) -> Record:
    """One team."""
    org = _visible(call)
    return present.team(call.hub, org, _team(call, org), full=True)


@route("PATCH", "/orgs/{org}/teams/{team_slug}")
def edit(call: Call) -> Record:
    """Change a team; a new name changes the address."""
    org = call.org(admin=True, level="write")
    found = _team(call, org)
    for name in ("description", "privacy", "permission"):
        found[name] = call.get(name, str, found[name])
    title = call.get("name", str)
    if title:
        org["teams"].pop(found["slug"])
        found["name"], found["slug"] = title, slug_of(title)
        org["teams"][found["slug"]] = found
    call.hub.changed()
    return present.team(call.hub, org, found, full=True)


@route("DELETE", "/orgs/{org}/teams/{team_slug}")
def delete(call: Call) -> Answer:
    """Delete a team."""
    org = call.org(admin=True, level="write")
    org["teams"].pop(_team(call, org)["slug"])
    call.hub.changed()
    return Answer(204)


@route("GET", "/orgs/{org}/teams/{team_slug}/members")
def members(call: Call) -> Answer:
    """Members, by role when asked."""
    role = call.query.get("role", "all")
    chosen = [login for login, held in _team(call, _visible(call))["members"].items() if role in {"all", held}]
    return call.page_of(chosen, lambda login: present.account(call.hub, call.hub.user(login)))


def _membership(call: Call, org: Record, found: Record, login: str) -> Record:
    return {
        "url": f"{call.hub.api}/orgs/{org['login']}/teams/{found['slug']}/memberships/{login}",
        "role": found["members"][login],
        "state": "active",
    }


@route("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}")
def membership(call: Call) -> Record:
    """Somebody's membership."""
    org = _visible(call)
    found = _team(call, org)
    login = call.params["username"].lower()
    if login not in found["members"]:
        raise not_found()
    return _membership(call, org, found, login)


@route("PUT", "/orgs/{org}/teams/{team_slug}/memberships/{username}")
def set_membership(call: Call) -> Record:
    """Add a member; somebody outside the organisation joins it."""
    org = call.org(admin=True, level="write")
    found = _team(call, org)
    user = call.hub.user(call.params["username"])
    if user is None:
        raise not_found()
    role = call.get("role", str, "member")
    if role not in {"member", "maintainer"}:
        raise invalid("TeamMember", "role")
    login = user["login"].lower()
    org["members"].setdefault(login, "member")
    found["members"][login] = role
    call.hub.changed()
    return _membership(call, org, found, login)


@route("DELETE", "/orgs/{org}/teams/{team_slug}/memberships/{username}")
def remove_membership(call: Call) -> Answer:
    """Remove a member."""
    found = _team(call, call.org(admin=True, level="write"))
    if found["members"].pop(call.params["username"].lower(), None) is None:
        raise not_found()
    call.hub.changed()
    return Answer(204)


@route("GET", "/orgs/{org}/teams/{team_slug}/repos")
def repos(call: Call) -> Answer:
    """Repositories the team reaches."""
    found = _team(call, _visible(call))
    chosen = [repo for repo in call.hub.repos_of(call.params["org"]) if str(repo["id"]) in found["repos"]]
    return call.page_of(chosen, lambda repo: with_level(call.hub, repo, found["repos"][str(repo["id"])]))


def with_level(hub: Hub, repo: Record, level: str) -> Record:
    """A repository with what a team may do in it."""
    held = LEVELS.index(level)
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    flags = {flag: held >= LEVELS.index(name) for flag, name in names.items()}
    return {**present.repository(hub, repo), "permissions": flags, "role_name": level}


@route("PUT", "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}")
def give_repo(call: Call) -> Answer:
    """Let the team reach a repository."""
    found = _team(call, call.org())
    repo = call.repo("admin", "administration")
    if repo["owner"].lower() != call.params["org"].lower():
        raise ApiError(422, "Validation Failed", [{"resource": "TeamMember", "code": "unowned", "field": "repository"}])
    level = call.get("permission", str, found["permission"])
    level = ALIASES.get(level, level)
    if level not in LEVELS:
        raise invalid("TeamRepository", "permission")
    found["repos"][str(repo["id"])] = level
    call.hub.changed()
    return Answer(204)


@route("GET", "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}")
def reaches(call: Call) -> Answer:
    """204 (or the repository, when that media type is asked for) where the team reaches it."""
    found = _team(call, _visible(call))
    repo = call.repo()
    level = found["repos"].get(str(repo["id"]))
    if level is None:
        raise not_found()
    if "v3.repository" in call.request.headers.get("accept", ""):
        return Answer(200, with_level(call.hub, repo, level))
    return Answer(204)


@route("DELETE", "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}")
def take_repo(call: Call) -> Answer:
    """Take a repository from the team."""
    found = _team(call, call.org())
    found["repos"].pop(str(call.repo("admin", "administration")["id"]), None)
    call.hub.changed()
    return Answer(204)


@route("GET", "/repos/{owner}/{repo}/teams")
def teams_of_repo(call: Call) -> Answer:
    """Teams that reach a repository."""
    repo = call.repo("admin", "administration")
    org: Record = call.hub.org(repo["owner"]) or {"teams": {}}
    key = str(repo["id"])
    found = [t for t in org["teams"].values() if key in t["repos"]]
    names = {"read": "pull", "write": "push"}

    def shown(team: Record) -> Record:
        held = team["repos"][key]
        return {**present.team(call.hub, org, team), "permission": names.get(held, held)}

    return call.page_of(found, shown)
