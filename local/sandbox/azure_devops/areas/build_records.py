"""Serves what a build leaves behind: timeline, logs, changes, tags."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.builds import build_of, missing
from local.sandbox.azure_devops.call import Call, Reply, serves
from local.sandbox.azure_devops.service import Tree, stable_id

_STATES = {"pending": "pending", "running": "inProgress", "completed": "completed"}


def _record(build: Tree, kind: str, name: str, parent: str | None, stage: Tree, *, log: Tree | None = None) -> Tree:
    skipped = stage["result"] in {"skipped", "rejected", "canceled"}
    return {
        "previousAttempts": [],
        "id": stable_id("record", build["plan"], kind, str(parent), name),
        "parentId": parent,
        "type": kind,
        "name": name,
        "startTime": stage["start"],
        "finishTime": stage["finish"],
        "state": _STATES[stage["state"]],
        "result": ("skipped" if skipped else stage["result"]) if stage["state"] == "completed" else None,
        "order": None,
        "errorCount": int(stage["result"] == "failed"),
        "warningCount": 0,
        "log": None if skipped else log,
        "attempt": 1,
        "identifier": name,
    }


@serves("GET", "build/builds/{buildId}/Timeline/{timelineId}")
def get_timeline(call: Call) -> Tree:
    """Stages, jobs and steps with their states."""
    project, build = build_of(call)
    url = call.url(project["id"], "_apis/build/builds", str(build["id"]))
    records = []
    for number, stage in enumerate(build["stages"], 1):
        log = {"id": number, "type": "Container", "url": f"{url}/logs/{number}"}
        top = _record(build, "Stage", stage["name"], None, stage) | {"order": number}
        records.append(top)
        if stage["approvals"]:
            checkpoint = _record(build, "Checkpoint", "Checkpoint", top["id"], stage)
            waiting = any(project["approvals"][a]["status"] == "pending" for a in stage["approvals"])
            checkpoint["state"] = "inProgress" if waiting else "completed"
            records.append(checkpoint)
            for approval in stage["approvals"]:
                held = project["approvals"][approval]
                entry = _record(build, "Checkpoint.Approval", "Approval", checkpoint["id"], stage)
                done = held["status"] != "pending"
                entry |= {"id": approval, "state": "completed" if done else "inProgress"}
                entry["result"] = {"approved": "succeeded", "pending": None}.get(held["status"], "failed")
                records.append(entry)
        for job in stage["jobs"]:
            phase = _record(build, "Phase", job["name"], top["id"], stage)
            single = _record(build, "Job", job["display"], phase["id"], stage, log=log) | {
                "workerName": "Azure Pipelines 1"
            }
            records += [phase, single]
            records += [
                _record(build, "Task", step, single["id"], stage, log=log) | {"order": n}
                for n, step in enumerate(job["steps"], 1)
            ]
    return {
        "records": records,
        "lastChangedBy": "00000002-0000-8888-8000-000000000000",
        "lastChangedOn": build["finish"] or build["start"] or build["queue_time"],
        "id": build["plan"],
        "changeId": len(records),
        "url": f"{url}/Timeline/{build['plan']}",
    }


def log_lines(build: Tree, number: int) -> list[str]:
    """What the log of a stage says."""
    stage = build["stages"][number - 1]
    if not stage["start"] or stage["result"] in {"skipped", "rejected"}:
        return []
    lines = [f"{stage['start']} ##[section]Starting: {stage['display']}"]
    for job in stage["jobs"]:
        lines += [f"{stage['start']} ##[section]Starting: {step}" for step in (job["display"], *job["steps"])]
    if stage["result"] == "failed":
        lines.append(f"{stage['finish']} ##[error]Bash exited with code '1'.")
    if stage["finish"]:
        lines.append(f"{stage['finish']} ##[section]Finishing: {stage['display']}")
    return lines


@serves("GET", "build/builds/{buildId}/logs/{logId}")
def get_logs(call: Call) -> object:
    """The list of logs, or the lines of one."""
    project, build = build_of(call)
    if "logId" in call.values:
        number = call.int_value("logId", missing)
        if not 1 <= number <= len(build["stages"]):
            message = f"The log {number} of build {build['id']} could not be found."
            raise errors.not_found(message, "BuildLogNotFoundException", errors.BUILD)
        lines = log_lines(build, number)[call.integer("startLine") :]
        if "text/plain" in call.accept:
            return Reply("\n".join(lines) + "\n", media_type="text/plain")
        return lines
    url = call.url(project["id"], "_apis/build/builds", str(build["id"]), "logs")
    return [
        {
            "lineCount": len(log_lines(build, n)),
            "createdOn": s["start"],
            "lastChangedOn": s["finish"],
            "id": n,
            "type": "Container",
            "url": f"{url}/{n}",
        }
        for n, s in enumerate(build["stages"], 1)
        if log_lines(build, n)
    ]


@serves("GET", "build/builds/{buildId}/changes")
def get_changes(call: Call) -> list[Tree]:
    """The commit a build was made of."""
    project, build = build_of(call)
    for repository in project["repositories"].values():
        commit = repository["commits"].get(build["version"])
        if commit:
            author = commit["author"]
            return [
                {
                    "id": build["version"],
                    "message": commit["message"],
                    "type": "TfsGit",
                    "timestamp": author["date"],
                    "author": {"displayName": author["name"], "uniqueName": author["email"]},
                }
            ]
    return []


@serves("GET", "build/builds/{buildId}/tags/{*tag}")
def get_tags(call: Call) -> list[str]:
    """The tags of a build."""
    return list(build_of(call)[1]["tags"])


@serves("PUT", "build/builds/{buildId}/tags/{*tag}")
def add_tag(call: Call) -> list[str]:
    """Add a tag."""
    _, build = build_of(call)
    tag = call.value("tag")
    if tag not in build["tags"]:
        build["tags"].append(tag)
    return list(build["tags"])


@serves("DELETE", "build/builds/{buildId}/tags/{*tag}")
def delete_tag(call: Call) -> list[str]:
    """Remove a tag."""
    _, build = build_of(call)
    build["tags"] = [t for t in build["tags"] if t != call.value("tag")]
    return list(build["tags"])


@serves("GET", "build/builds/{buildId}/artifacts/{artifactName}")
def get_artifacts(call: Call) -> list[Tree]:
    """No artifacts are kept here."""
    build_of(call)
    return []
