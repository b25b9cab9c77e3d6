"""Required builds on both forges: set beside what is there, read back, enforced at a merge, and taken off again."""

import pytest

from shared.domain.forge import BranchRules
from shared.errors import RefusedError
from tests.integration.adapters.test_github_settings import SHOP, forge, plan, sandbox

__all__ = ["forge", "plan", "sandbox"]

BUILDS = ["Unit tests", "Build image"]
LATER = "not/yet"
RULES = BranchRules(require_build=False)


@pytest.fixture(params=["main", LATER])
def branch(request, forge):
    """One under branch protection, and one under a ruleset since it is not there yet."""
    forge.protect_branch(SHOP, request.param, RULES)
    return request.param


def test_they_are_required_strictly_and_read_back(forge, branch):
    assert forge.required_builds(SHOP, branch) == {}
    forge.require_builds(SHOP, branch, BUILDS)
    assert forge.required_builds(SHOP, branch) == dict.fromkeys(BUILDS, True)
    assert forge.branch_rules(SHOP, branch) == BranchRules()


def test_setting_the_rules_again_keeps_them(forge, branch):
    forge.require_builds(SHOP, branch, BUILDS)
    changed = BranchRules(minimum_reviewers=2, require_resolved_comments=False)
    forge.protect_branch(SHOP, branch, changed)
    assert forge.required_builds(SHOP, branch) == dict.fromkeys(BUILDS, True)
    assert forge.branch_rules(SHOP, branch) == changed


def test_what_others_require_stays(forge, branch):
    forge.require_builds(SHOP, branch, ["theirs"])
    forge.require_builds(SHOP, branch, BUILDS)
    forge.require_builds(SHOP, branch, BUILDS)
    assert forge.required_builds(SHOP, branch) == dict.fromkeys(["theirs", *BUILDS], True)
    forge.remove_required_builds(SHOP, branch, BUILDS)
    forge.remove_required_builds(SHOP, branch, BUILDS)
    assert forge.required_builds(SHOP, branch) == {"theirs": True}


def test_without_the_last_one_the_rules_are_as_before(forge, branch):
    before = forge.branch_rules(SHOP, branch)
    forge.require_builds(SHOP, branch, BUILDS)
    forge.remove_required_builds(SHOP, branch, BUILDS)
    assert forge.required_builds(SHOP, branch) == {}
    assert forge.branch_rules(SHOP, branch) == before


def test_the_first_one_leaves_all_other_settings_of_the_protection(forge):
    forge.protect_branch(SHOP, "main", BranchRules(minimum_reviewers=3, allow_force_push=True))
    before = forge._protection(SHOP, "main")
    forge.require_builds(SHOP, "main", BUILDS)
    after = {name: part for name, part in forge._protection(SHOP, "main").items() if name != "required_status_checks"}
    assert after == before


def test_one_that_need_not_be_up_to_date_is_no_requirement_and_becomes_one(forge):
    forge.protect_branch(SHOP, "main", RULES)
    forge.require_builds(SHOP, "main", BUILDS)
    url = f"/repos/{SHOP}/branches/main/protection/required_status_checks"
    forge._client.request("PATCH", url, {"strict": False})
    assert forge.required_builds(SHOP, "main") == dict.fromkeys(BUILDS, False)
    forge.require_builds(SHOP, "main", BUILDS)
    assert forge.required_builds(SHOP, "main") == dict.fromkeys(BUILDS, True)


def test_a_branch_without_rules_is_refused_with_the_remedy(forge):
    assert forge.required_builds(SHOP, LATER) == {}
    with pytest.raises(RefusedError, match="no rules") as caught:
        forge.require_builds(SHOP, LATER, BUILDS)
    assert caught.value.remedy
    forge.remove_required_builds(SHOP, LATER, BUILDS)


def test_a_pull_request_is_not_merged_before_its_checks_are_green(forge):
    """The protection with its checks as the simulator enforces it, since a check that never reports blocks for good."""
    head = forge.branch_head(SHOP, "main")
    request = forge._client.request
    request("POST", f"/repos/{SHOP}/git/refs", {"ref": "refs/heads/work", "sha": head})
    content = {"message": "Work", "branch": "work", "content": "YQ=="}
    request("PUT", f"/repos/{SHOP}/contents/a.txt", content)
    number = request("POST", f"/repos/{SHOP}/pulls", {"title": "Work", "head": "work", "base": "main"})[1]["number"]
    forge.protect_branch(SHOP, "main", BranchRules(minimum_reviewers=0))
    forge.require_builds(SHOP, "main", ["Unit tests"])
    merge = f"/repos/{SHOP}/pulls/{number}/merge"
    with pytest.raises(RefusedError, match="Unit tests"):
        request("PUT", merge, {"merge_method": "squash"})
    sha = forge.branch_head(SHOP, "work")
    request("POST", f"/repos/{SHOP}/statuses/{sha}", {"state": "success", "context": "Unit tests"})
    request("PUT", merge, {"merge_method": "squash"})
    assert forge.branch_head(SHOP, "main") not in {head, sha}
