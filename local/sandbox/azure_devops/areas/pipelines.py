"""Serves the pipelines API: pipelines, runs and previews over build definitions and builds."""

from __future__ import annotations

import yaml

from local.sandbox.azure_devops import errors, git_store, run_engine
from local.sandbox.azure_devops.areas.build_definitions import find_definition, masked, new_definition
from local.sandbox.azure_devops.areas.build_records import log_lines
from local.sandbox.azure_devops.areas.builds import queue_build
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.service import Tree

_STATES = {"notStarted": "inProgress", "inProgress": "inProgress", "cancelling": "canceling", "completed": "completed"}


def pipeline_ref(call: Call, project: Tree, definition: Tree) -> Tree:
    """A pipeline as embedded in runs."""
    url = call.url(project["id"], "_apis/pipelines", str(definition["id"]), revision=definition["revision"])
    return {
        "url": url,
        "id": definition["id"],
        "revision": definition["revision"],
        "name": definition["name"],
        "folder": definition["path"],
    }


def pipeline_json(call: Call, project: Tree, definition: Tree, *, full: bool = True) -> Tree:
    """A pipeline as answered."""
    answer = pipeline_ref(call, project, definition)
    web = call.url(project["name"], "_build") + f"/definition?definitionId={definition['id']}"
    answer["_links"] = {"self": {"href": answer["url"]}, "web": {"href": web}}
    if full:
        repository = {"id": definition["repository"].get("id"), "type": "azureReposGit"}
        answer["configuration"] = {
            "path": definition["process"].get("yamlFilename"),
            "repository": repository,
            "type": "yaml",
        }
    return answer


@serves("GET", "Pipelines/{pipelineId}")
def get_pipelines(call: Call) -> object:
    """One pipeline or all."""
    project = call.project
    if "pipelineId" in call.values:
        return pipeline_json(call, project, find_definition(project, call.values["pipelineId"]))
    return [pipeline_json(call, project, d, full=False) for d in project["definitions"].values()]


@serves("POST", "Pipelines/{pipelineId}")
def create_pipeline(call: Call) -> Tree:
    """Create a pipeline from a YAML file of a repository."""
    body = call.json()
    configuration = body.get("configuration") or {}
    repository = configuration.get("repository") or {}
    if str(configuration.get("type", "")).lower() != "yaml":
        raise errors.invalid(
            "Only pipelines of type yaml can be created.",
            "InvalidPipelineOperationException",
            "Microsoft.Azure.Pipelines.WebApi",
        )
    if not configuration.get("path"):
        raise errors.missing_value("configuration.path")
    definition = new_definition(
        call,
        call.project,
        {
            "name": body.get("name"),
            "path": body.get("folder"),
            "process": {"type": 2, "yamlFilename": configuration["path"]},
            "repository": {"id": repository.get("id"), "name": repository.get("name"), "type": "TfsGit"},
        },
    )
    return pipeline_json(call, call.project, definition)


def run_json(call: Call, project: Tree, build: Tree) -> Tree:
    """A run as answered."""
    definition = project["definitions"][str(build["definition"])]
    base = call.url(project["id"], "_apis/pipelines", str(definition["id"]))
    url = f"{base}/runs/{build['id']}"
    answer: Tree = {
        "_links": {
            "self": {"href": url},
            "web": {"href": call.url(project["name"], "_build/results") + f"?buildId={build['id']}"},
            "pipeline.web": {
                "href": call.url(project["name"], "_build/definition") + f"?definitionId={definition['id']}"
            },
            "pipeline": {"href": f"{base}?revision={definition['revision']}"},
        },
        "templateParameters": build["template_parameters"],
        "variables": {k: masked(v) for k, v in build["variables"].items()},
        "pipeline": pipeline_ref(call, project, definition),
        "state": _STATES[build["status"]],
        "createdDate": build["queue_time"],
        "url": url,
        "resources": {
            "repositories": {
                "self": {
                    "repository": {"id": definition["repository"].get("id"), "type": "azureReposGit"},
                    "refName": build["branch"],
                    "version": build["version"],
                }
            }
        },
        "id": build["id"],
        "name": build["number"],
    }
    if build["status"] == "completed":
        answer |= {
            "result": "succeeded" if build["result"] == "partiallySucceeded" else build["result"],
            "finishedDate": build["finish"],
        }
    return answer


def _run_of(call: Call) -> tuple[Tree, Tree]:
    project = call.project
    definition = find_definition(project, call.value("pipelineId"))
    build = project["builds"].get(call.value("runId"))
    if build is None or build["definition"] != definition["id"]:
        message = f"The run {call.value('runId')} of pipeline {definition['id']} could not be found."
        raise errors.not_found(message, "PipelineRunNotFoundException", "Microsoft.Azure.Pipelines.WebApi")
    return project, build


@serves("GET", "Pipelines/{pipelineId}/runs/{runId}")
def get_runs(call: Call) -> object:
    """One run, or all of a pipeline, newest first."""
    if "runId" in call.values:
        return run_json(call, *_run_of(call))
    project = call.project
    definition = find_definition(project, call.value("pipelineId"))
    return [
        run_json(call, project, b) for b in reversed(project["builds"].values()) if b["definition"] == definition["id"]
    ]


@serves("POST", "Pipelines/{pipelineId}/runs/{runId}")
def run(call: Call) -> object:
    """Run a pipeline, or with previewRun only show its YAML."""
    project = call.project
    definition = find_definition(project, call.value("pipelineId"))
    body = call.json()
    if body.get("previewRun"):
        return preview(call)
    self_ref = ((body.get("resources") or {}).get("repositories") or {}).get("self") or {}
    build = queue_build(
        call,
        project,
        definition,
        branch=str(self_ref.get("refName") or ""),
        version=str(self_ref.get("version") or ""),
        options={k: body.get(k) for k in ("variables", "templateParameters", "stagesToSkip")},
    )
    return run_json(call, project, build)


@serves("POST", "pipelines/{pipelineId}/preview", Level.CONTRIBUTOR)
def preview(call: Call) -> Tree:
    """The YAML a run would use; an override in the body is checked instead of the file."""
    project = call.project
    definition = find_definition(project, call.value("pipelineId"))
    body = call.json()
    path = definition["process"].get("yamlFilename") or "azure-pipelines.yml"
    try:
        if body.get("yamlOverride"):
            document = run_engine.parse_yaml(str(body["yamlOverride"]), path)
        else:
            repository = project["repositories"].get(str(definition["repository"].get("id", "")))
            if repository is None:
                raise run_engine.YamlError(
                    f"/{path}: the repository of {definition['name']} is not one of this project."
                )
            self_ref = ((body.get("resources") or {}).get("repositories") or {}).get("self") or {}
            commit = git_store.resolve(repository, str(self_ref.get("refName") or ""))
            document = (
                run_engine.read_yaml(repository, commit or "", path) if commit else run_engine.parse_yaml("", path)
            )
    except run_engine.YamlError as error:
        raise errors.invalid(str(error), "PipelineValidationException", "Microsoft.Azure.Pipelines.WebApi") from error
    return {"finalYaml": yaml.safe_dump(document, sort_keys=False)}


@serves("GET", "Pipelines/{pipelineId}/runs/{runId}/logs/{logId}")
def get_logs(call: Call) -> object:
    """The logs of a run."""
    project, build = _run_of(call)
    base = call.url(project["id"], "_apis/pipelines", call.value("pipelineId"), "runs", str(build["id"]), "logs")
    logs = [
        {
            "id": n,
            "lineCount": len(log_lines(build, n)),
            "createdOn": s["start"],
            "lastChangedOn": s["finish"],
            "url": f"{base}/{n}",
        }
        for n, s in enumerate(build["stages"], 1)
        if log_lines(build, n)
    ]
    if "logId" not in call.values:
        return {"logs": logs, "url": base}
    found = next((log for log in logs if str(log["id"]) == call.values["logId"]), None)
    if found is None:
        raise errors.not_found(
            f"The log {call.values['logId']} could not be found.", "LogNotFoundException", errors.BUILD
        )
    return Reply(found)
