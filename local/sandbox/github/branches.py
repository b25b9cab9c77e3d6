"""Answers for branches and what protects them; on private repositories that takes a paid plan."""

from __future__ import annotations

from urllib.parse import quote

from local.sandbox.github import objects, present
from local.sandbox.github.commits import commit_body
from local.sandbox.github.errors import ApiError, bad_request
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.pushes import move
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"
# Branch names hold slashes; clients send them as they are or as %2F, and both arrive here decoded.
BRANCH = REPO + "/branches/{branch:path}"
UPGRADE = "Upgrade to GitHub Pro or make this repository public to enable this feature."
_ON_OFF = [
    "required_linear_history",
    "allow_force_pushes",
    "allow_deletions",
    "block_creations",
    "required_conversation_resolution",
    "lock_branch",
    "allow_fork_syncing",
]
_REQUIRED = ("required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions")


def _branch(call: Call, repo: Record) -> str:
    name = call.params["branch"]
    if f"refs/heads/{name}" not in repo["refs"]:
        raise ApiError(404, "Branch not found")
    return name


def _url(hub: Hub, repo: Record, name: str) -> str:
    return f"{present.repository_url(hub, repo)}/branches/{quote(name, safe='')}"


def short(hub: Hub, repo: Record, name: str) -> Record:
    """A branch as lists show it."""
    sha = repo["refs"][f"refs/heads/{name}"]
    url = _url(hub, repo, name)
    return {
        "name": name,
        "commit": {"sha": sha, "url": f"{present.repository_url(hub, repo)}/commits/{sha}"},
        "protected": name in repo["protection"],
        "protection": summary(repo["protection"].get(name)),
        "protection_url": f"{url}/protection",
    }


def summary(rules: Record | None) -> Record:
    """Protection in the short form shown with a branch."""
    checks = (rules or {}).get("required_status_checks") or {}
    level = "off" if not checks else "everyone" if (rules or {}).get("enforce_admins") else "non_admins"
    shown = _checks_body("", checks) if checks else {"contexts": [], "checks": []}
    found = {"enforcement_level": level, "contexts": shown["contexts"], "checks": shown["checks"]}
    return {"enabled": rules is not None, "required_status_checks": found}


@route("GET", REPO + "/branches")
def branches(call: Call) -> Answer:
    """All branches."""
    repo = call.repo("read", "contents")
    names = sorted(ref.removeprefix("refs/heads/") for ref in repo["refs"] if ref.startswith("refs/heads/"))
    if call.query.get("protected") in {"true", "false"}:
        names = [name for name in names if (name in repo["protection"]) == (call.query["protected"] == "true")]
    return call.page_of(names, lambda name: short(call.hub, repo, name))


@route("GET", BRANCH)
def branch(call: Call) -> Record:
    """One branch."""
    repo = call.repo("read", "contents")
    return _whole(call, repo, _branch(call, repo))


def _whole(call: Call, repo: Record, name: str) -> Record:
    url = _url(call.hub, repo, name)
    links = {"self": url, "html": f"{present.html_url(call.hub, repo)}/tree/{name}"}
    commit = commit_body(call.hub, repo, repo["refs"][f"refs/heads/{name}"])
    return {**short(call.hub, repo, name), "commit": commit, "_links": links}


@route("POST", BRANCH + "/rename")
def rename(call: Call) -> Answer:
    """Rename a branch; protection and the default go with it."""
    repo = call.repo("admin", "administration")
    old, new = _branch(call, repo), call.need("new_name", str)
    if f"refs/heads/{new}" in repo["refs"]:
        raise ApiError(422, f"Branch {new} already exists")
    actor = call.signed_in()
    move(call.hub, repo, f"refs/heads/{new}", repo["refs"][f"refs/heads/{old}"], actor, bypass=True)
    if repo["default_branch"] == old:
        repo["default_branch"] = new
    if old in repo["protection"]:
        repo["protection"][new] = repo["protection"].pop(old)
    move(call.hub, repo, f"refs/heads/{old}", None, actor, bypass=True)
    return Answer(201, _whole(call, repo, new))


@route("GET", REPO + "/tags")
def tags(call: Call) -> Answer:
    """All tags."""
    repo = call.repo("read", "contents")
    url = present.repository_url(call.hub, repo)
    names = sorted(ref.removeprefix("refs/tags/") for ref in repo["refs"] if ref.startswith("refs/tags/"))

    def render(name: str) -> Record:
        sha = objects.peel(call.hub, repo["refs"][f"refs/tags/{name}"])
        return {
            "name": name,
            "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
            "zipball_url": f"{url}/zipball/refs/tags/{name}",
            "tarball_url": f"{url}/tarball/refs/tags/{name}",
            "node_id": f"REF_{name}",
        }

    return call.page_of(names, render)


def _guarded(call: Call, level: str = "admin") -> tuple[Record, str]:
    """Repository and branch, where the plan has protection; raises ApiError 403 or 404."""
    repo = call.repo(level, "administration")
    if repo["private"] and not call.hub.plan_has(repo["owner"], "protection"):
        raise ApiError(403, UPGRADE)
    return repo, _branch(call, repo)


def _rules(call: Call) -> tuple[Record, str, Record]:
    repo, name = _guarded(call)
    rules: Record | None = repo["protection"].get(name)
    if rules is None:
        raise ApiError(404, "Branch not protected")
    return repo, name, rules


def protection_body(hub: Hub, repo: Record, name: str, rules: Record) -> Record:
    """Protection as GitHub renders it: absent parts are left out."""
    url = f"{_url(hub, repo, name)}/protection"
    body: Record = {"url": url}
    if rules.get("required_status_checks") is not None:
        body["required_status_checks"] = _checks_body(url, rules["required_status_checks"])
    if rules.get("required_pull_request_reviews") is not None:
        body["required_pull_request_reviews"] = _reviews_body(hub, repo, url, rules["required_pull_request_reviews"])
    body["required_signatures"] = {
        "url": f"{url}/required_signatures",
        "enabled": bool(rules.get("required_signatures")),
    }
    body["enforce_admins"] = {"url": f"{url}/enforce_admins", "enabled": bool(rules.get("enforce_admins"))}
    if rules.get("restrictions") is not None:
        body["restrictions"] = {**_people(hub, repo, rules["restrictions"]), "url": f"{url}/restrictions"}
        body["restrictions"] |= {f"{kind}_url": f"{url}/restrictions/{kind}" for kind in ("users", "teams", "apps")}
    return {**body, **{flag: {"enabled": bool(rules.get(flag))} for flag in _ON_OFF}}


def _checks_body(url: str, checks: Record) -> Record:
    own = f"{url}/required_status_checks"
    listed = checks.get("checks") or [{"context": name, "app_id": None} for name in checks.get("contexts", [])]
    names = [check["context"] for check in listed]
    shown = [{"context": check["context"], "app_id": check.get("app_id")} for check in listed]
    return {
        "url": own,
        "strict": bool(checks.get("strict")),
        "contexts": names,
        "contexts_url": f"{own}/contexts",
        "checks": shown,
    }


def _reviews_body(hub: Hub, repo: Record, url: str, reviews: Record) -> Record:
    own = f"{url}/required_pull_request_reviews"
    body = {
        "url": own,
        "dismiss_stale_reviews": bool(reviews.get("dismiss_stale_reviews")),
        "require_code_owner_reviews": bool(reviews.get("require_code_owner_reviews")),
        "require_last_push_approval": bool(reviews.get("require_last_push_approval")),
        "required_approving_review_count": reviews.get("required_approving_review_count", 1),
    }
    if reviews.get("dismissal_restrictions"):
        body["dismissal_restrictions"] = _people(hub, repo, reviews["dismissal_restrictions"])
    return body


def _people(hub: Hub, repo: Record, given: Record) -> Record:
    org = hub.org(repo["owner"])
    users = [present.account(hub, user) for login in given.get("users", []) if (user := hub.user(login))]
    teams = [
        present.team(hub, org, org["teams"][slug]) for slug in given.get("teams", []) if org and slug in org["teams"]
    ]
    return {"users": users, "teams": teams, "apps": []}


@route("GET", BRANCH + "/protection")
def protection(call: Call) -> Record:
    """A branch's protection."""
    repo, name, rules = _rules(call)
    return protection_body(call.hub, repo, name, rules)


@route("PUT", BRANCH + "/protection")
def protect(call: Call) -> Record:
    """Replace a branch's protection."""
    repo, name = _guarded(call)
    missing = [part for part in _REQUIRED if part not in call.body]
    if missing:
        names = ", ".join(f'"{part}"' for part in missing)
        raise bad_request(f"{names} {'weren' if len(missing) > 1 else 'wasn'}'t supplied.")
    rules: Record = {
        "required_status_checks": call.get("required_status_checks", dict),
        "enforce_admins": call.get("enforce_admins", bool, False),
        "required_pull_request_reviews": call.get("required_pull_request_reviews", dict),
        "restrictions": call.get("restrictions", dict),
        "required_signatures": repo["protection"].get(name, {}).get("required_signatures", False),
        **{flag: call.get(flag, bool, False) for flag in _ON_OFF},
    }
    if rules["restrictions"] is not None and not call.hub.org(repo["owner"]):
        raise ApiError(
            422, "Validation Failed", ["Only organization repositories can have users and team restrictions"]
        )
    _check_parts(rules)
    repo["protection"][name] = rules
    call.hub.changed()
    return protection_body(call.hub, repo, name, rules)


def _check_parts(rules: Record) -> None:
    checks, reviews = rules["required_status_checks"], rules["required_pull_request_reviews"]
    if checks is not None and ("strict" not in checks or ("contexts" not in checks and "checks" not in checks)):
        lacking = "strict" if "strict" not in checks else "contexts"
        raise bad_request(f'No subschema in "anyOf" matched.\n"{lacking}" wasn\'t supplied.')
    count = (reviews or {}).get("required_approving_review_count", 1)
    if not isinstance(count, int) or not 0 <= count <= 6:
        raise bad_request(f'No subschema in "anyOf" matched.\n{count} must be between 0 and 6.')


@route("DELETE", BRANCH + "/protection")
def unprotect(call: Call) -> Answer:
    """Remove a branch's protection."""
    repo, name, _ = _rules(call)
    del repo["protection"][name]
    call.hub.changed()
    return Answer(204)


@route("GET", BRANCH + "/protection/{part}")
def part(call: Call) -> Record:
    """One part of a protection; a part not set is 404."""
    repo, name, rules = _rules(call)
    found: Record | None = protection_body(call.hub, repo, name, rules).get(call.params["part"])
    if found is None or "url" not in found:
        raise ApiError(404, "Not Found" if found else "Required status checks not enabled")
    return found


@route("PATCH", BRANCH + "/protection/{part}")
def edit_part(call: Call) -> Record:
    """Change required checks or reviews."""
    repo, name, rules = _rules(call)
    key = call.params["part"]
    if key not in {"required_status_checks", "required_pull_request_reviews"}:
        raise ApiError(404, "Not Found")
    if key == "required_status_checks" and rules[key] is None:
        raise ApiError(404, "Required status checks not enabled")
    changed = {**(rules[key] or {}), **call.body}
    if key == "required_status_checks" and "contexts" in call.body and "checks" not in call.body:
        changed["checks"] = []
    _check_parts(
        {
            "required_status_checks": {"strict": False, "contexts": []},
            "required_pull_request_reviews": None,
            key: changed,
        }
    )
    rules[key] = changed
    call.hub.changed()
    found: Record = protection_body(call.hub, repo, name, rules)[key]
    return found


@route("POST", BRANCH + "/protection/{part}")
def turn_on(call: Call) -> Record:
    """Switch on rules for administrators, or signatures."""
    repo, name, rules = _rules(call)
    if call.params["part"] not in {"enforce_admins", "required_signatures"}:
        raise ApiError(404, "Not Found")
    rules[call.params["part"]] = True
    call.hub.changed()
    found: Record = protection_body(call.hub, repo, name, rules)[call.params["part"]]
    return found


@route("DELETE", BRANCH + "/protection/{part}")
def remove_part(call: Call) -> Answer:
    """Remove a part."""
    _, _, rules = _rules(call)
    key = call.params["part"]
    if key not in {*_REQUIRED, "required_signatures"}:
        raise ApiError(404, "Not Found")
    rules[key] = False if key in {"enforce_admins", "required_signatures"} else None
    call.hub.changed()
    return Answer(204)
