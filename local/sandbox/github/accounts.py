"""Answers for users, organisations and their members, and for what needs no account at all."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.auth import role_in
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.events import ZEN
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.routing import Answer, Call, rate_headers, route

_ROOT = {
    "current_user_url": "/user",
    "current_user_authorizations_html_url": "/settings/connections/applications{/client_id}",
    "authorizations_url": "/authorizations",
    "code_search_url": "/search/code?q={query}{&page,per_page,sort,order}",
    "commit_search_url": "/search/commits?q={query}{&page,per_page,sort,order}",
    "emails_url": "/user/emails",
    "emojis_url": "/emojis",
    "events_url": "/events",
    "feeds_url": "/feeds",
    "followers_url": "/user/followers",
    "following_url": "/user/following{/target}",
    "gists_url": "/gists{/gist_id}",
    "issue_search_url": "/search/issues?q={query}{&page,per_page,sort,order}",
    "issues_url": "/issues",
    "keys_url": "/user/keys",
    "label_search_url": "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}",
    "notifications_url": "/notifications",
    "organization_url": "/orgs/{org}",
    "organization_repositories_url": "/orgs/{org}/repos{?type,page,per_page,sort}",
    "organization_teams_url": "/orgs/{org}/teams",
    "public_gists_url": "/gists/public",
    "rate_limit_url": "/rate_limit",
    "repository_url": "/repos/{owner}/{repo}",
    "repository_search_url": "/search/repositories?q={query}{&page,per_page,sort,order}",
    "current_user_repositories_url": "/user/repos{?type,page,per_page,sort}",
    "starred_url": "/user/starred{/owner}{/repo}",
    "starred_gists_url": "/gists/starred",
    "user_url": "/users/{user}",
    "user_organizations_url": "/user/orgs",
    "user_repositories_url": "/users/{user}/repos{?type,page,per_page,sort}",
    "user_search_url": "/search/users?q={query}{&page,per_page,sort,order}",
}


@route("GET", "/")
def root(call: Call) -> Record:
    """The addresses of the API."""
    return {name: call.hub.api + path for name, path in _ROOT.items()}


@route("GET", "/meta")
def meta(call: Call) -> Record:
    """What GitHub says of itself."""
    del call
    return {
        "verifiable_password_authentication": False,
        "domains": {"website": [], "codespaces": [], "copilot": [], "packages": []},
        "hooks": ["127.0.0.1/32"],
        "web": ["127.0.0.1/32"],
        "api": ["127.0.0.1/32"],
        "git": ["127.0.0.1/32"],
    }


@route("GET", "/zen")
def zen(call: Call) -> str:
    """A sentence."""
    del call
    return ZEN[0]


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Record:
    """The allowance; asking for it is free."""
    headers = rate_headers(call.hub, call.caller, count=False)
    core = {name: int(headers[f"X-RateLimit-{name.capitalize()}"]) for name in ("limit", "remaining", "reset", "used")}
    core["resource"] = "core"  # type: ignore[assignment]
    search = {**core, "limit": 30, "remaining": 30, "used": 0, "resource": "search"}
    graphql = {**core, "limit": 5000, "remaining": 5000, "used": 0, "resource": "graphql"}
    return {"resources": {"core": core, "search": search, "graphql": graphql}, "rate": core}


@route("GET", "/user")
def current_user(call: Call) -> Record:
    """The caller."""
    if call.caller.kind == "installation":
        raise ApiError(403, "Resource not accessible by integration")
    user = call.signed_in()
    return {
        **present.full_user(call.hub, user),
        "private_gists": 0,
        "total_private_repos": 0,
        "owned_private_repos": 0,
        "disk_usage": 0,
        "collaborators": 0,
        "two_factor_authentication": True,
    }


@route("GET", "/users/{username}")
def user(call: Call) -> Record:
    """A user, or an organisation under its other address."""
    found = call.hub.user(call.params["username"])
    if found is None:
        org = call.hub.org(call.params["username"])
        if org is None:
            raise not_found()
        return {
            **present.account(call.hub, org),
            "name": org["login"],
            "created_at": org["created_at"],
            "updated_at": org["created_at"],
        }
    return present.full_user(call.hub, found)


@route("GET", "/user/orgs")
def user_orgs(call: Call) -> Answer:
    """Organisations the caller is a member of."""
    login = call.signed_in()["login"].lower()
    orgs = [org for org in call.hub.table("orgs").values() if login in org["members"]]
    return call.page_of(orgs, lambda org: present.organization(call.hub, org))


@route("GET", "/user/memberships/orgs/{org}")
def own_membership(call: Call) -> Record:
    """The caller's own membership."""
    return membership_of(call.hub, call.org(), call.signed_in()["login"])


@route("GET", "/orgs/{org}")
def org(call: Call) -> Record:
    """An organisation."""
    found = call.org()
    return present.full_organization(call.hub, found, owner=role_in(call.hub, found, call.caller) == "admin")


@route("PATCH", "/orgs/{org}")
def edit_org(call: Call) -> Record:
    """Change an organisation."""
    found = call.org(admin=True, permission="organization_administration", level="write")
    found["description"] = call.get("description", str, found["description"])
    found["name"] = call.get("name", str, found.get("name"))
    found["default_repository_permission"] = call.get(
        "default_repository_permission", str, found["default_repository_permission"]
    )
    found["members_can_create_repositories"] = call.get(
        "members_can_create_repositories", bool, found["members_can_create_repositories"]
    )
    call.hub.changed()
    return present.full_organization(call.hub, found, owner=True)


@route("GET", "/orgs/{org}/members")
def members(call: Call) -> Answer:
    """Members, by role when asked; outsiders see none, for members are private unless they choose otherwise."""
    found = call.org()
    role = call.query.get("role", "all")
    inside = call.caller.kind == "installation" or role_in(call.hub, found, call.caller) is not None
    logins = [login for login, held in found["members"].items() if inside and role in {"all", held}]
    return call.page_of(logins, lambda login: present.account(call.hub, call.hub.user(login)))


@route("GET", "/orgs/{org}/members/{username}")
def is_member(call: Call) -> Answer:
    """204 for a member."""
    if call.params["username"].lower() not in call.org()["members"]:
        raise not_found()
    return Answer(204)


@route("DELETE", "/orgs/{org}/members/{username}")
@route("DELETE", "/orgs/{org}/memberships/{username}")
def remove_member(call: Call) -> Answer:
    """Remove a member, from teams too."""
    found = call.org(admin=True, level="write")
    login = call.params["username"].lower()
    if found["members"].pop(login, None) is None:
        raise not_found()
    for team in found["teams"].values():
        team["members"].pop(login, None)
    call.hub.changed()
    return Answer(204)


def membership_of(hub: Hub, org: Record, login: str) -> Record:
    """A membership; raises ApiError 404 for a stranger."""
    user = hub.user(login)
    if user is None or user["login"].lower() not in org["members"]:
        raise not_found()
    return {
        "url": f"{hub.api}/orgs/{org['login']}/memberships/{user['login']}",
        "state": "active",
        "role": org["members"][user["login"].lower()],
        "organization_url": f"{hub.api}/orgs/{org['login']}",
        "organization": present.organization(hub, org),
        "user": present.account(hub, user),
    }


@route("GET", "/orgs/{org}/memberships/{username}")
def membership(call: Call) -> Record:
    """Somebody's membership, for members to see."""
    found = call.org()
    call.signed_in()
    if call.caller.kind == "user" and role_in(call.hub, found, call.caller) is None:
        raise ApiError(403, "You must be a member of this organization to see membership information.")
    return membership_of(call.hub, found, call.params["username"])


@route("PUT", "/orgs/{org}/memberships/{username}")
def set_membership(call: Call) -> Record:
    """Add or change a member; here an invitation is accepted at once."""
    found = call.org(admin=True, level="write")
    user = call.hub.user(call.params["username"])
    if user is None:
        raise not_found()
    role = call.get("role", str, "member")
    if role not in {"admin", "member"}:
        raise invalid("OrganizationInvitation", "role")
    found["members"][user["login"].lower()] = role
    call.hub.changed()
    return membership_of(call.hub, found, user["login"])
