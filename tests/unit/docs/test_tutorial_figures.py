"""The figures a reader is told to expect are those the plan of the tutorial's own request has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.domain.plan import Plan
from shared.domain.project import ProjectRequest
from shared.projects.admission import faults_with
from shared.projects.planning import plan_for
from shared.projects.request_form import parse
from tests.fakes.app import App, a_connection, a_request

DOCS = Path(__file__).resolve().parents[3] / "docs"
TUTORIAL = (DOCS / "tutorial" / "first-project.md").read_text(encoding="utf-8")
RECORD = (DOCS / "how-to" / "read-and-verify-the-record.md").read_text(encoding="utf-8")
NAMES = (DOCS / "how-to" / "request-a-project.md").read_text(encoding="utf-8")
BESIDE_STEPS = 4
"""Events of a run before its last answer that no step makes: request, first answer, plan, end."""


@pytest.fixture
def plan() -> Plan:
    filled = re.search(r"^cat > request\.md <<'MARKDOWN'\n(.*?)^MARKDOWN$", TUTORIAL, re.DOTALL | re.MULTILINE)
    assert filled
    request = parse(filled[1])
    assert isinstance(request, ProjectRequest), request
    return plan_for(App().ports, request, a_connection(), 2026)[0]


def test_the_tutorial_shows_the_steps_of_its_plan(plan: Plan) -> None:
    shown = re.findall(r"^((?:github|azure_devops)\.\w+)(?:  +([\w.,]+))?$", TUTORIAL, re.MULTILINE)
    assert dict(shown) == {step.id: ",".join(step.depends_on) for step in plan.steps}


def test_the_tutorial_counts_the_steps_and_events_of_its_plan(plan: Plan) -> None:
    steps, events = len(plan.steps), len(plan.steps) + BESIDE_STEPS
    assert {int(n) for n in re.findall(r'"total":(\d+)', TUTORIAL)} == {steps}
    assert f'"state":"completed","done":{steps},' in TUTORIAL
    assert re.findall(r"record of (\d+) events", TUTORIAL) == [str(events)]
    assert re.findall(r'"size":(\d+),.*?"checked":(\d+)', TUTORIAL) == [(str(events + 1), str(events + 1))]


def test_the_guide_to_the_record_counts_the_same(plan: Plan) -> None:
    events = len(plan.steps) + BESIDE_STEPS
    assert re.findall(r"^(\d+)  github:issue:answered +answer\.concluded", RECORD, re.MULTILINE) == [str(events)]
    assert re.findall(r'"size":(\d+),.*?"checked":(\d+)', RECORD) == [(str(events + 1), str(events + 1))]
    assert re.findall(r"\.events\[:(\d+)\]", RECORD) == [str(events)]
    assert re.findall(r"^(\d+) events, root", RECORD, re.MULTILINE) == [str(events + 1), str(events)]


def test_the_longest_names_are_as_long_as_it_says() -> None:
    rows = re.findall(r"such as `(.)` \| (\d+) characters \| (\d+) \|", NAMES)
    assert len(rows) == 3
    contoso = a_connection(
        azure_devops={"organization_url": "https://dev.azure.com/contoso", "credential": {"kind": "entra"}}
    )
    for letter, each, most in rows:
        assert 3 * len(letter.encode()) == int(each)
        assert faults_with(a_request(name="a" + letter * int(most)), contoso) == ()
        (fault,) = faults_with(a_request(name="a" + letter * (int(most) + 1)), contoso)
        assert fault.field == "name"
        assert "500 are the most" in fault.problem
    assert faults_with(a_request(name="a" * 64), contoso) == ()
