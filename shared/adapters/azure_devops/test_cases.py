"""Keeps planned test cases in Azure Test Plans: each once, found again by the tag of its key, its steps brought up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape as escape_html
from typing import Any
from xml.sax.saxutils import escape as escape_xml

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.work_items import BATCH, added, key_tag, quoted
from shared.domain.test_case import PlannedCase
from shared.errors import RefusedError

TAG = "doneright-case"
"""On each of our cases, so that all of them are found by one question."""
STEPS = "Microsoft.VSTS.TCM.Steps"
TESTS = "Microsoft.VSTS.Common.TestedBy-Reverse"
"""From a test case to the requirement it tests."""


class PlansMirror:
    """``TestCases`` on the test plans of an organization."""

    def __init__(self, client: AzureDevOpsClient) -> None:
        self._client = client

    def mirror(self, project: str, plan: str, suite: str, cases: Sequence[PlannedCase]) -> Sequence[int]:
        """Let the static ``suite`` of ``plan`` hold ``cases``, both made where they are not there; ids in their order.

        What people changed in a case's other fields stays. Raises ``NotSupportedError`` where the organization's licence
        has no test plans, ``RefusedError`` for names that cannot be, ``TransientError`` to be called again.
        """
        for name in (plan, suite):
            if not name.strip() or len(name) > 255:
                raise RefusedError(f"{name[:60]!r} names no test plan or suite", "Give a name of 1 to 255 characters.")
        if not cases:
            return ()
        plan_id, root = self._plan(project, plan)
        suite_id = self._suite(project, plan_id, root, suite)
        there = self._cases(project)
        ids = [self._kept(project, one, there.get(key_tag(f"case-{one.key}"))) for one in cases]
        self._hold(project, plan_id, suite_id, ids)
        return tuple(ids)

    def _plan(self, project: str, name: str) -> tuple[int, int]:
        area = self._client.area("test_plan")
        # A plan is a work item too; the list of plans comes in pages whose next the package cannot ask for.
        for number in self._named(project, "Test Plan", name):
            try:
                found = area.get_test_plan_by_id(project, number)
            except NotFoundError:
                continue
            return found.id, int(found.root_suite.id)
        made = area.create_test_plan(self._client.models("test_plan").TestPlanCreateParams(name=name), project)
        return made.id, int(made.root_suite.id)

    def _suite(self, project: str, plan: int, root: int, name: str) -> int:
        area, models = self._client.area("test_plan"), self._client.models("test_plan")
        for number in self._named(project, "Test Suite", name):
            try:
                found = area.get_test_suite_by_id(project, plan, number)
            except NotFoundError:
                # A suite of that name in another plan.
                continue
            if found.id != root and str(found.suite_type).lower() == "statictestsuite":
                return int(found.id)
        made = area.create_test_suite(
            models.TestSuiteCreateParams(
                name=name, suite_type="staticTestSuite", parent_suite=models.TestSuiteReference(id=root)
            ),
            project,
            plan,
        )
        return int(made.id)

    def _named(self, project: str, kind: str, name: str) -> list[int]:
        return self._query(project, f"[System.WorkItemType] = {quoted(kind)} AND [System.Title] = {quoted(name)}")

    def _query(self, project: str, condition: str) -> list[int]:
        models = self._client.models("work_item_tracking")
        query = (
            f"SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = {quoted(project)} "  # noqa: S608 - WIQL, quoted as it demands  # nosec B608
            f"AND {condition} ORDER BY [System.Id]"
        )
        answer = self._client.area("work_item_tracking").query_by_wiql(
            models.Wiql(query=query), team_context=models.TeamContext(project=project)
        )
        return [found.id for found in answer.work_items or []]

    def _cases(self, project: str) -> dict[str, Any]:
        """Our cases by the tag of their key, the oldest of each."""
        area, models = self._client.area("work_item_tracking"), self._client.models("work_item_tracking")
        condition = f"[System.WorkItemType] = 'Test Case' AND [System.Tags] CONTAINS {quoted(TAG)}"
        ids = self._query(project, condition)
        found: dict[str, Any] = {}
        for start in range(0, len(ids), BATCH):
            request = models.WorkItemBatchGetRequest(
                ids=ids[start : start + BATCH],
                fields=["System.Title", "System.Tags", "System.Description", STEPS],
            )
            for item in area.get_work_items_batch(request, project=project):
                for tag in (item.fields.get("System.Tags") or "").split(";"):
                    found.setdefault(tag.strip(), item)
        return found

    def _kept(self, project: str, case: PlannedCase, there: Any) -> int:
        area, models = self._client.area("work_item_tracking"), self._client.models("work_item_tracking")
        wanted = _fields(case)
        if there is not None:
            fields: Mapping[str, Any] = there.fields
            changes = [added(f"/fields/{name}", value) for name, value in wanted.items() if fields.get(name) != value]
            if changes:
                area.update_work_item([models.JsonPatchOperation(**one) for one in changes], there.id, project=project)
            return int(there.id)
        document = [added(f"/fields/{name}", value) for name, value in wanted.items()]
        document.append(added("/fields/System.Tags", f"{TAG}; {key_tag(f'case-{case.key}')}; {case.nature}"))
        if case.requirement is not None:
            url = f"{self._client.organization_url}/_apis/wit/workItems/{case.requirement}"
            document.append(added("/relations/-", {"rel": TESTS, "url": url}))
        made = area.create_work_item([models.JsonPatchOperation(**one) for one in document], project, "Test Case")
        return int(made.id)

    def _hold(self, project: str, plan: int, suite: int, ids: Sequence[int]) -> None:
        area, models = self._client.area("test_plan"), self._client.models("test_plan")
        for start in range(0, len(ids), BATCH):
            some = list(dict.fromkeys(ids[start : start + BATCH]))
            held = area.get_test_case_list(project, plan, suite, test_ids=",".join(map(str, some)))
            there = {int(one.work_item.id) for one in held or []}
            missing = [number for number in some if number not in there]
            if missing:
                area.add_test_cases_to_suite(
                    [models.SuiteTestCaseCreateUpdateParameters(work_item=models.WorkItem(id=one)) for one in missing],
                    project,
                    plan,
                    suite,
                )


def _fields(case: PlannedCase) -> dict[str, str]:
    run_by = f"Run by {case.automated_by}" if case.automated_by else "Run by hand"
    return {"System.Title": case.title, STEPS: steps_xml(case), "System.Description": escape_html(run_by)}


def steps_xml(case: PlannedCase) -> str:
    """The steps as the field of a test case keeps them: XML whose strings are HTML."""
    told = "".join(
        f'<step id="{number}" type="{"ValidateStep" if one.expected else "ActionStep"}">'
        f"{_string(one.action)}{_string(one.expected)}<description/></step>"
        for number, one in enumerate(case.steps, 2)
    )
    return f'<steps id="0" last="{len(case.steps) + 1}">{told}</steps>'


def _string(text: str) -> str:
    shown = escape_xml(escape_html(text, quote=False))
    return f'<parameterizedString isformatted="true">{shown}</parameterizedString>'
