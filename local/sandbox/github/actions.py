"""Answers for Actions (workflows are the files in .github/workflows, runs are read) and for environments."""

from __future__ import annotations

import re
import zlib
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import quote

import yaml

from local.sandbox.github import objects, present
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.hub import Hub, Record, node_id, now
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")


def workflows_of(call: Call, repo: Record) -> list[Record]:
    """Each workflow file at the head of the default branch."""
    head = objects.head_of(repo)
    files = objects.flat(call.hub, call.hub.table("commits")[head]["tree"]) if head else {}
    found = []
    for path, (_, sha) in files.items():
        if not _WORKFLOW.fullmatch(path):
            continue
        number = _number(repo, path)
        url = f"{present.repository_url(call.hub, repo)}/actions/workflows/{number}"
        page = present.html_url(call.hub, repo)
        found.append(
            {
                "id": number,
                "node_id": node_id("Workflow", number),
                "name": _title(objects.blob(call.hub, sha).decode(errors="replace"), path),
                "path": path,
                "state": repo.get("workflow_states", {}).get(path, "active"),
                "created_at": repo["created_at"],
                "updated_at": repo["pushed_at"],
                "url": url,
                "html_url": f"{page}/blob/{repo['default_branch']}/{path}",
                "badge_url": f"{page}/workflows/{quote(path)}/badge.svg",
            }
        )
    return found


def _title(text: str, path: str) -> str:
    found = re.search(r"^name:\s*['\"]?(.+?)['\"]?\s*$", text, re.MULTILINE)
    return found.group(1) if found else path


def _number(repo: Record, path: str) -> int:
    # The same file keeps its number across commits.
    return zlib.crc32(f"{repo['id']}:{path}".encode())


@route("GET", REPO + "/actions/workflows")
def workflows(call: Call) -> Answer:
    """All workflows."""
    repo = call.repo("read", "actions")
    return call.page_of(workflows_of(call, repo), lambda w: w, "workflows")


def _workflow(call: Call, repo: Record) -> Record:
    wanted = call.params["workflow_id"]
    for found in workflows_of(call, repo):
        if wanted in {str(found["id"]), found["path"].rpartition("/")[2]}:
            return found
    raise not_found()


@route("GET", REPO + "/actions/workflows/{workflow_id}")
def workflow(call: Call) -> Record:
    """One workflow, by number or file name."""
    return _workflow(call, call.repo("read", "actions"))


@route("PUT", REPO + "/actions/workflows/{workflow_id}/enable")
@route("PUT", REPO + "/actions/workflows/{workflow_id}/disable")
def switch(call: Call) -> Answer:
    """Enable or disable a workflow."""
    repo = call.repo("write", "actions")
    on = call.request.scope["path"].endswith("/enable")
    repo.setdefault("workflow_states", {})[_workflow(call, repo)["path"]] = "active" if on else "disabled_manually"
    call.hub.changed()
    return Answer(204)


def start_runs(hub: Hub, repo: Record, branch: str, sha: str, actor: Record) -> None:
    """Queue a run of each workflow that a push to the branch triggers. Nothing runs here, so they stay queued."""
    commit = hub.table("commits")[sha]
    for path, (_, name) in sorted(objects.flat(hub, commit["tree"]).items()):
        if not _WORKFLOW.fullmatch(path) or repo.get("workflow_states", {}).get(path, "active") != "active":
            continue
        text = objects.blob(hub, name).decode(errors="replace")
        if not _triggered(text, branch):
            continue
        runs = repo.setdefault("runs", {})
        number = hub.next_id("run")
        who = {key: commit["author"][key] for key in ("name", "email")}
        runs[str(number)] = {
            "id": number,
            "name": _title(text, path),
            "head_branch": branch,
            "head_sha": sha,
            "path": path,
            "display_title": commit["message"].partition("\n")[0],
            "run_number": len(runs) + 1,
            "run_attempt": 1,
            "event": "push",
            "status": "queued",
            "conclusion": None,
            "workflow_id": _number(repo, path),
            "actor": actor["login"],
            "created_at": now(),
            "updated_at": now(),
            "run_started_at": now(),
            "previous_attempt_url": None,
            "referenced_workflows": [],
            "head_commit": {
                "id": sha,
                "tree_id": commit["tree"],
                "message": commit["message"],
                "timestamp": commit["committer"]["date"],
                "author": who,
                "committer": who,
            },
        }


def _triggered(text: str, branch: str) -> bool:
    push = _push_of(text)
    if push is None:
        return False
    if "branches" in push:
        return any(fnmatchcase(branch, str(pattern)) for pattern in push["branches"] or ())
    if "branches-ignore" in push:
        return not any(fnmatchcase(branch, str(pattern)) for pattern in push["branches-ignore"] or ())
    return "tags" not in push


@lru_cache(maxsize=64)
def _push_of(text: str) -> Record | None:
    """What a workflow says of pushes; None where it is triggered by none."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    # YAML 1.1 takes the key `on` for true.
    on = document.get("on", document.get(True)) if isinstance(document, dict) else None
    events = {on: None} if isinstance(on, str) else dict.fromkeys(on) if isinstance(on, list) else on
    if not isinstance(events, dict):
        return None
    return (events["push"] or {}) if "push" in events else None


@route("GET", REPO + "/actions/runs")
@route("GET", REPO + "/actions/workflows/{workflow_id}/runs")
def runs(call: Call) -> Answer:
    """Workflow runs: those a push triggered, and those a seed holds."""
    repo = call.repo("read", "actions")
    found = list(repo.get("runs", {}).values())[::-1]
    if "workflow_id" in call.params:
        number = _workflow(call, repo)["id"]
        found = [r for r in found if r["workflow_id"] == number]
    for field, name in (("branch", "head_branch"), ("head_sha", "head_sha"), ("event", "event")):
        found = [r for r in found if call.query.get(field, r[name]) == r[name]]
    status = call.query.get("status")
    found = [r for r in found if status in {None, r["status"], r["conclusion"]}]
    return call.page_of(found, lambda r: _run_body(call, repo, r), "workflow_runs")


@route("GET", REPO + "/actions/runs/{run_id}")
def run(call: Call) -> Record:
    """One workflow run."""
    repo = call.repo("read", "actions")
    found = repo.get("runs", {}).get(call.params["run_id"])
    if found is None:
        raise not_found()
    return _run_body(call, repo, found)


def _run_body(call: Call, repo: Record, record: Record) -> Record:
    url = f"{present.repository_url(call.hub, repo)}/actions/runs/{record['id']}"
    actor = present.account(call.hub, call.hub.user(record["actor"]))
    links = {
        name: f"{url}/{name.removesuffix('_url')}"
        for name in ("jobs_url", "logs_url", "artifacts_url", "cancel_url", "rerun_url")
    }
    return {
        **{name: value for name, value in record.items() if name != "actor"},
        "node_id": node_id("WorkflowRun", record["id"]),
        "check_suite_id": record["id"],
        "check_suite_node_id": node_id("CheckSuite", record["id"]),
        "url": url,
        "html_url": f"{present.html_url(call.hub, repo)}/actions/runs/{record['id']}",
        **links,
        "workflow_url": f"{present.repository_url(call.hub, repo)}/actions/workflows/{record['workflow_id']}",
        "check_suite_url": f"{present.repository_url(call.hub, repo)}/check-suites/{record['id']}",
        "actor": actor,
        "triggering_actor": actor,
        "repository": present.repository(call.hub, repo),
        "head_repository": present.repository(call.hub, repo),
        "pull_requests": [],
    }


@route("GET", REPO + "/actions/permissions")
def permissions(call: Call) -> Record:
    """Which actions may run."""
    repo = call.repo("admin", "administration")
    return {"enabled": True, "allowed_actions": "all", **repo.get("actions_permissions", {})}


@route("PUT", REPO + "/actions/permissions")
def set_permissions(call: Call) -> Answer:
    """Choose which actions may run."""
    repo = call.repo("admin", "administration")
    if not isinstance(call.body.get("enabled"), bool):
        raise bad_request('"enabled" wasn\'t supplied.')
    repo["actions_permissions"] = {
        "enabled": call.body["enabled"],
        "allowed_actions": call.get("allowed_actions", str, "all"),
    }
    call.hub.changed()
    return Answer(204)


@route("GET", REPO + "/actions/permissions/workflow")
def token_permissions(call: Call) -> Record:
    """What the workflows' own token may do."""
    repo = call.repo("admin", "administration")
    return {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": False,
        **repo.get("workflow_permissions", {}),
    }


@route("PUT", REPO + "/actions/permissions/workflow")
def set_token_permissions(call: Call) -> Answer:
    """Choose what the workflows' own token may do."""
    repo = call.repo("admin", "administration")
    repo["workflow_permissions"] = {
        "default_workflow_permissions": call.get("default_workflow_permissions", str, "read"),
        "can_approve_pull_request_reviews": call.get("can_approve_pull_request_reviews", bool, False),
    }
    call.hub.changed()
    return Answer(204)


@route("GET", REPO + "/actions/variables")
def variables(call: Call) -> Answer:
    """Variables of a repository."""
    repo = call.repo("write", "actions_variables")
    return call.page_of(list(repo.get("variables", {}).values()), lambda v: v, "variables")


@route("POST", REPO + "/actions/variables")
def create_variable(call: Call) -> Answer:
    """Create a variable."""
    repo = call.repo("write", "actions_variables")
    name = call.need("name", str).upper()
    table = repo.setdefault("variables", {})
    if name in table:
        raise ApiError(409, "Already exists - Variable already exists")
    table[name] = {"name": name, "value": call.need("value", str), "created_at": now(), "updated_at": now()}
    call.hub.changed()
    return Answer(201, {})


@route("GET", REPO + "/actions/variables/{name}")
@route("PATCH", REPO + "/actions/variables/{name}")
@route("DELETE", REPO + "/actions/variables/{name}")
def variable(call: Call) -> Answer:
    """Read, change or delete a variable."""
    repo = call.repo("write", "actions_variables")
    table = repo.setdefault("variables", {})
    name = call.params["name"].upper()
    if name not in table:
        raise not_found()
    if call.request.method == "GET":
        return Answer(200, table[name])
    if call.request.method == "DELETE":
        del table[name]
    else:
        table[name] |= {"value": call.get("value", str, table[name]["value"]), "updated_at": now()}
    call.hub.changed()
    return Answer(204)
