"""Decides what a JSON patch makes of a work item, or words the refusal as the service's rule engine does."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, whole_number
from local.sandbox.azure_devops.classification import field_path
from local.sandbox.azure_devops.identities import find_subject, find_user
from local.sandbox.azure_devops.process_catalog import WorkItemType
from local.sandbox.azure_devops.processes_model import custom_fields, process_of, work_item_type
from local.sandbox.azure_devops.service import Tree, parse_time
from local.sandbox.azure_devops.work_item_fields import ALLOWED_VALUES, find_field, starting_values

_HTML = {"html", "plainText", "history", "string"}


@dataclass
class Patch:
    """A JSON patch taken apart: field values (None removes), relations to add and remove, comment."""

    fields: dict[str, Any] = field(default_factory=dict)
    added: list[Tree] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    changed_relations: dict[int, Tree] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)


def rule_error(name: str, reference: str, codes: str, status: int = 400) -> errors.ServiceError:
    """TF401320 with the rule's codes, and the details clients read from customProperties."""
    message = f"TF401320: Rule Error for field {name}. Error code: {codes}."
    detail = {
        "fieldReferenceName": reference,
        "fieldStatusFlags": codes[0].lower() + codes[1:],
        "errorMessage": message,
    }
    return errors.ServiceError(
        status,
        message,
        "RuleValidationException",
        namespace=errors.WORK,
        properties={"FieldReferenceName": reference, "RuleValidationErrors": [detail], "ErrorMessage": message},
    )


def parse(call: Call, project: Tree, operations: list[Any], item: Tree | None) -> Patch:
    """Read the operations of a patch against `item` (None when creating); raises for unknown paths, fields and tests."""
    patch = Patch()
    extra = custom_fields(call.org, project)
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise errors.invalid(
                "VS403679: You must pass a valid patch document in the body of the request.",
                "VssPropertyValidationException",
                errors.WORK,
            )
        kind, path, value = str(operation.get("op", "")).lower(), operation["path"], operation.get("value")
        if path.lower() == "/rev":
            _test_revision(item, value)
        elif path.lower() in {"/id", "/"} and kind != "test":
            continue
        elif path.lower().startswith("/fields/"):
            _field(patch, kind, path[8:], value, extra, item)
        elif path.lower().startswith("/multilinefieldsformat/"):
            patch.formats[path.rsplit("/", 1)[1]] = str(value)
        elif path.lower().startswith("/relations/"):
            _relation(patch, kind, path[11:], value)
        else:
            raise errors.invalid(
                f"VS403678: The patch path '{path}' is not supported.", "InvalidPatchPathException", errors.WORK
            )
    return patch


def _test_revision(item: Tree | None, value: Any) -> None:
    revision = item["rev"] if item is not None else 0
    if str(value) != str(revision):
        message = (
            f"VS403351: Test Operation for path /rev failed, value {revision} was not equal to test value {value}."
        )
        raise errors.ServiceError(412, message, "TestPatchOperationFailedException", namespace=errors.WEBAPI)


def _field(patch: Patch, kind: str, name: str, value: Any, extra: dict[str, Tree], item: Tree | None) -> None:
    known = find_field(name, extra)
    if known is None:
        message = f"TF51535: Cannot find field {name}."
        raise errors.invalid(message, "WorkItemTrackingFieldDefinitionNotFoundException", errors.WORK)
    reference = known["referenceName"]
    if kind == "test":
        held = item["fields"].get(reference) if item else None
        if held != value:
            message = f"VS403351: Test Operation for path /fields/{reference} failed, value {held} was not equal to test value {value}."
            raise errors.ServiceError(412, message, "TestPatchOperationFailedException", namespace=errors.WEBAPI)
        return
    if kind not in {"add", "replace", "remove"}:
        raise errors.invalid(
            f"VS403677: The patch operation '{kind}' is not supported.", "InvalidPatchOperationException", errors.WORK
        )
    if known["readOnly"]:
        # The same value again is no change; anything else breaks a rule.
        if item is not None and item["fields"].get(reference) == value:
            return
        raise rule_error(known["name"], reference, "ReadOnly")
    patch.fields[reference] = None if kind == "remove" else value


def _relation(patch: Patch, kind: str, where: str, value: Any) -> None:
    if kind == "add" and where == "-":
        if not isinstance(value, dict) or not value.get("rel") or not value.get("url"):
            raise errors.invalid(
                "VS403676: A relation needs rel and url.", "VssPropertyValidationException", errors.WORK
            )
        patch.added.append(value)
    elif kind == "remove" and whole_number(where) is not None:
        patch.removed.append(int(where))
    elif kind in {"add", "replace"} and re.match(r"^\d+/attributes", where):
        patch.changed_relations[int(where.split("/", maxsplit=1)[0])] = (
            value if isinstance(value, dict) else {where.rsplit("/", 1)[1]: value}
        )
    else:
        raise errors.invalid(
            f"VS403675: The patch path '/relations/{where}' is not supported.", "InvalidPatchPathException", errors.WORK
        )


def new_fields(call: Call, project: Tree, kind: WorkItemType, patch: Patch) -> Tree:
    """The fields of a new work item."""
    process = process_of(call.org, project)
    fields: Tree = {
        "System.AreaPath": project["name"],
        "System.TeamProject": project["name"],
        "System.IterationPath": project["name"],
        "System.WorkItemType": kind.name,
        "System.State": kind.states[0].name,
        "System.Reason": "Added to backlog" if process.name == "Basic" else "New",
    }
    fields |= starting_values(process.name, kind.name)
    for known in custom_fields(call.org, project).values():
        if known.get("type_name") == kind.name and known.get("default") not in {None, ""}:
            fields[known["referenceName"]] = _valid(call, project, kind, known, known["default"])
    return apply(call, project, kind, fields, patch)


def apply(call: Call, project: Tree, kind: WorkItemType, before: Tree, patch: Patch) -> Tree:
    """The fields after a patch; raises the rule engine's refusals."""
    after = dict(before)
    extra = custom_fields(call.org, project)
    target = patch.fields.get("System.WorkItemType")
    if target is not None:
        kind = work_item_type(call.org, project, str(target))
    for reference, value in patch.fields.items():
        known = find_field(reference, extra)
        if known is None:  # pragma: no cover - parse() refused it
            continue
        if value is None or value == "":
            after.pop(reference, None)
        else:
            after[reference] = _valid(call, project, kind, known, value)
    for name, reference in (("Title", "System.Title"), ("State", "System.State")):
        if not str(after.get(reference) or "").strip():
            raise rule_error(name, reference, "Required, InvalidEmpty")
    for known in extra.values():
        if known.get("required") and known.get("type_name") == kind.name and after.get(known["referenceName"]) is None:
            raise rule_error(known["name"], known["referenceName"], "Required, InvalidEmpty")
    for reference in ("System.AreaPath", "System.IterationPath"):
        after.setdefault(reference, project["name"])
    if after["System.State"] != before.get("System.State"):
        _state_changed(call, kind, before, after, "System.Reason" in patch.fields)
    return after


def _valid(call: Call, project: Tree, kind: WorkItemType, known: Tree, value: Any) -> Any:
    reference, name = known["referenceName"], known["name"]
    if reference == "System.State":
        state = kind.state(str(value))
        if state is None:
            raise rule_error(name, reference, "Required, HasValues, LimitedToValues, AllowsOldValue, InvalidListValue")
        return state.name
    if known["type"] == "treePath":
        tree = "areas" if reference == "System.AreaPath" else "iterations"
        path = field_path(project[tree], str(value))
        if path is None:
            message = f"TF401347: Invalid tree name given for work item -1, field '{reference}'."
            raise errors.invalid(message, "WorkItemInvalidTreeNameException", errors.WORK)
        return path
    if known["isIdentity"]:
        text = str(value.get("id") or value.get("uniqueName") or "") if isinstance(value, dict) else str(value)
        person = find_user(call.org, text) or find_subject(call.org, text)
        if person is None:
            raise rule_error(name, reference, "InvalidListValue, IdentityNotFound")
        return {"$user": person["id"]}
    if reference == "System.Tags":
        tags = [t.strip() for t in str(value).replace(",", ";").split(";") if t.strip()]
        return "; ".join(dict.fromkeys(tags))
    if reference == "System.Title" and len(str(value)) > 255:
        raise rule_error(name, reference, "InvalidTooLong")
    allowed = known.get("allowedValues") or ALLOWED_VALUES.get(reference)
    if allowed and str(value) not in allowed and kind.name != "Change Request":
        raise rule_error(name, reference, "HasValues, LimitedToValues, InvalidListValue")
    return _typed(known, value)


def _typed(known: Tree, value: Any) -> Any:
    reference, name, kind = known["referenceName"], known["name"], known["type"]
    try:
        if kind == "integer":
            return int(value)
        if kind == "double":
            if not math.isfinite(float(value)):
                raise ValueError(value)
            return float(value)
        if kind == "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        if kind == "dateTime":
            parse_time(str(value))
            return str(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise rule_error(name, reference, "InvalidType") from error
    return str(value) if kind in _HTML else value


def _state_changed(call: Call, kind: WorkItemType, before: Tree, after: Tree, reason_given: bool) -> None:
    stamp, me = call.stamp(), {"$user": call.user["id"]}
    after["Microsoft.VSTS.Common.StateChangeDate"] = stamp
    state = kind.state(after["System.State"])
    if before.get("System.State") and not reason_given:
        after["System.Reason"] = f"Moved to state {after['System.State']}"
    category = state.category if state else ""
    for wanted, verb in (("InProgress", "Activated"), ("Resolved", "Resolved"), ("Completed", "Closed")):
        if category == wanted:
            after[f"Microsoft.VSTS.Common.{verb}Date"] = stamp
            after[f"Microsoft.VSTS.Common.{verb}By"] = me
    if category != "Completed":
        after.pop("Microsoft.VSTS.Common.ClosedDate", None)
        after.pop("Microsoft.VSTS.Common.ClosedBy", None)
