"""A file is validated as a whole: every field at fault is named with its path, wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.portfolio import MOST_PROJECTS, Portfolio, as_json, features_of
from shared.projects.portfolio.parsing import parse
from tests.fakes.portfolios import EPIC, a_file, a_portfolio


def faults(value: dict[str, Any]) -> dict[str, str]:
    parsed = parse(value)
    assert (parsed.portfolio is None) == bool(parsed.faults)
    return {fault.field: fault.problem for fault in parsed.faults}


def test_a_file_becomes_a_portfolio_with_its_defaults():
    portfolio = a_portfolio(a_file(epics=[EPIC]))
    assert portfolio.id == "shop"
    assert [(r.project_id, r.owner, r.stack.value) for r in portfolio.projects] == [
        ("order-desk", "casey", "fastapi"), ("price-list", "casey", "fastapi"), ("web-shop", "casey", "fastapi")
    ]  # fmt: skip
    (epic,) = portfolio.epics
    assert [member.project_id for member in portfolio.members(epic)] == ["order-desk", "web-shop"]
    assert features_of(epic, "order-desk") == ("Accept the shared token",)
    assert features_of(epic, "web-shop") == ()


def test_a_project_of_a_file_may_have_further_repositories_and_faults_in_them_have_their_path():
    shop = {"name": "Web shop", "stack": "react", "repositories": [{"name": "shop-notes", "forges": ["github"]}]}
    portfolio = a_portfolio(a_file(projects=[shop], epics=[]))
    (request,) = portfolio.projects
    assert [one.name for one in request.repositories] == ["shop-notes"]
    assert Portfolio.model_validate_json(as_json(portfolio)) == portfolio
    wrong = shop | {"repositories": [{"name": "shop-notes"}, {"name": "x.git"}]}
    assert list(faults(a_file(projects=[wrong], epics=[]))) == ["projects.0.repositories.1.name"]


def test_what_is_stored_is_read_again_as_it_was():
    for epics in ([EPIC], [{"title": "All", "projects": "all"}], [{"title": "All"}]):
        portfolio = a_portfolio(a_file(epics=epics))
        assert Portfolio.model_validate_json(as_json(portfolio)) == portfolio


def test_a_projects_own_fields_win_and_rules_one_by_one():
    defaults = {
        "owner": "casey",
        "stack": "flask",
        "rules": {"minimum_reviewers": 2, "require_resolved_comments": False},
    }
    projects = [{"name": "A", "stack": "django", "rules": {"minimum_reviewers": 3}}, {"name": "B"}]
    first, second = a_portfolio(a_file(defaults=defaults, projects=projects)).projects
    assert (first.stack.value, second.stack.value) == ("django", "flask")
    assert (first.rules.minimum_reviewers, first.rules.require_resolved_comments) == (3, False)
    assert second.rules.minimum_reviewers == 2


def test_every_field_of_every_project_is_named_with_its_path():
    file = {
        "name": "Shop",
        "connection": "Not An Id",
        "projects": [
            {"name": "A", "owner": "casey"},
            "no object",
            {"name": "B:C", "owner": "not an owner", "stack": "cobol", "surprise": 1},
            {"name": "D", "owner": "casey", "stack": "flask", "teams": [{"name": ""}]},
        ],
        "epics": [
            {"title": "", "projects": []},
            {"title": "X", "projects": ["D", "Nowhere"], "features": {"A": ["f"]}},
        ],
        "extra": 1,
    }
    assert set(faults(file)) == {
        "connection", "extra", "projects.1", "projects.1.name", "projects.1.owner", "projects.1.stack", "projects.0.stack",
        "projects.2.name", "projects.2.owner", "projects.2.stack", "projects.2.surprise", "projects.3.teams.0.name",
        "epics.0.title", "epics.0.projects", "epics.1.projects.1", "epics.1.features.A",
    }  # fmt: skip


def test_a_default_at_fault_is_one_fault():
    file = a_file(defaults={"owner": "casey", "stack": "cobol", "rules": {"minimum_reviewers": 9}})
    file["projects"][0]["rules"] = {"allow_deletion": True}
    assert set(faults(file)) == {"defaults.stack", "defaults.rules.minimum_reviewers"}


def test_a_projects_own_fault_is_its_own_though_there_is_a_default():
    file = a_file(defaults={"owner": "casey", "stack": "fastapi", "rules": {"minimum_reviewers": 2}})
    file["projects"][1] |= {"stack": "cobol", "rules": {"minimum_reviewers": 9}}
    assert set(faults(file)) == {"projects.1.stack", "projects.1.rules.minimum_reviewers"}


@pytest.mark.parametrize("names", [("Order Desk", "order-desk"), ("Größe", "grosse"), ("A", "B", "a")])
def test_names_that_make_one_id_collide(names):
    found = faults(a_file(*names))
    assert set(found) == {f"projects.{len(names) - 1}.name"}
    assert "projects.0.name" in found[f"projects.{len(names) - 1}.name"]


def test_collisions_are_told_beside_other_faults():
    file = a_file("A", "a")
    file["projects"][0]["stack"] = "cobol"
    assert set(faults(file)) == {"projects.0.stack", "projects.1.name"}


@pytest.mark.parametrize(
    ("epics", "field"),
    [
        ([EPIC | {"projects": "some"}], "epics.0.projects"),
        ([EPIC | {"features": {"Order Desk": ["x"], "Price List": ["y"]}}], "epics.0.features.Price List"),
        ([EPIC | {"features": {"Nobody": ["x"]}}], "epics.0.features.Nobody"),
        ([EPIC, EPIC | {"title": EPIC["title"].upper()}], "epics.1.title"),
        ([EPIC | {"acceptance": [""]}], "epics.0.acceptance.0"),
    ],
)
def test_epics_name_projects_of_the_file_alone_and_once(epics, field):
    assert set(faults(a_file(epics=epics))) == {field}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "Not A Slug"}, "id"),
        ({"name": "日本"}, "name"),
        ({"projects": []}, "projects"),
        ({"projects": {"a": 1}}, "projects"),
        ({"projects": [{"name": f"P{n}"} for n in range(MOST_PROJECTS + 1)]}, "projects"),
        ({"defaults": ["x"], "projects": [{"name": "A", "owner": "casey", "stack": "flask"}]}, "defaults"),
        ({"epics": "none"}, "epics"),
    ],
)
def test_the_file_itself_has_its_shape(changes, field):
    assert set(faults(a_file() | changes)) == {field}


def test_two_features_of_one_title_are_one():
    epic = EPIC | {"features": {"Order Desk": ["Same", "other", "same"]}}
    portfolio = a_portfolio(a_file(epics=[epic]))
    assert features_of(portfolio.epics[0], "order-desk") == ("Same", "other")


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "owner", "stack", "rules", "title", "projects", "features", "x"]), inner
        )
    ),
    max_leaves=12,
)


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["id", "name", "connection", "defaults", "projects", "epics", "x"]), JSON))
def test_any_file_is_a_portfolio_or_has_faults(value):
    parsed = parse(value)
    assert (parsed.portfolio is None) == bool(parsed.faults)
    assert all(fault.field and fault.problem for fault in parsed.faults)
