"""Answers for check runs and suites; check runs are written by Apps only."""

from __future__ import annotations

from local.sandbox.github import objects, present
from local.sandbox.github.apps import application
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Hub, Record, node_id, now
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"
CONCLUSIONS = {"action_required", "cancelled", "failure", "neutral", "success", "skipped", "stale", "timed_out"}


def named_commit(call: Call, repo: Record, name: str) -> str:
    sha = objects.resolve(call.hub, repo, call.params[name])
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {call.params[name]}")
    return sha


def check_run(hub: Hub, repo: Record, record: Record) -> Record:
    """A check run."""
    url = present.repository_url(hub, repo)
    own = f"{url}/check-runs/{record['id']}"
    output = record["output"]
    app = hub.table("apps").get(str(record["app_id"]))
    return {
        "id": record["id"],
        "name": record["name"],
        "node_id": node_id("CheckRun", record["id"]),
        "head_sha": record["head_sha"],
        "external_id": record["external_id"],
        "url": own,
        "html_url": f"{present.html_url(hub, repo)}/runs/{record['id']}",
        "details_url": record["details_url"],
        "status": record["status"],
        "conclusion": record["conclusion"],
        "started_at": record["started_at"],
        "completed_at": record["completed_at"],
        "output": {
            "title": output.get("title"),
            "summary": output.get("summary"),
            "text": output.get("text"),
            "annotations_count": len(record["annotations"]),
            "annotations_url": f"{own}/annotations",
        },
        "check_suite": {"id": record["suite_id"]},
        "app": application(hub, app) if app else None,
        "pull_requests": _pulls(hub, repo, record["head_sha"]),
    }


def _pulls(hub: Hub, repo: Record, sha: str) -> list[Record]:
    url = present.repository_url(hub, repo)
    short = {"id": repo["id"], "url": url, "name": repo["name"]}
    return [
        {
            "url": f"{url}/pulls/{issue['number']}",
            "id": issue["id"],
            "number": issue["number"],
            "head": {"ref": p["head_ref"], "sha": p["head_sha"], "repo": short},
            "base": {"ref": p["base_ref"], "sha": p["base_sha"], "repo": short},
        }
        for issue in repo["issues"].values()
        if (p := issue.get("pull")) and issue["state"] == "open" and p["head_sha"] == sha
    ]


def _app_only(call: Call) -> Record:
    """The repository, for an App's installation; people are refused as GitHub refuses them."""
    if call.caller.kind == "user":
        call.repo("write", "checks")
        raise ApiError(403, "You must authenticate via a GitHub App.")
    return call.repo("write", "checks")


def _fill(call: Call, record: Record) -> None:
    """Apply the fields of the body; a conclusion completes the run. Raises ApiError 422."""
    status = call.get("status", str)
    conclusion = call.get("conclusion", str)
    if status not in {None, "queued", "in_progress", "completed", "waiting", "requested", "pending"}:
        raise bad_request(f'{status} is not a member of ["queued", "in_progress", "completed"].')
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise bad_request(f"{conclusion} is not a member of {sorted(CONCLUSIONS)}.")
    if status == "completed" and conclusion is None and record["conclusion"] is None:
        raise bad_request('"conclusion" wasn\'t supplied.')
    output = call.get("output", dict)
    if output is not None:
        if record["output"] == {} and not (output.get("title") and output.get("summary")):
            raise bad_request(f'"{"title" if not output.get("title") else "summary"}" wasn\'t supplied.')
        given = output.get("annotations", [])
        if len(given) > 50:
            raise bad_request(f"No more than 50 items are allowed; {len(given)} were supplied.")
        record["annotations"] += given
        record["output"] = {**record["output"], **{k: v for k, v in output.items() if k != "annotations"}}
    for name in ("name", "details_url", "external_id", "started_at", "completed_at"):
        record[name] = call.get(name, str, record[name])
    record["actions"] = call.get("actions", list, record["actions"])
    if len(record["actions"]) > 3:
        raise bad_request("No more than 3 items are allowed in actions.")
    if conclusion:
        record |= {"status": "completed", "conclusion": conclusion, "completed_at": record["completed_at"] or now()}
    elif status:
        record["status"] = status
        if status != "completed":
            record |= {"conclusion": None, "completed_at": None}


def _tell(call: Call, repo: Record, record: Record, action: str) -> None:
    body = {"check_run": check_run(call.hub, repo, record)}
    emit(call.hub, "check_run", body, sender=call.signed_in(), repo=repo, action=action)


@route("POST", REPO + "/check-runs")
def create(call: Call) -> Answer:
    """Create a check run."""
    repo = _app_only(call)
    name, sha = call.need("name", str), call.need("head_sha", str)
    if not objects.has(call.hub, repo, "commits", sha):
        raise ApiError(422, f"No commit found for SHA: {sha}")
    app_id = call.caller.app["id"]
    suites = {(r["head_sha"], r["app_id"]): r["suite_id"] for r in repo["check_runs"].values()}
    record: Record = {
        "id": call.hub.next_id("check_run", 1_500_001),
        "suite_id": suites.get((sha, app_id)) or call.hub.next_id("check_suite", 1_600_001),
        "app_id": app_id,
        "name": name,
        "head_sha": sha,
        "status": "queued",
        "conclusion": None,
        "started_at": now(),
        "completed_at": None,
        "external_id": "",
        "details_url": call.caller.app["external_url"],
        "output": {},
        "annotations": [],
        "actions": [],
    }
    _fill(call, record)
    repo["check_runs"][str(record["id"])] = record
    call.hub.changed()
    _tell(call, repo, record, "created")
    if record["status"] == "completed":
        _tell(call, repo, record, "completed")
    body = check_run(call.hub, repo, record)
    return Answer(201, body, {"Location": body["url"]})


def _run(call: Call, repo: Record) -> Record:
    found: Record | None = repo["check_runs"].get(call.params["check_run_id"])
    if found is None:
        raise not_found()
    return found


@route("GET", REPO + "/check-runs/{check_run_id}")
def one(call: Call) -> Record:
    """One check run."""
    repo = call.repo("read", "checks")
    return check_run(call.hub, repo, _run(call, repo))


@route("PATCH", REPO + "/check-runs/{check_run_id}")
def edit(call: Call) -> Record:
    """Change a check run of the calling App."""
    repo = _app_only(call)
    record = _run(call, repo)
    if record["app_id"] != call.caller.app["id"]:
        raise ApiError(
            403,
            "Invalid app_id `{}` - check run can only be modified by the GitHub App that created it.".format(
                record["app_id"]
            ),
        )
    done = record["status"] == "completed"
    _fill(call, record)
    call.hub.changed()
    if record["status"] == "completed" and not done:
        _tell(call, repo, record, "completed")
    return check_run(call.hub, repo, record)


@route("GET", REPO + "/check-runs/{check_run_id}/annotations")
def annotations_of_run(call: Call) -> Answer:
    """Annotations of a check run."""
    repo = call.repo("read", "checks")
    return call.page_of(
        _run(call, repo)["annotations"],
        lambda a: {"title": None, "raw_details": None, "start_column": None, "end_column": None, "blob_href": "", **a},
    )


@route("POST", REPO + "/check-runs/{check_run_id}/rerequest")
def rerequest(call: Call) -> Answer:
    """Ask the App to run again."""
    repo = call.repo("write", "checks")
    _tell(call, repo, _run(call, repo), "rerequested")
    return Answer(201, {})


@route("GET", REPO + "/commits/{ref}/check-runs")
def runs_of_commit(call: Call) -> Answer:
    """Check runs of a commit: the latest of each name unless all are asked for."""
    repo = call.repo("read", "checks")
    sha = named_commit(call, repo, "ref")
    found = [r for r in repo["check_runs"].values() if r["head_sha"] == sha]
    if call.query.get("filter", "latest") == "latest":
        found = list({(r["app_id"], r["name"]): r for r in found}.values())
    for field, name in (("check_name", "name"), ("status", "status")):
        found = [r for r in found if call.query.get(field, r[name]) == r[name]]
    return call.page_of(found, lambda r: check_run(call.hub, repo, r), "check_runs")


@route("GET", REPO + "/commits/{ref}/check-suites")
def suites_of_commit(call: Call) -> Answer:
    """Check suites of a commit."""
    repo = call.repo("read", "checks")
    sha = named_commit(call, repo, "ref")
    suites: dict[int, list[Record]] = {}
    for run in repo["check_runs"].values():
        if run["head_sha"] == sha:
            suites.setdefault(run["suite_id"], []).append(run)

    def shown(item: tuple[int, list[Record]]) -> Record:
        number, runs = item
        url = present.repository_url(call.hub, repo)
        done = all(r["status"] == "completed" for r in runs)
        bad = any(r["conclusion"] not in {"success", "neutral", "skipped"} for r in runs)
        app = call.hub.table("apps").get(str(runs[0]["app_id"]))
        return {
            "id": number,
            "node_id": node_id("CheckSuite", number),
            "head_branch": None,
            "head_sha": sha,
            "status": "completed" if done else "in_progress",
            "conclusion": None if not done else "failure" if bad else "success",
            "url": f"{url}/check-suites/{number}",
            "before": None,
            "after": sha,
            "pull_requests": _pulls(call.hub, repo, sha),
            "app": application(call.hub, app) if app else None,
            "created_at": runs[0]["started_at"],
            "updated_at": runs[-1]["completed_at"] or runs[-1]["started_at"],
            "head_commit": _pushed(call.hub, sha),
            "repository": present.repository(call.hub, repo),
            "latest_check_runs_count": len(runs),
            "check_runs_url": f"{url}/check-suites/{number}/check-runs",
        }

    return call.page_of(list(suites.items()), shown, "check_suites")


def _pushed(hub: Hub, sha: str) -> Record:
    commit = hub.table("commits")[sha]
    people = {role: {n: commit[role][n] for n in ("name", "email")} for role in ("author", "committer")}
    return {
        "id": sha,
        "tree_id": commit["tree"],
        "message": commit["message"],
        "timestamp": commit["committer"]["date"],
        **people,
    }
