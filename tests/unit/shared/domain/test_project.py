"""Names both forges accept, and requests: a valid one can be carried out, an invalid one names its field."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.faults import faults_of
from shared.domain.forge import BranchRules, ForgeName
from shared.domain.plan import Plan
from shared.domain.project import Process, ProjectRequest, Stack, name_faults, slug_of
from shared.projects.admission import faults_with
from shared.projects.backlog import items
from shared.projects.drawing import digest_of
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"]), min_size=1, max_size=64)
TITLES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=80)
REQUESTS = st.builds(
    lambda **given: given,
    name=NAMES.filter(lambda name: not name_faults(name)),
    owner=st.sampled_from(["casey", "acme/leads", "casey@acme.example"]),
    stack=st.just(Stack.FASTAPI),
    description=TITLES,
    process=st.sampled_from(Process),
    visibility=st.sampled_from(["private", "public"]),
    forges=st.sets(st.sampled_from(ForgeName), min_size=1),
    backlog=st.lists(TITLES, max_size=6),
)


@given(st.text(max_size=70))
def test_a_name_without_faults_makes_a_repository_name(name):
    if not name_faults(name):
        assert re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", slug_of(name))
        assert not set(name) & set("\\/:*?\"'<>|;#$*{},+=[]~&%@")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "0 characters"),
        ("x" * 65, "65 characters"),
        ("a/b", "holds /"),
        ("a\tb", "control character"),
        ("a\x85b", "control character"),
        ("a\ud800", "control character"),
        ("_x", "underscore"),
        (".x", "period"),
        ("x.", "period"),
        ("CON", "reserves"),
        ("com10", "reserves"),
        (" x", "white space"),
        ("漢字", "no letter or digit"),
    ],
)
def test_faulty_names_say_why(name, problem):
    assert any(problem in fault for fault in name_faults(name))


@pytest.mark.parametrize("name", ["x", "Order Desk", "größe", "決済 API", "com11", "a" * 64, "v1.2"])
def test_good_names_have_no_faults(name):
    assert name_faults(name) == []


@pytest.mark.parametrize(
    ("name", "slug"), [("Größe & Maß", "grosse-mass"), ("\uff21\uff50\uff50", "app"), ("--a__b--", "a-b"), ("漢", "")]
)
def test_slugs(name, slug):
    assert slug_of(name) == slug


@settings(max_examples=60, deadline=None)
@given(REQUESTS)
def test_a_valid_request_draws_a_plan_and_renders_its_scaffold_or_is_refused_by_field(values):
    request = ProjectRequest.model_validate(values)
    connection = a_connection()
    if faults := faults_with(request, connection):
        assert [fault.field for fault in faults] == ["name"]
        return
    plan, scaffolds = plan_for(App().ports, request, connection, 2026)
    assert all(scaffolds.values())
    again = Plan.model_validate_json(plan.model_dump_json())  # validates that it is a graph without cycles
    assert again == plan
    assert digest_of(again) == digest_of(plan)
    assert {step.forge for step in plan.steps} == request.forges
    keys = [item.key for item in items(request)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": "a/b"}),
        ("name", {"name": "a\u202eb"}),
        ("owner", {"owner": "not a login"}),
        ("owner", {"owner": ""}),
        ("stack", {"stack": "cobol"}),
        ("description", {"description": "x" * 351}),
        ("description", {"description": "a\u200bb"}),
        ("process", {"process": "waterfall"}),
        ("visibility", {"visibility": "internal"}),
        ("forges", {"forges": []}),
        ("rules.minimum_reviewers", {"rules": {"minimum_reviewers": 7}}),
        ("rules", {"forges": ["github"], "rules": {"require_linked_work_items": True}}),
        ("backlog", {"backlog": ["x" * 256]}),
        ("backlog", {"backlog": ["hidden \u202e text"]}),
        ("backlog", {"backlog": ["x"] * 51}),
        ("surprise", {"surprise": 1}),
    ],
)
def test_an_invalid_request_names_its_field(field, changes):
    with pytest.raises(ValidationError) as caught:
        a_request(**changes)
    assert [fault.field for fault in faults_of(caught.value)] == [field]


def test_faults_carry_the_example_of_their_field():
    with pytest.raises(ValidationError) as caught:
        a_request(owner="?")
    (fault,) = faults_of(caught.value, {"owner": "octocat"})
    assert fault.example == "octocat"


def test_text_becomes_one_line_and_sets_are_written_in_order():
    request = a_request(description="one\n two", backlog=["  Take   an order ", " "], rules=BranchRules())
    assert request.description == "one two"
    assert request.backlog == ("Take an order",)
    assert request.model_dump(mode="json")["forges"] == ["azure_devops", "github"]


def test_features_that_differ_in_signs_alone_are_all_kept():
    request = a_request(backlog=["Support C", "Support C#", "Support C++", "support c", "漢字", "x" * 100, "x" * 99])
    asked = [item.title for item in items(request) if item.key.startswith("asked-")]
    assert asked == ["Support C", "Support C#", "Support C++", "漢字", "x" * 100, "x" * 99]


def test_a_feature_keeps_its_key_wherever_it_stands_in_the_list():
    first = {item.title: item.key for item in items(a_request(backlog=["A", "B"]))}
    second = {item.title: item.key for item in items(a_request(backlog=["B", "A"]))}
    assert first == second


@pytest.mark.parametrize("process", Process)
def test_every_process_has_its_own_hierarchy_with_parents_before_children(process):
    seen: dict[str, str] = {}
    for item in items(a_request(process=process, backlog=["Braces {name} stay"])):
        assert item.parent is None or item.parent in seen
        seen[item.key] = item.type
    assert ("Feature" in seen.values()) == (process is not Process.BASIC)
    assert any(item.title == "Braces {name} stay" for item in items(a_request(backlog=["Braces {name} stay"])))


@pytest.mark.parametrize("names", [["a b", "a-b"], ["Staging", "staging"], ["x", "y", "X"]])
def test_environments_that_a_pipeline_could_not_tell_apart_are_refused(names):
    with pytest.raises(ValidationError, match="cannot be told apart"):
        ProjectRequest.model_validate(
            {"name": "P", "owner": "casey", "stack": "fastapi", "environments": [{"name": name} for name in names]}
        )
