"""Answers for branch protection, whole and by its parts, with the wording of the plans that lack it."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.branches import BRANCH, UPGRADE, branch_url, checks_body, existing_branch
from local.sandbox.github.errors import ApiError, bad_request
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.routing import Answer, Call, route

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


def _guarded(call: Call, level: str = "admin") -> tuple[Record, str]:
    """Repository and branch, where the plan has protection; raises ApiError 403 or 404."""
    repo = call.repo(level, "administration")
    if repo["private"] and not call.hub.plan_has(repo["owner"], "protection"):
        raise ApiError(403, UPGRADE)
    return repo, existing_branch(call, repo)


def _rules(call: Call) -> tuple[Record, str, Record]:
    repo, name = _guarded(call)
    rules: Record | None = repo["protection"].get(name)
    if rules is None:
        raise ApiError(404, "Branch not protected")
    return repo, name, rules


def protection_body(hub: Hub, repo: Record, name: str, rules: Record) -> Record:
    """Protection as GitHub renders it: absent parts are left out."""
    url = f"{branch_url(hub, repo, name)}/protection"
    body: Record = {"url": url}
    if rules.get("required_status_checks") is not None:
        body["required_status_checks"] = checks_body(url, rules["required_status_checks"])
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
