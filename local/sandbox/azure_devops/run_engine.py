"""Runs builds with the clock: stages of the YAML one after another, held by approvals, ending as asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import yaml

from local.sandbox.azure_devops import git_store
from local.sandbox.azure_devops.progress import advances
from local.sandbox.azure_devops.service import Service, Tree, iso, parse_time
from shared.definitions.reading import trusted

DEFAULT_STAGE = "__default"
_RESULTS = {"succeeded", "partiallySucceeded", "failed", "canceled"}


class YamlError(ValueError):
    """The pipeline's YAML cannot be run; the message says why."""


def read_yaml(repository: Tree, commit_id: str, path: str) -> Tree:
    """The pipeline definition in a repository; raises YamlError."""
    blob_id = git_store.files_of(repository, commit_id).get("/" + path.lstrip("/"))
    if blob_id is None:
        raise YamlError(f"/{path.lstrip('/')}: File not found in repository {repository['name']} version {commit_id}.")
    return parse_yaml(git_store.blob(repository, blob_id).decode("utf-8", "replace"), path)


def parse_yaml(text: str, path: str) -> Tree:
    """A pipeline definition as data; raises YamlError."""
    try:
        document = trusted(text)
    except yaml.YAMLError as error:
        raise YamlError(f"/{path.lstrip('/')}: While parsing a block mapping: {error}".replace("\n", " ")) from error
    if not isinstance(document, dict) or not {"stages", "jobs", "steps", "extends"} & set(document):
        raise YamlError(f"/{path.lstrip('/')}: A mapping with stages, jobs or steps was expected.")
    return document


def stages_of(document: Tree) -> list[Tree]:
    """The stages of a definition with their jobs, steps and environments, nothing run yet."""
    given = document.get("stages")
    only: Tree = {"stage": DEFAULT_STAGE} | {k: document[k] for k in ("jobs", "steps") if k in document}
    listed = given if isinstance(given, list) else [only]
    found = []
    for number, stage in enumerate(listed, 1):
        if not isinstance(stage, dict):
            continue
        name = str(stage.get("stage") or stage.get("template") or f"Stage{number}")
        jobs, environments = _jobs(stage)
        found.append(
            {
                "name": name,
                "display": str(stage.get("displayName") or name),
                "jobs": jobs,
                "environments": environments,
                "state": "pending",
                "result": None,
                "start": None,
                "finish": None,
                "approvals": None,
            }
        )
    return found


def _jobs(stage: Tree) -> tuple[list[Tree], list[str]]:
    given = stage.get("jobs")
    listed = given if isinstance(given, list) else [{"job": "Job", "steps": stage.get("steps") or []}]
    jobs, environments = [], []
    for number, job in enumerate(listed, 1):
        if not isinstance(job, dict):
            continue
        name = str(job.get("job") or job.get("deployment") or job.get("template") or f"Job{number}")
        environment = job.get("environment")
        if isinstance(environment, dict):
            environment = environment.get("name")
        if environment:
            environments.append(str(environment).split(".")[0])
        jobs.append({"name": name, "display": str(job.get("displayName") or name), "steps": _steps(job)})
    return jobs, list(dict.fromkeys(environments))


def _steps(job: Tree) -> list[str]:
    steps = job.get("steps")
    if steps is None:
        strategy: Any = job.get("strategy") or {}
        hooks = next((v for v in strategy.values() if isinstance(v, dict)), {}) if isinstance(strategy, dict) else {}
        steps = ((hooks.get("deploy") or {}).get("steps") if isinstance(hooks, dict) else None) or []
    names = []
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict) and step:
            kind = next(
                k
                for k in (*(k for k in ("script", "bash", "pwsh", "task", "checkout", "template") if k in step), *step)
            )
            names.append(
                str(step.get("displayName") or (step[kind] if kind in {"task", "checkout", "template"} else "CmdLine"))
            )
    return names


def branch_triggers(document: Tree, ref: str) -> bool:
    """Whether a push to a branch starts the pipeline (every branch does unless `trigger` says otherwise)."""
    trigger = document.get("trigger", {})
    if trigger in ("none", None) and "trigger" in document:
        return False
    branch = ref.removeprefix("refs/heads/")
    if isinstance(trigger, list):
        return any(_matches(str(p), branch) for p in trigger)
    if isinstance(trigger, dict) and isinstance(trigger.get("branches"), dict):
        include = [str(p) for p in trigger["branches"].get("include") or ["*"]]
        exclude = [str(p) for p in trigger["branches"].get("exclude") or []]
        return any(_matches(p, branch) for p in include) and not any(_matches(p, branch) for p in exclude)
    return ref.startswith("refs/heads/")


def _matches(pattern: str, branch: str) -> bool:
    pattern = pattern.removeprefix("refs/heads/")
    return branch == pattern or (pattern.endswith("*") and branch.startswith(pattern[:-1]))


@advances
def run_builds(service: Service, org: Tree) -> bool:
    """Move each unfinished build on; whether some will move without anybody's doing."""
    pending = False
    active = org.setdefault("active_builds", [])
    for reference in list(active):
        project = org["projects"].get(reference[0])
        build = project["builds"].get(str(reference[1])) if project else None
        if build is None or build["status"] == "completed":
            active.remove(reference)
            continue
        pending = _advance(service, org, project, build) or pending
        if build["status"] == "completed":
            active.remove(reference)
    return pending


def _advance(service: Service, org: Tree, project: Tree, build: Tree) -> bool:
    facts = {"project": project, "build": build, "user": org["users"].get(build["by"])}
    share = timedelta(seconds=service.build_seconds / (len(build["stages"]) + 1))
    if build["status"] == "cancelling":
        finish(service, org, facts, "canceled")
        return False
    if build["status"] == "notStarted":
        if service.now() < parse_time(build["queue_time"]) + share:
            return True
        build["status"], build["start"] = "inProgress", iso(parse_time(build["queue_time"]) + share)
        service.emit(org, "ms.vss-pipelines.run-state-changed-event", facts)
    for stage in build["stages"]:
        if stage["state"] == "completed":
            continue
        if stage["state"] == "pending" and not _start_stage(service, org, facts, stage):
            if stage["result"] is None:
                return False  # waits for a person
            continue
        if service.now() < parse_time(stage["start"]) + share:
            return True
        result = build["wanted"].get(stage["name"]) or (
            build["wanted"].get("*") if stage is build["stages"][-1] else None
        )
        _end_stage(service, org, facts, stage, "failed" if result == "failed" else "succeeded")
        if stage["result"] == "failed":
            for later in build["stages"]:
                if later["state"] == "pending":
                    later["state"], later["result"] = "completed", "skipped"
    finish(service, org, facts, _overall(build))
    return False


def _overall(build: Tree) -> str:
    wanted = build["wanted"].get("*")
    results = {s["result"] for s in build["stages"]}
    if "failed" in results or "rejected" in results:
        return "failed"
    return wanted if wanted in _RESULTS else "succeeded"


def _start_stage(service: Service, org: Tree, facts: Tree, stage: Tree) -> bool:
    """Begin a stage unless an approval is outstanding; a rejected one ends the stage."""
    from local.sandbox.azure_devops.approvals import required

    project, build = facts["project"], facts["build"]
    if stage["approvals"] is None:
        stage["approvals"] = required(service, org, project, build, stage)
        if stage["approvals"]:
            service.emit(org, "ms.vss-pipelines.stage-state-changed-event", {**facts, "stage": stage})
    states = {project["approvals"][a]["status"] for a in stage["approvals"]}
    if states & {"rejected", "timedOut", "canceled"}:
        _end_stage(service, org, facts, stage, "rejected")
        for later in build["stages"]:
            if later["state"] == "pending":
                later["state"], later["result"] = "completed", "skipped"
        return False
    if states - {"approved", "skipped"}:
        return False
    stage["state"], stage["start"] = "running", service.stamp()
    for environment in stage["environments"]:
        _deploy(service, org, project, build, environment, stage)
    service.emit(org, "ms.vss-pipelines.stage-state-changed-event", {**facts, "stage": stage})
    return True


def _deploy(service: Service, org: Tree, project: Tree, build: Tree, name: str, stage: Tree) -> None:
    for environment in project["environments"].values():
        if environment["name"].lower() == name.lower():
            record = {
                "id": service.number(org, "deployment"),
                "build": build["id"],
                "stage": stage["name"],
                "start": service.stamp(),
            }
            environment["deployments"].append(record)


def _end_stage(service: Service, org: Tree, facts: Tree, stage: Tree, result: str) -> None:
    stage["state"], stage["result"], stage["finish"] = "completed", result, service.stamp()
    stage["start"] = stage["start"] or stage["finish"]
    service.emit(org, "ms.vss-pipelines.stage-state-changed-event", {**facts, "stage": stage})


def finish(service: Service, org: Tree, facts: Tree, result: str) -> None:
    """Complete a build and tell everyone who waits for it."""
    build = facts["build"]
    build["status"], build["result"], build["finish"] = "completed", result, service.stamp()
    build["start"] = build["start"] or build["finish"]
    for stage in build["stages"]:
        if stage["state"] != "completed":
            stage["state"], stage["result"] = "completed", "canceled" if result == "canceled" else "skipped"
    for approval in facts["project"]["approvals"].values():
        if approval["build"] == build["id"] and approval["status"] == "pending":
            approval["status"], approval["modified"] = "canceled", build["finish"]
    service.emit(org, "build.complete", facts)
    service.emit(org, "ms.vss-pipelines.run-state-changed-event", facts)
    number = build["trigger"].get("pr.number")
    if number and facts["user"]:
        from local.sandbox.azure_devops.areas.pull_request_merge import complete_when_ready
        from local.sandbox.azure_devops.call import internal_call

        for repository in facts["project"]["repositories"].values():
            pull = repository["pulls"].get(number)
            if pull is not None:
                complete_when_ready(internal_call(service, org, facts["user"]), repository, pull)
