"""Queues, lists, cancels and deletes builds, and lets a test decide their results."""

from __future__ import annotations

from datetime import UTC

from local.sandbox.azure_devops import branch_policies, errors, git_store, run_engine
from local.sandbox.azure_devops.areas.build_definitions import find_definition, queue_json, reference, repository_of
from local.sandbox.azure_devops.call import Call, Reply, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.project_model import project_ref
from local.sandbox.azure_devops.service import Service, Tree, new_id, parse_time

_ROUTE = "build/Builds/{buildId}"


def missing(number: object) -> errors.ServiceError:
    """404 for a build."""
    message = f"The requested build {number} could not be found."
    return errors.not_found(message, "BuildNotFoundException", errors.BUILD)


def build_of(call: Call, name: str = "buildId") -> tuple[Tree, Tree]:
    """The build of the route with its project."""
    for project in call.projects():
        build = project["builds"].get(call.value(name))
        if build is not None:
            return call.enter(project), build
    raise missing(call.value(name))


def build_json(call: Call, project: Tree, build: Tree) -> Tree:
    """A build as answered."""
    definition = project["definitions"][str(build["definition"])]
    url = call.url(project["id"], "_apis/build/Builds", str(build["id"]))
    person = identity_ref(call.service, call.org, call.org["users"].get(build["by"], call.user))
    answer: Tree = {
        "_links": {
            "self": {"href": url},
            "web": {"href": call.url(project["name"], "_build/results") + f"?buildId={build['id']}"},
            "timeline": {"href": f"{url}/Timeline"},
            "badge": {"href": call.url(project["id"], "_apis/build/status", str(definition["id"]))},
        },
        "properties": {},
        "tags": build["tags"],
        "validationResults": [],
        "plans": [{"planId": build["plan"]}],
        "orchestrationPlan": {"planId": build["plan"]},
        "triggerInfo": build["trigger"],
        "id": build["id"],
        "buildNumber": build["number"],
        "status": build["status"],
        "queueTime": build["queue_time"],
        "url": url,
        "definition": reference(call, project, definition),
        "project": project_ref(call.service, call.org, project),
        "uri": f"vstfs:///Build/Build/{build['id']}",
        "sourceBranch": build["branch"],
        "sourceVersion": build["version"],
        "queue": queue_json(project),
        "priority": "normal",
        "reason": build["reason"],
        "requestedFor": person,
        "requestedBy": person,
        "lastChangedDate": build["finish"] or build["start"] or build["queue_time"],
        "lastChangedBy": person,
        "parameters": build["parameters"],
        "templateParameters": build["template_parameters"],
        "logs": {"id": 0, "type": "Container", "url": f"{url}/logs"},
        "repository": repository_of(call, project, definition),
        "keepForever": build["keep"],
        "retainedByRelease": False,
        "triggeredByBuild": None,
    }
    if build["start"]:
        answer["startTime"] = build["start"]
    if build["finish"]:
        answer |= {"finishTime": build["finish"], "result": build["result"]}
    return answer


def queue_build(
    call: Call,
    project: Tree,
    definition: Tree,
    *,
    branch: str = "",
    version: str = "",
    reason: str = "manual",
    options: Tree | None = None,
) -> Tree:
    """Queue a build of a definition; raises a 400 when its YAML cannot be run."""
    options = options or {}
    if definition["queue_status"] == "disabled":
        raise errors.invalid(
            f"The definition {definition['name']} is disabled and cannot be queued.",
            "DefinitionDisabledException",
            errors.BUILD,
        )
    repository = project["repositories"].get(str(definition["repository"].get("id", "")).lower())
    stages: list[Tree] = run_engine.stages_of({"steps": []})
    if repository is not None:
        branch = (
            branch or definition["repository"].get("defaultBranch") or repository["default_branch"] or "refs/heads/main"
        )
        branch = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        version = version or git_store.ref_target(repository, branch) or ""
        if version not in repository["commits"]:
            raise _invalid(
                f"Could not find the branch or commit {version or branch} in repository {repository['name']}."
            )
        if definition["process"].get("type") == 2:
            try:
                document = run_engine.read_yaml(repository, version, definition["process"]["yamlFilename"])
            except run_engine.YamlError as error:
                raise _invalid(str(error)) from error
            stages = run_engine.stages_of(document)
    stamp = call.stamp()
    day = parse_time(stamp).astimezone(UTC).strftime("%Y%m%d")
    build: Tree = {
        "id": call.service.number(call.org, "build"),
        "number": f"{day}.{call.service.number(call.org, f'build-number-{definition["id"]}-{day}')}",
        "definition": definition["id"],
        "status": "notStarted",
        "result": None,
        "queue_time": stamp,
        "start": None,
        "finish": None,
        "branch": branch or "refs/heads/main",
        "version": version,
        "reason": reason,
        "by": call.user["id"],
        "trigger": options.get("trigger") or {},
        "parameters": options.get("parameters"),
        "template_parameters": options.get("templateParameters") or {},
        "variables": options.get("variables") or {},
        "tags": [],
        "keep": False,
        "plan": new_id(),
        "stages": [s for s in stages if s["name"] not in set(options.get("stagesToSkip") or [])],
        "wanted": dict(definition.get("wanted") or {}),
    }
    project["builds"][str(build["id"])] = build
    call.org.setdefault("active_builds", []).append([project["id"], build["id"]])
    return build


def _invalid(detail: str) -> errors.ServiceError:
    return errors.invalid(detail, "PipelineValidationException", "Microsoft.Azure.Pipelines.WebApi")


def start_for_push(call: Call, project: Tree, repository: Tree, update: Tree) -> None:
    """Start the pipelines that a push to a branch triggers."""
    new, ref = update["newObjectId"], update["name"]
    if new == git_store.NO_OBJECT or not ref.startswith("refs/heads/"):
        return
    for definition in list(project["definitions"].values()):
        if definition["repository"].get("id") != repository["id"] or definition["process"].get("type") != 2:
            continue
        if definition["queue_status"] != "enabled":
            continue
        try:
            document = run_engine.read_yaml(repository, new, definition["process"]["yamlFilename"])
        except run_engine.YamlError:
            continue  # the service starts nothing for a commit without a usable file
        if run_engine.branch_triggers(document, ref):
            message = repository["commits"][new]["message"]
            trigger = {"ci.sourceBranch": ref, "ci.sourceSha": new, "ci.message": message}
            queue_build(
                call, project, definition, branch=ref, version=new, reason="individualCI", options={"trigger": trigger}
            )


def start_for_pull(call: Call, project: Tree, repository: Tree, pull: Tree, policy: Tree) -> None:
    """Queue the build of a build policy for a pull request, unless one for this source is under way."""
    definition = project["definitions"].get(str(policy["settings"].get("buildDefinitionId")))
    if definition is None or not pull["iterations"]:
        return
    source = pull["iterations"][-1]["source"]
    if branch_policies.evaluate(call.org, project, repository, pull, policy) == branch_policies.RUNNING:
        return
    trigger = {
        "pr.number": str(pull["id"]),
        "pr.sourceBranch": pull["source"],
        "pr.sourceSha": source,
        "pr.title": pull["title"],
        "pr.isFork": "False",
    }
    version = pull["merge_commit"] or source
    branch = f"refs/pull/{pull['id']}/merge"
    try:
        queue_build(
            call,
            project,
            definition,
            branch=branch,
            version=version,
            reason="pullRequest",
            options={"trigger": trigger},
        )
    except errors.ServiceError:
        return  # the policy then stays queued, as in the service


@serves("POST", _ROUTE)
def create(call: Call) -> Tree:
    """Queue a build."""
    project = call.project
    body = call.json()
    wanted = (body.get("definition") or {}).get("id") or call.text("definitionId")
    if not wanted:
        raise errors.missing_value("build.definition")
    definition = find_definition(project, wanted)
    build = queue_build(
        call,
        project,
        definition,
        branch=str(body.get("sourceBranch") or ""),
        version=str(body.get("sourceVersion") or ""),
        reason=str(body.get("reason") or "manual"),
        options={k: body.get(k) for k in ("parameters", "templateParameters")},
    )
    return build_json(call, project, build)


@serves("GET", _ROUTE)
def get(call: Call) -> object:
    """One build, or those a filter names, newest first."""
    if "buildId" in call.values:
        return build_json(call, *build_of(call))
    project = call.project
    definitions = {d for d in call.text("definitions").split(",") if d}
    ids = {d for d in call.text("buildIds").split(",") if d}
    branch, status, result = (
        call.text("branchName"),
        call.text("statusFilter").lower(),
        call.text("resultFilter").lower(),
    )
    reason, tags = call.text("reasonFilter").lower(), {t for t in call.text("tagFilters").split(",") if t}
    repository, number = call.text("repositoryId").lower(), call.text("buildNumber").rstrip("*")
    found = []
    for build in reversed(project["builds"].values()):
        held = str(project["definitions"][str(build["definition"])]["repository"].get("id", "")).lower()
        keep = (
            (not definitions or str(build["definition"]) in definitions)
            and (not ids or str(build["id"]) in ids)
            and branch in {"", build["branch"]}
            and status in {"", "all", build["status"].lower()}
            and result in {"", str(build["result"]).lower()}
            and reason in {"", "all", build["reason"].lower()}
            and tags <= set(build["tags"])
            and repository in {"", held}
            and build["number"].startswith(number)
        )
        if keep:
            found.append(build_json(call, project, build))
    top = call.integer("$top")
    return found[:top] if top else found


@serves("PATCH", _ROUTE)
def update(call: Call) -> Tree:
    """Cancel a build, or keep it."""
    project, build = build_of(call)
    body = call.json()
    if body.get("status") in {"cancelling", "Cancelling"} and build["status"] != "completed":
        build["status"] = "cancelling"
    if body.get("keepForever") is not None:
        build["keep"] = bool(body["keepForever"])
    return build_json(call, project, build)


@serves("DELETE", _ROUTE)
def delete(call: Call) -> Reply:
    """Delete a build."""
    project, build = build_of(call)
    del project["builds"][str(build["id"])]
    return Reply(None, 204)


def control(service: Service, number: int, body: Tree) -> Tree:
    """Decide a build's result: `{"result": …}` for all of it, with `"stage"` for one stage; raises a 404 or 400."""
    allowed = {"succeeded", "partiallySucceeded", "failed", "canceled"}
    if not isinstance(body, dict) or body.get("result") not in allowed:
        raise errors.invalid(f"result must be one of {', '.join(sorted(allowed))}")
    for org in service.organizations.values():
        for project in org["projects"].values():
            build = project["builds"].get(str(number))
            if build is None:
                continue
            if build["status"] == "completed":
                raise errors.invalid(f"build {number} is completed already ({build['result']})")
            build["wanted"][str(body.get("stage") or "*")] = body["result"]
            if body["result"] == "canceled":
                build["status"] = "cancelling"
            service.changed()
            return {"id": number, "status": build["status"], "wanted": build["wanted"]}
    raise missing(number)
