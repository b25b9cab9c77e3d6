"""Our status on GitHub: required beside the builds, taken for none of them, and bound to the App where there is one."""

import pytest

from shared.domain.forge import BranchRules
from shared.errors import RefusedError
from tests.integration.adapters.test_github_settings import SHOP, forge, plan, sandbox

__all__ = ["forge", "plan", "sandbox"]

STATUS = "doneright/review"
LATER = "not/yet"
RULES = BranchRules(require_build=False)


@pytest.fixture(params=["main", LATER])
def branch(request, forge):
    forge.protect_branch(SHOP, request.param, RULES)
    return request.param


def require(forge, branch):
    forge.require_status(SHOP, branch, "doneright", "review")


def test_it_is_required_and_read_back(forge, branch):
    assert forge.required_statuses(SHOP, branch) == {}
    require(forge, branch)
    require(forge, branch)
    assert forge.required_statuses(SHOP, branch) == {STATUS: True}


def test_it_is_no_build_and_leaves_the_rules_as_they_read(forge, branch):
    before = forge.branch_rules(SHOP, branch)
    require(forge, branch)
    assert forge.required_builds(SHOP, branch) == {}
    assert forge.branch_rules(SHOP, branch) == before


def test_builds_and_the_status_leave_one_another_alone(forge, branch):
    forge.require_builds(SHOP, branch, ["unit"])
    require(forge, branch)
    forge.require_builds(SHOP, branch, ["image"])
    assert forge.required_builds(SHOP, branch) == {"unit": True, "image": True}
    assert STATUS in forge.required_statuses(SHOP, branch)
    forge.remove_required_status(SHOP, branch, "doneright", "review")
    forge.remove_required_status(SHOP, branch, "doneright", "review")
    assert forge.required_builds(SHOP, branch) == {"unit": True, "image": True}
    assert STATUS not in forge.required_statuses(SHOP, branch)


def test_a_branch_without_rules_is_refused_with_the_remedy(forge):
    with pytest.raises(RefusedError) as refused:
        require(forge, "nowhere")
    assert "no rules" in refused.value.reason
    assert refused.value.remedy


def test_with_an_app_it_is_required_of_that_app_alone(forge, branch, monkeypatch):
    monkeypatch.setattr(forge, "_own_app", lambda: 4711)
    require(forge, branch)
    assert forge.required_statuses(SHOP, branch) == {STATUS: True}
    monkeypatch.setattr(forge, "_own_app", lambda: 815)
    assert forge.required_statuses(SHOP, branch) == {STATUS: False}
    require(forge, branch)
    assert forge.required_statuses(SHOP, branch) == {STATUS: True}
