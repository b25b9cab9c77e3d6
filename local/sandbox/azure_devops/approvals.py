"""Creates the approvals that checks on environments ask for before a stage starts."""

from __future__ import annotations

from local.sandbox.azure_devops.service import Service, Tree, new_id

APPROVAL_CHECK = "8c6f20a7-a545-4486-9777-f762fafe0d4d"
TASK_CHECK = "fe1de3ee-a436-41b4-bb20-f6eb4cb879a7"
LOCK_CHECK = "2ef31ad6-baa0-403a-8b45-2cbc9b4e5563"
BRANCH_TASK = "86b05a0c-73e6-4f7d-b3cf-e38f3b39a75b"
CHECK_TYPES = {APPROVAL_CHECK: "Approval", TASK_CHECK: "Task Check", LOCK_CHECK: "ExclusiveLock"}


def required(service: Service, org: Tree, project: Tree, build: Tree, stage: Tree) -> list[str]:
    """The ids of new approvals, one for each approval check on the stage's environments."""
    found = []
    for name in stage["environments"]:
        environment = next((e for e in project["environments"].values() if e["name"].lower() == name.lower()), None)
        if environment is None:
            continue
        for check in project["checks"].values():
            resource = check["resource"]
            if check["type"] != APPROVAL_CHECK or (resource["type"], resource["id"]) != (
                "environment",
                str(environment["id"]),
            ):
                continue
            approval = _approval(service, project, build, stage, environment, check)
            facts = {"project": project, "approval": approval, "build": build, "user": org["users"].get(build["by"])}
            service.emit(org, "ms.vss-pipelinechecks-events.approval-pending", facts)
            found.append(approval["id"])
    return found


def _approval(service: Service, project: Tree, build: Tree, stage: Tree, environment: Tree, check: Tree) -> Tree:
    settings = check["settings"]
    approvers = [str(a.get("id")) for a in settings.get("approvers") or []]
    stamp = service.stamp()
    approval: Tree = {
        "id": new_id(),
        "status": "pending",
        "created": stamp,
        "modified": stamp,
        "instructions": str(settings.get("instructions") or ""),
        "minimum": int(settings.get("minRequiredApprovers") or 0) or len(approvers),
        "order": settings.get("executionOrder") or "anyOrder",
        "blocked": [str(a.get("id")) for a in settings.get("blockedApprovers") or []],
        "requester_may": bool(settings.get("requesterCannotBeApprover")) is False,
        "requested_by": build["by"],
        "build": build["id"],
        "definition": build["definition"],
        "stage": stage["name"],
        "environment": environment["id"],
        "steps": [{"approver": a, "status": "pending", "by": None, "comment": "", "at": None} for a in approvers],
    }
    project["approvals"][approval["id"]] = approval
    return approval


def decide(approval: Tree, people: set[str], user_id: str, status: str, comment: str, stamp: str) -> bool:
    """Record a decision of a person who stands for `people` (self and groups); false when none of the steps is theirs."""
    waiting = [s for s in approval["steps"] if s["status"] == "pending"]
    asked = waiting[:1] if approval["order"] == "inSequence" else waiting
    step = next((s for s in asked if s["approver"] in people), None)
    if step is None:
        return False
    step |= {"status": status, "by": user_id, "comment": comment, "at": stamp}
    approval["modified"] = stamp
    approved = sum(s["status"] == "approved" for s in approval["steps"])
    if status == "rejected":
        approval["status"] = "rejected"
    elif approved >= approval["minimum"]:
        approval["status"] = "approved"
        for other in approval["steps"]:
            if other["status"] == "pending":
                other["status"] = "skipped"
    return True
