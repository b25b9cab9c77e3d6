"""Serves environments' checks and the approvals they ask for."""

from __future__ import annotations

from local.sandbox.azure_devops import approvals, errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.identities import find_subject, groups_of, identity_ref, subject_ref
from local.sandbox.azure_devops.service import Tree

_CHECKS = "Microsoft.Azure.Pipelines.Checks.WebApi"
_ROUTE = "pipelines/checks/configurations/{id}"


def check_json(call: Call, project: Tree, check: Tree, *, settings: bool = True) -> Tree:
    """A check as answered."""
    person = identity_ref(call.service, call.org, call.org["users"].get(check["by"], call.user))
    url = call.url(project["id"], "_apis/pipelines/checks/configurations", str(check["id"]))
    answer = {
        "createdBy": person,
        "createdOn": check["created"],
        "modifiedBy": person,
        "modifiedOn": check["modified"],
        "timeout": check["timeout"],
        "version": check["version"],
        "id": check["id"],
        "type": {"id": check["type"], "name": approvals.CHECK_TYPES[check["type"]]},
        "url": url,
        "resource": check["resource"],
        "_links": {"self": {"href": url}},
    }
    if settings:
        answer["settings"] = check["settings"]
    return answer


def _check_of(call: Call) -> Tree:
    check = call.project["checks"].get(call.value("id"))
    if check is None:
        message = f"The check configuration with id {call.value('id')} could not be found."
        raise errors.not_found(message, "CheckConfigurationNotFoundException", _CHECKS)
    return check  # type: ignore[no-any-return]


def _resource(call: Call, project: Tree, given: object) -> Tree:
    if not isinstance(given, dict) or not given.get("type") or not given.get("id"):
        raise errors.missing_value("checkConfiguration.resource")
    kind, number = str(given["type"]).lower(), str(given["id"])
    held = {
        "environment": "environments",
        "endpoint": "endpoints",
        "variablegroup": "variable_groups",
        "repository": "repositories",
    }
    known = kind in {"queue", "securefile"} or (kind in held and number in project[held[kind]])
    if not known:
        raise errors.not_found(f"The {kind} with id {number} could not be found.", "ResourceNotFoundException", _CHECKS)
    name = given.get("name") or (project["environments"].get(number, {}).get("name") if kind == "environment" else None)
    return {"type": kind, "id": number, "name": name}


def _fields(call: Call, project: Tree, body: Tree) -> Tree:
    kind = str((body.get("type") or {}).get("id") or "").lower()
    if kind not in approvals.CHECK_TYPES:
        raise errors.invalid(f"The check type '{kind}' is not known.", "InvalidCheckConfigurationException", _CHECKS)
    settings = body.get("settings") or {}
    if kind == approvals.APPROVAL_CHECK:
        approvers = settings.get("approvers") or []
        if not approvers:
            raise errors.invalid(
                "An approval needs at least one approver.", "InvalidCheckConfigurationException", _CHECKS
            )
        full = []
        for approver in approvers:
            subject = find_subject(call.org, str(approver.get("id")))
            if subject is None:
                raise errors.invalid(
                    f"The approver {approver.get('id')} could not be found.",
                    "InvalidCheckConfigurationException",
                    _CHECKS,
                )
            full.append({"id": subject["id"], "displayName": subject["name"]})
        settings = {**settings, "approvers": full}
    return {
        "type": kind,
        "settings": settings,
        "timeout": int(body.get("timeout") or 43200),
        "resource": _resource(call, project, body.get("resource")),
    }


@serves("GET", _ROUTE)
def get_checks(call: Call) -> object:
    """One check, or those on a resource."""
    project = call.project
    settings = call.text("$expand", "none").lower() in {"settings", "1"}
    if "id" in call.values:
        return check_json(call, project, _check_of(call), settings=settings)
    kind, number = call.text("resourceType").lower(), call.text("resourceId")
    found = [
        c
        for c in project["checks"].values()
        if kind in {"", c["resource"]["type"]} and number in {"", c["resource"]["id"]}
    ]
    return [check_json(call, project, c, settings=settings) for c in found]


@serves("POST", _ROUTE, Level.PROJECT_ADMINISTRATOR)
def add_check(call: Call) -> Tree:
    """Put a check on a resource."""
    project = call.project
    stamp = call.stamp()
    check = {
        "id": call.service.number(call.org, "check"),
        "version": 1,
        "by": call.user["id"],
        "created": stamp,
        "modified": stamp,
        **_fields(call, project, call.json()),
    }
    project["checks"][str(check["id"])] = check
    return check_json(call, project, check)


@serves("PATCH", _ROUTE, Level.PROJECT_ADMINISTRATOR)
def update_check(call: Call) -> Tree:
    """Change a check."""
    project, check = call.project, _check_of(call)
    body = call.json()
    current = {
        "type": {"id": check["type"]},
        "resource": check["resource"],
        "settings": check["settings"],
        "timeout": check["timeout"],
    }
    check |= _fields(call, project, {**current, **body})
    check["version"] += 1
    check["modified"] = call.stamp()
    return check_json(call, project, check)


@serves("DELETE", _ROUTE, Level.PROJECT_ADMINISTRATOR)
def delete_check(call: Call) -> Reply:
    """Remove a check."""
    check = _check_of(call)
    del call.project["checks"][str(check["id"])]
    return Reply(None, 204)


@serves("POST", "pipelines/checks/queryconfigurations", Level.READER)
def query_checks(call: Call) -> list[Tree]:
    """The checks on several resources."""
    project = call.project
    wanted = {(str(r.get("type")).lower(), str(r.get("id"))) for r in call.json(list)}
    settings = call.text("$expand", "none").lower() in {"settings", "1"}
    found = [c for c in project["checks"].values() if (c["resource"]["type"], c["resource"]["id"]) in wanted]
    return [check_json(call, project, c, settings=settings) for c in found]


def approval_json(call: Call, project: Tree, approval: Tree, *, steps: bool = True) -> Tree:
    """An approval as answered."""
    url = call.url(project["id"], "_apis/pipelines/approvals", approval["id"])
    build = project["builds"].get(str(approval["build"]), {"number": ""})
    answer: Tree = {
        "id": approval["id"],
        "status": approval["status"],
        "createdOn": approval["created"],
        "lastModifiedOn": approval["modified"],
        "executionOrder": approval["order"],
        "minRequiredApprovers": approval["minimum"],
        "blockedApprovers": [{"id": b} for b in approval["blocked"]],
        "instructions": approval["instructions"],
        "pipeline": {
            "id": str(approval["definition"]),
            "name": project["definitions"][str(approval["definition"])]["name"],
            "owner": {"id": approval["build"], "name": build["number"]},
        },
        "_links": {"self": {"href": url}},
    }
    if steps:
        answer["steps"] = [_step_json(call, s, number, approval) for number, s in enumerate(approval["steps"], 1)]
    return answer


def _step_json(call: Call, step: Tree, number: int, approval: Tree) -> Tree:
    subject = find_subject(call.org, step["approver"])
    answer = {
        "assignedApprover": subject_ref(call.service, call.org, subject) if subject else {"id": step["approver"]},
        "status": step["status"],
        "comment": step["comment"],
        "order": number,
        "initiatedOn": approval["created"],
        "lastModifiedOn": step["at"] or approval["created"],
        "history": [],
    }
    actual = call.org["users"].get(step["by"] or "")
    if actual:
        answer["actualApprover"] = identity_ref(call.service, call.org, actual)
    return answer


@serves("GET", "pipelines/approvals/{approvalId}")
def get_approvals(call: Call) -> object:
    """One approval, or those of ids, states or people."""
    project = call.project
    steps = call.text("$expand", "steps").lower() in {"steps", "1"}
    if "approvalId" in call.values:
        found = project["approvals"].get(call.values["approvalId"].lower())
        if found is None:
            raise _no_approval(call.values["approvalId"])
        return approval_json(call, project, found, steps=steps)
    ids = {i.lower() for i in call.text("approvalIds").split(",") if i}
    state = call.text("state").lower()
    person = call.text("userIds").lower()
    return [
        approval_json(call, project, a, steps=steps)
        for a in project["approvals"].values()
        if (not ids or a["id"] in ids)
        and state in {"", "all", a["status"].lower()}
        and (not person or any(s["approver"] in person for s in a["steps"]))
    ]


def _no_approval(approval_id: str) -> errors.ServiceError:
    return errors.not_found(
        f"The approval with id {approval_id} could not be found.",
        "ApprovalNotFoundException",
        "Microsoft.Azure.Pipelines.Approval.WebApi",
    )


@serves("PATCH", "pipelines/approvals/{approvalId}", Level.READER)
def decide(call: Call) -> list[Tree]:
    """Approve or reject; only those asked may."""
    project = call.project
    decided = []
    for given in call.json(list):
        approval = project["approvals"].get(str(given.get("approvalId", "")).lower())
        if approval is None:
            raise _no_approval(str(given.get("approvalId")))
        status = str(given.get("status", "")).lower()
        if status not in {"approved", "rejected"}:
            raise errors.invalid(f"The value '{given.get('status')}' is not valid for status.")
        people = {call.user["id"], *(g["id"] for g in groups_of(call.org) if call.user["id"] in g["members"])}
        own_run = approval["requested_by"] == call.user["id"] and not approval["requester_may"]
        if (
            approval["status"] != "pending"
            or call.user["id"] in approval["blocked"]
            or own_run
            or not approvals.decide(
                approval, people, call.user["id"], status, str(given.get("comment") or ""), call.stamp()
            )
        ):
            message = f"User {call.user['name']} is not permitted to complete approval {approval['id']}."
            raise errors.ServiceError(
                403, message, "ApprovalUnauthorizedException", namespace="Microsoft.Azure.Pipelines.Approval.WebApi"
            )
        if approval["status"] != "pending":
            facts = {
                "project": project,
                "approval": approval,
                "user": call.user,
                "build": project["builds"].get(str(approval["build"]), {}),
            }
            call.service.emit(call.org, "ms.vss-pipelinechecks-events.approval-completed", facts)
        decided.append(approval_json(call, project, approval))
    return decided
