"""Answers for rulesets of repositories and organisations."""

from __future__ import annotations

import fnmatch

from local.sandbox.github import present
from local.sandbox.github.branches import UPGRADE
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.hub import Hub, Record, node_id, now
from local.sandbox.github.routing import Answer, Call, route

ENFORCEMENTS = {"disabled", "active", "evaluate"}
RULE_TYPES = frozenset(
    [
        "creation",
        "update",
        "deletion",
        "required_linear_history",
        "merge_queue",
        "required_deployments",
        "required_signatures",
        "pull_request",
        "required_status_checks",
        "non_fast_forward",
        "commit_message_pattern",
        "commit_author_email_pattern",
        "committer_email_pattern",
        "branch_name_pattern",
        "tag_name_pattern",
        "file_path_restriction",
        "max_file_path_length",
        "file_extension_restriction",
        "max_file_size",
        "workflows",
        "code_scanning",
        "copilot_code_review",
    ]
)


def _owner(call: Call, level: str) -> tuple[Record, str, str]:
    """The record that holds the rulesets, their source type and the address of the list."""
    if "repo" in call.params:
        repo = call.repo("admin" if level == "write" else "read", "administration" if level == "write" else "metadata")
        if repo["private"] and not call.hub.plan_has(repo["owner"], "protection"):
            raise ApiError(403, UPGRADE)
        return repo, "Repository", present.repository_url(call.hub, repo)
    org = call.org(admin=True, permission="organization_administration", level=level)
    if org["plan"] == "free":
        raise ApiError(403, "Upgrade to GitHub Team to enable this feature.")
    return org, "Organization", f"{call.hub.api}/orgs/{org['login']}"


def _source(owner: Record, kind: str) -> str:
    return f"{owner['owner']}/{owner['name']}" if kind == "Repository" else owner["login"]


def render(call: Call, owner: Record, kind: str, url: str, ruleset: Record, *, full: bool = True) -> Record:
    """A ruleset; lists leave out rules and conditions."""
    body = {
        "id": ruleset["id"],
        "name": ruleset["name"],
        "target": ruleset["target"],
        "source_type": kind,
        "source": _source(owner, kind),
        "enforcement": ruleset["enforcement"],
        "node_id": node_id("RepositoryRuleset", ruleset["id"]),
        "_links": {
            "self": {"href": f"{url}/rulesets/{ruleset['id']}"},
            "html": {"href": f"{call.hub.base_url}/{_source(owner, kind)}/rules/{ruleset['id']}"},
        },
        "created_at": ruleset["created_at"],
        "updated_at": ruleset["updated_at"],
    }
    if full:
        body |= {name: ruleset[name] for name in ("conditions", "rules", "bypass_actors")}
        body["current_user_can_bypass"] = "never"
    return body


def _checked(call: Call, before: Record | None = None) -> Record:
    """The fields of a ruleset; raises ApiError 422."""
    old = before or {"target": "branch", "conditions": {}, "rules": [], "bypass_actors": []}
    name = call.get("name", str, old.get("name"))
    enforcement = call.get("enforcement", str, old.get("enforcement"))
    if name is None or enforcement is None:
        raise bad_request(f'"{"name" if name is None else "enforcement"}" wasn\'t supplied.')
    if enforcement not in ENFORCEMENTS:
        raise bad_request(f"{enforcement} is not a member of {sorted(ENFORCEMENTS)}.")
    target = call.get("target", str, old["target"])
    if target not in {"branch", "tag", "push", "repository"}:
        raise bad_request(f'{target} is not a member of ["branch", "tag", "push", "repository"].')
    rules = call.get("rules", list, old["rules"])
    for number, rule in enumerate(rules):
        if not isinstance(rule, dict) or rule.get("type") not in RULE_TYPES:
            raise ApiError(422, "Validation Failed", [f"Invalid rules: rule {number} has an unknown type"])
    return {
        "name": name,
        "enforcement": enforcement,
        "target": target,
        "rules": rules,
        "conditions": call.get("conditions", dict, old["conditions"]),
        "bypass_actors": call.get("bypass_actors", list, old["bypass_actors"]),
        "updated_at": now(),
    }


def _refuse_twin(owner: Record, name: str, but: int | None = None) -> None:
    if any(r["name"] == name and r["id"] != but for r in owner["rulesets"].values()):
        raise ApiError(422, "Validation Failed", ["Name must be unique"])


def _found(call: Call, owner: Record) -> Record:
    ruleset: Record | None = owner["rulesets"].get(call.params["ruleset_id"])
    if ruleset is None:
        raise not_found()
    return ruleset


def rulesets(call: Call) -> Answer:
    """All rulesets; a repository shows its organisation's too unless told otherwise."""
    owner, kind, url = _owner(call, "read")
    found = [(owner, kind, url, r) for r in owner["rulesets"].values()]
    if kind == "Repository" and call.query.get("includes_parents", "true") == "true":
        org = call.hub.org(owner["owner"])
        for ruleset in org["rulesets"].values() if org else ():
            found.append((org, "Organization", f"{call.hub.api}/orgs/{owner['owner']}", ruleset))  # type: ignore[arg-type]
    return call.page_of(found, lambda item: render(call, *item, full=False))


def create(call: Call) -> Answer:
    """Create a ruleset."""
    owner, kind, url = _owner(call, "write")
    fields = _checked(call)
    _refuse_twin(owner, fields["name"])
    ruleset = {"id": call.hub.next_id("ruleset", 60_001), "created_at": now(), **fields}
    owner["rulesets"][str(ruleset["id"])] = ruleset
    call.hub.changed()
    return Answer(201, render(call, owner, kind, url, ruleset))


def ruleset(call: Call) -> Record:
    """One ruleset."""
    owner, kind, url = _owner(call, "read")
    return render(call, owner, kind, url, _found(call, owner))


def edit(call: Call) -> Record:
    """Change a ruleset."""
    owner, kind, url = _owner(call, "write")
    found = _found(call, owner)
    fields = _checked(call, found)
    _refuse_twin(owner, fields["name"], found["id"])
    found |= fields
    call.hub.changed()
    return render(call, owner, kind, url, found)


def delete(call: Call) -> Answer:
    """Delete a ruleset."""
    owner, _, _ = _owner(call, "write")
    del owner["rulesets"][str(_found(call, owner)["id"])]
    call.hub.changed()
    return Answer(204)


for _base in ("/repos/{owner}/{repo}/rulesets", "/orgs/{org}/rulesets"):
    route("GET", _base)(rulesets)
    route("POST", _base)(create)
    route("GET", _base + "/{ruleset_id}")(ruleset)
    route("PUT", _base + "/{ruleset_id}")(edit)
    route("DELETE", _base + "/{ruleset_id}")(delete)


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch:path}")
def rules_of_branch(call: Call) -> Answer:
    """The active rules that meet a branch."""
    return call.page_of(active_rules(call.hub, call.repo(), call.params["branch"]), lambda rule: rule)


def active_rules(hub: Hub, repo: Record, branch: str) -> list[Record]:
    """The rules of a repository and its organisation that meet a branch, each with where it comes from."""
    org = hub.org(repo["owner"])
    found: list[Record] = []
    places = [(repo, "Repository"), *([(org, "Organization")] if org else [])]
    for owner, kind in places:
        for item in owner["rulesets"].values():
            if item["enforcement"] == "active" and item["target"] == "branch" and _meets(item, repo, branch):
                extra = {"ruleset_source_type": kind, "ruleset_source": _source(owner, kind), "ruleset_id": item["id"]}
                found += [{**rule, **extra} for rule in item["rules"]]
    return found


def _meets(item: Record, repo: Record, branch: str) -> bool:
    names = item["conditions"].get("ref_name", {})

    def hit(pattern: str) -> bool:
        if pattern == "~ALL":
            return True
        if pattern == "~DEFAULT_BRANCH":
            return bool(branch == repo["default_branch"])
        return fnmatch.fnmatchcase(f"refs/heads/{branch}", pattern)

    return any(map(hit, names.get("include", []))) and not any(map(hit, names.get("exclude", [])))
