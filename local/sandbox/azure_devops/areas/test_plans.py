"""Serves test plans, their suites and the test cases in them; each is a work item too."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.work_items import create_item
from local.sandbox.azure_devops.call import Call, Reply, serves
from local.sandbox.azure_devops.project_model import project_ref
from local.sandbox.azure_devops.service import Tree
from local.sandbox.azure_devops.work_item_links import find_item

_TESTS = "Microsoft.TeamFoundation.TestManagement.WebApi"
_PLANS = "testplan/Plans/{planId}"
_SUITES = "testplan/Plans/{planId}/Suites/{suiteId}"
_CASES = "testplan/Plans/{planId}/Suites/{suiteId}/TestCase/{testCaseId}"


def _fields(**values: object) -> list[Tree]:
    return [{"op": "add", "path": f"/fields/{k}", "value": v} for k, v in values.items() if v]


def _work_item(call: Call, kind: str, body: Tree) -> Tree:
    values = {
        "System.Title": body.get("name"),
        "System.AreaPath": body.get("areaPath"),
        "System.IterationPath": body.get("iteration"),
    }
    if not body.get("name"):
        raise errors.missing_value("name")
    return create_item(call, call.project, kind, _fields(**values))


def plan_json(call: Call, plan: Tree) -> Tree:
    """A plan as answered."""
    item = find_item(call.org, plan["id"])
    root = plan["suites"][str(plan["root"])]
    return {
        "id": plan["id"],
        "name": item["fields"]["System.Title"],
        "state": item["fields"]["System.State"],
        "areaPath": item["fields"]["System.AreaPath"],
        "iteration": item["fields"]["System.IterationPath"],
        "description": plan["description"],
        "startDate": plan["start"],
        "endDate": plan["end"],
        "revision": item["rev"],
        "project": project_ref(call.service, call.org, call.project),
        "rootSuite": {"id": root["id"], "name": root["name"]},
        "_links": {"_self": {"href": call.url(call.project["id"], "_apis/testplan/Plans", str(plan["id"]))}},
    }


def _plan_of(call: Call) -> Tree:
    plan = call.project["plans"].get(call.value("planId"))
    if plan is None:
        message = f"Test plan {call.value('planId')} does not exist or you do not have permission to access it."
        raise errors.not_found(message, "TestObjectNotFoundException", _TESTS)
    return plan  # type: ignore[no-any-return]


@serves("GET", _PLANS)
def get_plans(call: Call) -> object:
    """One plan or all."""
    if "planId" in call.values:
        return plan_json(call, _plan_of(call))
    return [plan_json(call, p) for p in call.project["plans"].values()]


@serves("POST", _PLANS)
def create_plan(call: Call) -> Tree:
    """Create a plan with its root suite."""
    body = call.json()
    item = _work_item(call, "Test Plan", body)
    suite = _work_item(call, "Test Suite", body)
    root = {
        "id": suite["id"],
        "name": str(body["name"]),
        "type": "staticTestSuite",
        "parent": None,
        "cases": [],
        "query": None,
        "requirement": None,
    }
    plan: Tree = {
        "id": item["id"],
        "description": body.get("description"),
        "start": body.get("startDate"),
        "end": body.get("endDate"),
        "root": root["id"],
        "suites": {str(root["id"]): root},
    }
    call.project["plans"][str(plan["id"])] = plan
    return plan_json(call, plan)


@serves("DELETE", _PLANS)
def delete_plan(call: Call) -> Reply:
    """Delete a plan with its suites."""
    plan = _plan_of(call)
    del call.project["plans"][str(plan["id"])]
    for number in (plan["id"], *(s["id"] for s in plan["suites"].values())):
        call.org["work_items"].pop(str(number), None)
    return Reply(None, 204)


def suite_json(call: Call, plan: Tree, suite: Tree) -> Tree:
    """A suite as answered."""
    parent = plan["suites"].get(str(suite["parent"]))
    answer: Tree = {
        "id": suite["id"],
        "name": suite["name"],
        "suiteType": suite["type"],
        "revision": 1,
        "project": project_ref(call.service, call.org, call.project),
        "plan": {"id": plan["id"], "name": find_item(call.org, plan["id"])["fields"]["System.Title"]},
        "inheritDefaultConfigurations": True,
        "hasChildren": any(s["parent"] == suite["id"] for s in plan["suites"].values()),
        "_links": {},
    }
    if parent:
        answer["parentSuite"] = {"id": parent["id"], "name": parent["name"]}
    if suite["query"]:
        answer["queryString"] = suite["query"]
    if suite["requirement"]:
        answer["requirementId"] = suite["requirement"]
    return answer


def _suite_of(call: Call, plan: Tree) -> Tree:
    suite = plan["suites"].get(call.value("suiteId"))
    if suite is None:
        message = f"Test suite {call.value('suiteId')} does not exist or you do not have permission to access it."
        raise errors.not_found(message, "TestObjectNotFoundException", _TESTS)
    return suite  # type: ignore[no-any-return]


@serves("GET", _SUITES)
def get_suites(call: Call) -> object:
    """One suite or all of a plan."""
    plan = _plan_of(call)
    if "suiteId" in call.values:
        return suite_json(call, plan, _suite_of(call, plan))
    return [suite_json(call, plan, s) for s in plan["suites"].values()]


@serves("POST", _SUITES)
def create_suite(call: Call) -> Tree:
    """Create a static, query-based or requirement-based suite below another."""
    plan = _plan_of(call)
    body = call.json()
    parent = str((body.get("parentSuite") or {}).get("id") or plan["root"])
    if parent not in plan["suites"]:
        raise errors.not_found(f"Test suite {parent} does not exist.", "TestObjectNotFoundException", _TESTS)
    kind = str(body.get("suiteType") or "staticTestSuite")
    requirement = body.get("requirementId")
    if kind == "requirementTestSuite":
        item = find_item(call.org, int(requirement or 0))
        body = {**body, "name": f"{item['id']} : {item['fields']['System.Title']}"}
    made = _work_item(call, "Test Suite", body)
    suite = {
        "id": made["id"],
        "name": str(body["name"]),
        "type": kind,
        "parent": int(parent),
        "cases": [],
        "query": body.get("queryString"),
        "requirement": requirement,
    }
    plan["suites"][str(suite["id"])] = suite
    return suite_json(call, plan, suite)


@serves("DELETE", _SUITES)
def delete_suite(call: Call) -> Reply:
    """Delete a suite that is not the root."""
    plan = _plan_of(call)
    suite = _suite_of(call, plan)
    if suite["id"] == plan["root"]:
        raise errors.invalid("The root suite of a plan cannot be deleted.", "InvalidOperationException", _TESTS)
    waiting = [suite["id"]]
    while waiting:
        gone = waiting.pop()
        waiting += [s["id"] for s in plan["suites"].values() if s["parent"] == gone]
        del plan["suites"][str(gone)]
        call.org["work_items"].pop(str(gone), None)
    return Reply(None, 204)


def case_json(call: Call, plan: Tree, suite: Tree, number: int) -> Tree:
    """A test case in a suite as answered."""
    item = find_item(call.org, number)
    fields = item["fields"]
    shown = [
        {k: fields[k]}
        for k in ("System.State", "Microsoft.VSTS.TCM.Steps", "Microsoft.VSTS.Common.Priority")
        if k in fields
    ]
    return {
        "testPlan": {"id": plan["id"]},
        "testSuite": {"id": suite["id"], "name": suite["name"]},
        "workItem": {"id": number, "name": fields["System.Title"], "workItemFields": shown},
        "pointAssignments": [],
        "project": project_ref(call.service, call.org, call.project),
        "order": suite["cases"].index(number),
        "links": {},
    }


@serves("GET", _CASES)
def get_cases(call: Call) -> list[Tree]:
    """The test cases of a suite, or those of ids."""
    plan = _plan_of(call)
    suite = _suite_of(call, plan)
    wanted = {i for i in call.values.get("testCaseId", call.text("testIds")).split(",") if i}
    # A deleted test case leaves its suites, and comes back to them when it is restored.
    held = [n for n in suite["cases"] if str(n) in call.org["work_items"]]
    return [case_json(call, plan, suite, n) for n in held if not wanted or str(n) in wanted]


@serves("POST", _CASES)
def add_cases(call: Call) -> list[Tree]:
    """Put test cases into a suite."""
    plan = _plan_of(call)
    suite = _suite_of(call, plan)
    added = []
    for given in call.json(list):
        item = find_item(call.org, int((given.get("workItem") or {}).get("id") or 0))
        if item["fields"]["System.WorkItemType"] != "Test Case":
            raise errors.invalid(f"Work item {item['id']} is not a test case.", "InvalidOperationException", _TESTS)
        if item["id"] not in suite["cases"]:
            suite["cases"].append(item["id"])
        added.append(case_json(call, plan, suite, item["id"]))
    return added


@serves("DELETE", _CASES)
def remove_cases(call: Call) -> Reply:
    """Take test cases out of a suite."""
    plan = _plan_of(call)
    suite = _suite_of(call, plan)
    wanted = call.values.get("testCaseId") or call.text("testCaseIds") or call.text("testIds")
    gone = {i.strip() for i in wanted.split(",")}
    suite["cases"] = [c for c in suite["cases"] if str(c) not in gone]
    return Reply(None, 204)
