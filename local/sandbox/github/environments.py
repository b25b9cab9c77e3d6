"""Answers for the environments of a repository and the rules that guard them."""

from __future__ import annotations

from urllib.parse import quote

from local.sandbox.github import present
from local.sandbox.github.actions import REPO
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.hub import Record, node_id, now
from local.sandbox.github.routing import Answer, Call, route

ENVIRONMENT = REPO + "/environments/{environment_name}"


def _environments(call: Call, level: str) -> Record:
    repo = call.repo(level, "administration" if level == "admin" else "actions")
    if repo["private"] and not call.hub.plan_has(repo["owner"], "environments"):
        raise not_found()
    return repo


def _environment_body(call: Call, repo: Record, record: Record) -> Record:
    name = quote(record["name"], safe="")
    return {
        "id": record["id"],
        "node_id": node_id("Environment", record["id"]),
        "name": record["name"],
        "url": f"{present.repository_url(call.hub, repo)}/environments/{name}",
        "html_url": f"{present.html_url(call.hub, repo)}/deployments/activity_log?environments_filter={name}",
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "protection_rules": [_rule(call, repo, rule) for rule in record["protection_rules"]],
        "deployment_branch_policy": record["deployment_branch_policy"],
    }


def _rule(call: Call, repo: Record, rule: Record) -> Record:
    if rule["type"] != "required_reviewers":
        return rule
    return {**rule, "reviewers": [_reviewer(call, repo, reviewer) for reviewer in rule["reviewers"]]}


def _reviewer(call: Call, repo: Record, given: Record) -> Record:
    """A person, or a team of the organisation that owns the repository; refuses whoever is neither."""
    org = call.hub.table("orgs").get(repo["owner"].lower())
    if given.get("type") == "Team":
        team = next((t for t in (org or {"teams": {}})["teams"].values() if t["id"] == given.get("id")), None)
        if org is not None and team is not None:
            return {"type": "Team", "reviewer": present.team(call.hub, org, team)}
    else:
        user = next((u for u in call.hub.table("users").values() if u["id"] == given.get("id")), None)
        if user is not None:
            return {"type": "User", "reviewer": present.account(call.hub, user)}
    raise ApiError(422, "Failed to create the environment protection rule. One of the reviewers is invalid.")


@route("GET", REPO + "/environments")
def environments(call: Call) -> Answer:
    """All environments."""
    repo = _environments(call, "read")
    return call.page_of(list(repo["environments"].values()), lambda e: _environment_body(call, repo, e), "environments")


@route("GET", ENVIRONMENT)
def environment(call: Call) -> Record:
    """One environment."""
    repo = _environments(call, "read")
    found = repo["environments"].get(call.params["environment_name"].lower())
    if found is None:
        raise not_found()
    return _environment_body(call, repo, found)


@route("PUT", ENVIRONMENT)
def set_environment(call: Call) -> Record:
    """Create or replace an environment; reviewers and waiting on private repositories take an Enterprise plan."""
    repo = _environments(call, "admin")
    name = call.params["environment_name"]
    wait, reviewers = call.get("wait_timer", int, 0), call.get("reviewers", list, [])
    if (wait or reviewers) and repo["private"] and not call.hub.plan_has(repo["owner"], "environment_reviewers"):
        raise ApiError(
            422,
            "Failed to create the environment protection rule. Please ensure the billing plan supports the required reviewers protection rule.",
        )
    if not 0 <= wait <= 43_200:
        raise bad_request("wait_timer must be between 0 and 43200.")
    rules: list[Record] = []
    if wait:
        rules.append({"id": call.hub.next_id("rule"), "node_id": "GATE_W", "type": "wait_timer", "wait_timer": wait})
    if reviewers:
        own = call.get("prevent_self_review", bool, False)
        rules.append(
            {
                "id": call.hub.next_id("rule"),
                "node_id": "GATE_R",
                "type": "required_reviewers",
                "prevent_self_review": own,
                "reviewers": reviewers,
            }
        )
    policy = call.get("deployment_branch_policy", dict)
    if policy:
        if policy.get("protected_branches") == policy.get("custom_branch_policies"):
            raise ApiError(422, "protected_branches and custom_branch_policies cannot have the same value")
        rules.append({"id": call.hub.next_id("rule"), "node_id": "GATE_B", "type": "branch_policy"})
    for rule in rules:
        _rule(call, repo, rule)
    old = repo["environments"].get(name.lower())
    record = {
        "id": old["id"] if old else call.hub.next_id("environment", 80_001),
        "name": name,
        "created_at": old["created_at"] if old else now(),
        "updated_at": now(),
        "protection_rules": rules,
        "deployment_branch_policy": policy,
        "branch_policies": old["branch_policies"] if old else {},
    }
    repo["environments"][name.lower()] = record
    call.hub.changed()
    return _environment_body(call, repo, record)


@route("DELETE", ENVIRONMENT)
def delete_environment(call: Call) -> Answer:
    """Delete an environment."""
    repo = _environments(call, "admin")
    if repo["environments"].pop(call.params["environment_name"].lower(), None) is None:
        raise not_found()
    call.hub.changed()
    return Answer(204)
