"""Serves policy types, configurations with their revisions, and evaluations of pull requests."""

from __future__ import annotations

import re

from local.sandbox.azure_devops import branch_policies, errors
from local.sandbox.azure_devops.areas.pull_request_json import find_pull
from local.sandbox.azure_devops.call import Call, Level, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree, stable_id

_ROUTE = "policy/configurations/{configurationId}"


def _type_json(call: Call, project: Tree, type_id: str) -> Tree:
    url = call.url(project["id"], "_apis/policy/types", type_id)
    return {"id": type_id, "url": url, "displayName": branch_policies.TYPES[type_id]}


@serves("GET", "policy/types/{typeId}")
def get_types(call: Call) -> object:
    """The policy types there are."""
    project = call.project
    if "typeId" in call.values:
        type_id = call.values["typeId"].lower()
        if type_id not in branch_policies.TYPES:
            raise _unknown_type(type_id)
        return {**_type_json(call, project, type_id), "description": branch_policies.TYPES[type_id], "_links": {}}
    return [
        {**_type_json(call, project, t), "description": name, "_links": {}} for t, name in branch_policies.TYPES.items()
    ]


def _unknown_type(type_id: str) -> errors.ServiceError:
    return errors.not_found(
        f"The policy type with ID '{type_id}' does not exist.", "PolicyTypeNotFoundException", errors.POLICY
    )


def policy_json(call: Call, project: Tree, policy: Tree) -> Tree:
    """A configuration as answered."""
    url = call.url(project["id"], "_apis/policy/configurations", str(policy["id"]))
    creator = call.org["users"].get(policy["by"], call.user)
    return {
        "createdBy": identity_ref(call.service, call.org, creator),
        "createdDate": policy["created"],
        "isEnabled": policy["enabled"],
        "isBlocking": policy["blocking"],
        "isDeleted": policy["deleted"],
        "isEnterpriseManaged": False,
        "settings": policy["settings"],
        "_links": {
            "self": {"href": url},
            "policyType": {"href": call.url(project["id"], "_apis/policy/types", policy["type"])},
        },
        "revision": policy["revision"],
        "id": policy["id"],
        "url": url,
        "type": _type_json(call, project, policy["type"]),
    }


def _policy_of(call: Call) -> Tree:
    wanted = call.value("configurationId")
    policy = call.project["policies"].get(wanted)
    if policy is None or policy["deleted"]:
        message = f"TF402496: The policy configuration with ID {wanted} does not exist."
        raise errors.not_found(message, "PolicyConfigurationNotFoundException", errors.POLICY)
    return policy  # type: ignore[no-any-return]


def _checked(call: Call, project: Tree, body: Tree) -> tuple[str, Tree]:
    type_id = str((body.get("type") or {}).get("id") or "").lower()
    if not type_id:
        raise errors.missing_value("configuration.type")
    if type_id not in branch_policies.TYPES:
        raise _unknown_type(type_id)
    settings = body.get("settings")
    if not isinstance(settings, dict):
        raise errors.missing_value("settings")
    if type_id in branch_policies.BRANCH_TYPES and not settings.get("scope"):
        raise _invalid("The policy must have at least one scope.")
    for scope in settings.get("scope") or []:
        wanted = scope.get("repositoryId")
        if wanted and str(wanted).lower() not in project["repositories"]:
            raise errors.repository_missing(str(wanted))
    if type_id == branch_policies.MINIMUM_REVIEWERS and int(settings.get("minimumApproverCount") or 0) < 1:
        raise _invalid("The minimum approver count must be at least 1.")
    if type_id == branch_policies.BUILD and str(settings.get("buildDefinitionId")) not in project["definitions"]:
        raise _invalid(f"The build definition with ID {settings.get('buildDefinitionId')} could not be found.")
    if type_id == branch_policies.STATUS and not settings.get("statusName"):
        raise _invalid("The status name must be given.")
    return type_id, settings


def _invalid(detail: str) -> errors.ServiceError:
    message = f"TF402466: The policy configuration settings are not valid. {detail}"
    return errors.invalid(message, "PolicySettingsValidationException", errors.POLICY)


@serves("GET", _ROUTE)
def get_configurations(call: Call) -> object:
    """One configuration, or those of a type or scope."""
    project = call.project
    if "configurationId" in call.values:
        return policy_json(call, project, _policy_of(call))
    wanted, scope = call.text("policyType").lower(), call.text("scope")
    found = [
        p
        for p in project["policies"].values()
        if not p["deleted"] and wanted in {"", p["type"]} and (not scope or scope in _scopes(p))
    ]
    return [policy_json(call, project, p) for p in page_of(found, call)]


def _scopes(policy: Tree) -> set[str]:
    found = set()
    for scope in policy["settings"].get("scope") or []:
        repository = str(scope.get("repositoryId") or "").replace("-", "")
        found.add(f"{repository}:{scope.get('refName')}" if scope.get("refName") else repository)
    return found


@serves("POST", _ROUTE, Level.PROJECT_ADMINISTRATOR)
def create_configuration(call: Call) -> Reply:
    """Configure a policy."""
    project = call.project
    body = call.json()
    type_id, settings = _checked(call, project, body)
    policy: Tree = {
        "id": call.service.number(call.org, "policy"),
        "type": type_id,
        "enabled": bool(body.get("isEnabled", True)),
        "blocking": bool(body.get("isBlocking", True)),
        "deleted": False,
        "settings": settings,
        "revision": 1,
        "by": call.user["id"],
        "created": call.stamp(),
        "revisions": [],
    }
    policy["revisions"].append(policy_json(call, project, policy))
    project["policies"][str(policy["id"])] = policy
    return Reply(policy_json(call, project, policy))


@serves("PUT", _ROUTE, Level.PROJECT_ADMINISTRATOR)
def update_configuration(call: Call) -> Tree:
    """Replace a configuration."""
    project, policy = call.project, _policy_of(call)
    body = call.json()
    type_id, settings = _checked(call, project, body)
    if type_id != policy["type"]:
        raise _invalid("The type of a policy configuration cannot be changed.")
    policy["settings"] = settings
    policy["enabled"] = bool(body.get("isEnabled", policy["enabled"]))
    policy["blocking"] = bool(body.get("isBlocking", policy["blocking"]))
    policy["revision"] += 1
    policy["revisions"].append(policy_json(call, project, policy))
    return policy_json(call, project, policy)


@serves("DELETE", _ROUTE, Level.PROJECT_ADMINISTRATOR)
def delete_configuration(call: Call) -> Reply:
    """Delete a configuration."""
    policy = _policy_of(call)
    policy["deleted"] = True
    return Reply(None, 204)


@serves("GET", "policy/configurations/{configurationId}/revisions/{revisionId}")
def get_revisions(call: Call) -> object:
    """A configuration as it was at each revision."""
    policy = _policy_of(call)
    if "revisionId" not in call.values:
        return policy["revisions"]
    number = call.values["revisionId"]
    found = next((r for r in policy["revisions"] if str(r["revision"]) == number), None)
    if found is None:
        message = f"TF402496: The revision {number} of policy configuration {policy['id']} does not exist."
        raise errors.not_found(message, "PolicyConfigurationNotFoundException", errors.POLICY)
    return found


@serves("GET", "git/policy/configurations")
def git_configurations(call: Call) -> list[Tree]:
    """The configurations that cover a repository and branch."""
    project = call.project
    wanted, ref = call.text("repositoryId").lower(), call.text("refName")
    found = []
    for policy in project["policies"].values():
        if policy["deleted"] or call.text("policyType").lower() not in {"", policy["type"]}:
            continue
        repository = project["repositories"].get(wanted)
        if not wanted or (
            repository and branch_policies.in_scope(policy, repository, ref or repository["default_branch"] or "")
        ):
            found.append(policy_json(call, project, policy))
    return found


def evaluation_json(call: Call, project: Tree, repository: Tree, pull: Tree, policy: Tree) -> Tree:
    """Where a policy stands for a pull request, as answered."""
    return {
        "configuration": policy_json(call, project, policy),
        "artifactId": f"vstfs:///CodeReview/CodeReviewId/{project['id']}/{pull['id']}",
        "evaluationId": stable_id("evaluation", project["id"], str(pull["id"]), str(policy["id"])),
        "startedDate": pull["created"],
        "completedDate": None,
        "status": branch_policies.evaluate(call.org, project, repository, pull, policy),
        "context": _context(project, pull, policy),
        "_links": {},
    }


def _context(project: Tree, pull: Tree, policy: Tree) -> Tree:
    """What the service keeps with the evaluation of a build policy: the build it waits for, and what that was built of."""
    build = branch_policies.current_build(project, policy["settings"], pull)
    if policy["type"] != branch_policies.BUILD or build is None:
        return {}
    return {
        "lastMergeCommitId": build["version"],
        "lastMergeSourceCommitId": build["trigger"].get("pr.sourceSha"),
        "lastMergeTargetCommitId": pull["last_target"],
        "buildId": build["id"],
        "buildDefinitionId": build["definition"],
        "buildDefinitionName": project["definitions"][str(build["definition"])]["name"],
        "buildIsNotCurrent": False,
        "buildStartedUtc": build["start"],
        "isExpired": False,
        "buildAfterMerge": False,
        "wasAutoRequeued": False,
        "buildOutputPreview": None,
    }


def _evaluations(call: Call, number: int) -> list[Tree]:
    project = call.project
    repository, pull = find_pull(call, number)
    return [
        evaluation_json(call, project, repository, pull, p)
        for p in page_of(branch_policies.applying(project, repository, pull["target"]), call)
    ]


@serves("GET", "policy/evaluations")
def get_evaluations(call: Call) -> list[Tree]:
    """Where each policy stands for the pull request an artifact id names."""
    found = re.fullmatch(r"vstfs:///CodeReview/CodeReviewId/[0-9a-f-]+/(\d+)", call.text("artifactId"), re.IGNORECASE)
    if not found:
        raise errors.invalid(f"The artifact id '{call.text('artifactId')}' is not valid.")
    return _evaluations(call, int(found.group(1)))


def _evaluation_of(call: Call) -> tuple[Tree, Tree, Tree]:
    wanted = call.value("evaluationId").lower()
    for repository in call.project["repositories"].values():
        for pull in repository["pulls"].values():
            for policy in branch_policies.applying(call.project, repository, pull["target"]):
                if stable_id("evaluation", call.project["id"], str(pull["id"]), str(policy["id"])) == wanted:
                    return repository, pull, policy
    message = f"TF402497: The policy evaluation with ID {wanted} does not exist."
    raise errors.not_found(message, "PolicyEvaluationNotFoundException", errors.POLICY)


@serves("GET", "policy/evaluations/{evaluationId}")
def get_evaluation(call: Call) -> Tree:
    """One evaluation."""
    return evaluation_json(call, call.project, *_evaluation_of(call))


@serves("PATCH", "policy/evaluations/{evaluationId}")
def requeue_evaluation(call: Call) -> Tree:
    """Evaluate again; a build policy queues its build."""
    repository, pull, policy = _evaluation_of(call)
    if policy["type"] == branch_policies.BUILD:
        from local.sandbox.azure_devops.areas.builds import start_for_pull

        start_for_pull(call, call.project, repository, pull, policy)
    return evaluation_json(call, call.project, repository, pull, policy)
