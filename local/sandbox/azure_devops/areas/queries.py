"""Runs WIQL over the work items a caller can see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, serves
from local.sandbox.azure_devops.identities import level_of
from local.sandbox.azure_devops.service import Tree, parse_time
from local.sandbox.azure_devops.wiql import Condition, Group, Query, WiqlError, parse
from local.sandbox.azure_devops.work_item_fields import find_field
from local.sandbox.azure_devops.work_item_links import LINK_TYPES, parent_of

LIMIT = 20_000


def read_query(text: str) -> Query:
    try:
        return parse(text)
    except WiqlError as error:
        message = f"TF51006: The query statement is missing a FROM clause or is not valid: {error}. The error is caused by «{text[:60]}»."
        raise errors.invalid(message, "SyntaxException", errors.WORK) from error


def _field(call: Call, name: str) -> Tree:
    extra = call.org.get("fields", {}) | {
        f["referenceName"].lower(): f
        for c in call.org["processes"].values()
        for own in c["types"].values()
        for f in own["fields"]
    }
    found = find_field(name, extra)
    if found is None:
        message = f"TF51005: The query references a field that does not exist. The error is caused by «[{name}]»."
        raise errors.invalid(message, "WorkItemTrackingQueryException", errors.WORK)
    return found


def _value_of(call: Call, item: Tree, reference: str) -> Any:
    special = {"System.Id": item["id"], "System.Rev": item["rev"], "System.Parent": parent_of(item)}
    if reference in special:
        return special[reference]
    value = item["fields"].get(reference)
    if isinstance(value, dict) and "$user" in value:
        user = call.org["users"].get(value["$user"])
        return user["mail"] if user else value["$user"]
    return value


def _literal(call: Call, value: Any) -> Any:
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    name, sign, days = value.replace(" ", "").lower(), 1, 0
    for mark, direction in (("-", -1), ("+", 1)):
        if mark in name:
            name, _, text = name.partition(mark)
            sign, days = direction, int(text)
    if name == "@project":
        return call.project["name"]
    if name == "@me":
        return call.user["mail"]
    if name == "@today":
        try:
            day = call.service.now() + timedelta(days=sign * days)
        except OverflowError as error:
            message = f"TF51011: The macro {value} names no day of the calendar."
            raise errors.invalid(message, "WorkItemTrackingQueryException", errors.WORK) from error
        return day.strftime("%Y-%m-%dT00:00:00Z")
    message = f"TF51011: The macro {value} is not known here."
    raise errors.invalid(message, "WorkItemTrackingQueryException", errors.WORK)


def _compare(call: Call, known: Tree, held: Any, operator: str, wanted: Any) -> bool:
    wanted = _literal(call, wanted)
    if known["isIdentity"] and isinstance(wanted, str):
        from local.sandbox.azure_devops.identities import find_user

        user = find_user(call.org, wanted)
        wanted = user["mail"] if user else wanted
    if operator in {"=", "<>"}:
        empty = held in {None, ""} and wanted in {None, ""}
        if known["referenceName"] == "System.Tags":
            equal = str(wanted).lower() in [t.lower() for t in str(held or "").split("; ")]
        else:
            equal = empty or (held is not None and str(held).lower() == str(wanted).lower())
        return equal if operator == "=" else not equal
    if operator in {"CONTAINS", "CONTAINS WORDS"}:
        return str(wanted).lower() in str(held or "").lower()
    if operator == "UNDER":
        return (str(held or "").lower() + "\\").startswith(str(wanted).lower().rstrip("\\") + "\\")
    if held is None:
        return False
    try:
        if known["type"] == "dateTime":
            held, wanted = parse_time(str(held)), parse_time(str(wanted))
        elif known["type"] in {"integer", "double"}:
            held, wanted = float(held), float(wanted)
        else:
            held, wanted = str(held).lower(), str(wanted).lower()
    except ValueError as error:
        message = f"TF51008: The value '{wanted}' is not of the type of the field {known['name']}."
        raise errors.invalid(message, "WorkItemTrackingQueryException", errors.WORK) from error
    return {"<": held < wanted, "<=": held <= wanted, ">": held > wanted, ">=": held >= wanted}[operator]


def _matches(call: Call, part: Group | Condition | None, item: Tree, side: str = "") -> bool:
    """Whether an item fulfils the conditions of one side; conditions of other sides count as fulfilled."""
    if part is None:
        return True
    if isinstance(part, Group):
        answers = [_matches(call, p, item, side) for p in part.parts if not side or _mentions(p, side)]
        result = (all(answers) if part.joiner == "AND" else any(answers)) if answers else True
        return not result if part.negated else result
    return bool(side and part.side.lower() != side) or _holds(call, part, item)


def _holds(call: Call, part: Condition, item: Tree) -> bool:
    known = _field(call, part.field)
    held = _value_of(call, item, known["referenceName"])
    if part.operator.startswith("IS"):
        return (held in {None, ""}) is (part.operator == "IS EMPTY")
    if part.operator.endswith("IN"):
        found = any(_compare(call, known, held, "=", v) for v in part.values)
        return found is not part.operator.startswith("NOT")
    if part.operator == "EVER":
        # Was it ever so: every revision is asked, the current one being the last of them.
        reference = known["referenceName"]
        past = (_value_of(call, {**item, "fields": fields}, reference) for fields in item["revisions"])
        return any(_compare(call, known, value, "=", part.values[0]) for value in (held, *past))
    negated = part.operator.startswith("NOT ")
    answer = _compare(call, known, held, part.operator.removeprefix("NOT "), part.values[0])
    return answer is not negated


def _mentions(part: Group | Condition, side: str) -> bool:
    if isinstance(part, Condition):
        return part.side.lower() == side
    return any(_mentions(p, side) for p in part.parts)


def _link_types(part: Group | Condition | None) -> set[str]:
    if part is None:
        return set()
    if isinstance(part, Group):
        return set().union(*(_link_types(p) for p in part.parts))
    if part.field.lower() == "system.links.linktype" and part.operator in {"=", "IN"}:
        names = {str(v).lower() for v in part.values}
        return {r for r, entry in LINK_TYPES.items() if r.lower() in names or entry["name"].lower() in names}
    return set()


def _visible(call: Call) -> list[Tree]:
    ids = {p["id"] for p in call.org["projects"].values() if level_of(call.user, p) >= Level.READER}
    return [w for w in call.org["work_items"].values() if w["project"] in ids]


def _ordered(call: Call, query: Query, items: list[Tree]) -> list[Tree]:
    for name, descending in reversed(query.order):
        known = _field(call, name)
        filled = [i for i in items if _value_of(call, i, known["referenceName"]) is not None]
        empty = [i for i in items if _value_of(call, i, known["referenceName"]) is None]
        number = known["type"] in {"integer", "double"}
        filled.sort(key=lambda i: _sortable(_value_of(call, i, known["referenceName"]), number), reverse=descending)
        items = [*filled, *empty] if descending else [*empty, *filled]
    return items


def _sortable(value: Any, number: bool) -> Any:
    return float(value) if number else str(value).lower()


def run(call: Call, text: str) -> Tree:
    """Run a query; the answer of the wiql resource."""
    query = read_query(text)
    columns = []
    for name in query.columns:
        known = _field(call, name)
        columns.append(
            {
                "referenceName": known["referenceName"],
                "name": known["name"],
                "url": call.url("_apis/wit/fields", known["referenceName"]),
            }
        )
    answer: Tree = {
        "queryType": "flat",
        "queryResultType": "workItem",
        "asOf": call.stamp(),
        "columns": columns,
    }
    if query.order:
        answer["sortColumns"] = [
            {"field": {"referenceName": _field(call, n)["referenceName"]}, "descending": d} for n, d in query.order
        ]
    top = call.integer("$top", LIMIT)
    if query.links:
        relations = _relations(call, query)[:top]
        recursive = query.mode.lower() == "recursive"
        return answer | {
            "queryType": "tree" if recursive else "oneHop",
            "queryResultType": "workItemLink",
            "workItemRelations": relations,
        }
    found = _ordered(call, query, [i for i in _visible(call) if _matches(call, query.where, i)])
    if len(found) > LIMIT and top >= LIMIT:
        message = "VS402337: The number of work items returned exceeds the size limit of 20000. Change the query to return fewer items."
        raise errors.invalid(message, "WorkItemTrackingQueryResultSizeLimitExceededException", errors.WORK)
    return answer | {"workItems": [_reference(call, i) for i in found[:top]]}


def _reference(call: Call, item: Tree) -> Tree:
    return {"id": item["id"], "url": call.url(item["project"], "_apis/wit/workItems", str(item["id"]))}


def _relations(call: Call, query: Query) -> list[Tree]:
    types = _link_types(query.where) or {"System.LinkTypes.Hierarchy-Forward"}
    items = {i["id"]: i for i in _visible(call)}
    sources = _ordered(call, query, [i for i in items.values() if _matches(call, query.where, i, "source")])
    targets = {i["id"] for i in items.values() if _matches(call, query.where, i, "target")}
    recursive = query.mode.lower() == "recursive"
    rows: list[Tree] = []
    if recursive:
        held = {i["id"] for i in sources}
        # Only those whose parent is not itself a source start a tree.
        sources = [i for i in sources if parent_of(i) not in held]
    for source in sources:
        below = _below(call, query, items, source, types, targets, recursive)
        wanted = query.mode.lower()
        if (wanted == "mustcontain" and not below) or (wanted == "doesnotcontain" and below):
            continue
        rows.append({"rel": None, "source": None, "target": _reference(call, source)})
        if wanted != "doesnotcontain":
            rows += below
    return rows


def _below(
    call: Call, query: Query, items: dict[int, Tree], item: Tree, types: set[str], targets: set[int], recursive: bool
) -> list[Tree]:
    rows: list[Tree] = []
    linked = [
        (link["rel"], items[link["target"]])
        for link in item["links"]
        if link["rel"] in types and link.get("target") in items
    ]
    order = [i["id"] for i in _ordered(call, query, [i for _, i in linked])]
    for rel, other in sorted(linked, key=lambda pair: order.index(pair[1]["id"])):
        deeper = _below(call, query, items, other, types, targets, True) if recursive else []
        if other["id"] in targets or deeper:
            rows.append({"rel": rel, "source": _reference(call, item), "target": _reference(call, other)})
            rows += deeper
    return rows


@serves("POST", "wit/wiql", Level.READER)
def run_wiql(call: Call) -> Tree:
    """Run the query of the body."""
    text = call.json().get("query")
    if not isinstance(text, str) or not text.strip():
        raise errors.missing_value("query")
    if "@project" in text.lower() and not call.scope:
        raise errors.invalid(
            "TF51011: The macro @project needs a project in the address.", "WorkItemTrackingQueryException", errors.WORK
        )
    return run(call, text)
