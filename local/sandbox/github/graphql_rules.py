"""Finds what GraphQL tells of what a branch requires, and of the statuses and check runs of a commit."""

from __future__ import annotations

from typing import Any

from local.sandbox.github.auth import level_of
from local.sandbox.github.branches import checks_body
from local.sandbox.github.graphql_fields import suite_of
from local.sandbox.github.graphql_resolvers import Context, Typed, page_of
from local.sandbox.github.hub import Record
from local.sandbox.github.rulesets import active_rules

_PARAMETERS = {"required_status_checks": "RequiredStatusChecksParameters"}


def update_rule(context: Context, value: Record, _: Record) -> Record | None:
    """What a branch's protection asks of the caller; `None` where it has none, or does not bind administrators."""
    rules = value["repo"]["protection"].get(value["name"])
    if rules is None or (_administers(context, value["repo"]) and not rules.get("enforce_admins")):
        return None
    return {"contexts": checks_body("", rules.get("required_status_checks") or {})["contexts"]}


def _administers(context: Context, repo: Record) -> bool:
    return context.caller.kind != "installation" and level_of(context.hub, context.caller.login, repo) == "admin"


def branch_rules(context: Context, value: Record) -> list[Record]:
    """Rules of active rulesets that meet a branch."""
    return [
        {"type": rule["type"].upper(), "parameters": _parameters(rule)}
        for rule in active_rules(context.hub, value["repo"], value["name"])
    ]


def _parameters(rule: Record) -> Typed | None:
    return (
        Typed(_PARAMETERS.get(rule["type"], "UpdateParameters"), rule["parameters"]) if rule.get("parameters") else None
    )


def status(_: Context, value: tuple[Record, str], __: Record) -> Any:
    """The statuses of a commit together; `None` where nobody set one."""
    repo, sha = value
    return value if repo["statuses"].get(sha) else None


def status_contexts(_: Context, value: tuple[Record, str], __: Record) -> list[Any]:
    """The latest status of each name."""
    repo, sha = value
    return [(repo, None, one) for one in {one["context"]: one for one in repo["statuses"][sha]}.values()]


def status_context(context: Context, value: tuple[Record, str], given: Record) -> Any:
    """The latest status of one name; `None` for none."""
    return next((one for one in status_contexts(context, value, {}) if one[2]["context"] == given.get("name")), None)


def suites(context: Context, value: tuple[Record, str], given: Record) -> Record:
    """Check suites of a commit; of one App, and with a run of one name, where the filter says so."""
    repo, sha = value
    asked = given.get("filterBy") or {}
    found: dict[int, list[Record]] = {}
    for run in repo["check_runs"].values():
        if run["head_sha"] == sha and _fits(run, asked):
            found.setdefault(run["suite_id"], []).append(run)
    return page_of([suite_of(context.hub, repo, runs) for runs in found.values()], given)


def runs(_: Context, value: Record, given: Record) -> Record:
    """Runs of a suite; by default the latest of each name."""
    asked = given.get("filterBy") or {}
    found = [run for run in value["runs"] if _fits(run, asked)]
    if asked.get("checkType", "LATEST") == "LATEST":
        found = list({run["name"]: run for run in found}.values())
    return page_of([(value["repo"], None, run) for run in found], given)


def _fits(run: Record, asked: Record) -> bool:
    wanted = {"app_id": asked.get("appId"), "name": asked.get("checkName")}
    return all(value is None or run[name] == value for name, value in wanted.items())
