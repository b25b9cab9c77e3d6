"""Branch rules where branch protection cannot hold them: a ruleset says the same and reads back the same."""

import pytest

from local.sandbox.github.app import build_github
from local.sandbox.seed import apply_seed
from local.sandbox.state import State
from shared.adapters.github import normalised
from shared.adapters.github.rulesets import name_for
from shared.domain.forge import BranchRules, MergeKind
from shared.errors import NotSupportedError, RefusedError
from tests.integration.adapters.serving import served
from tests.integration.adapters.test_github_settings import SHOP, Sandbox, _seed, forge, plan, sandbox

__all__ = ["forge", "plan", "sandbox"]

RULES = [
    BranchRules(require_build=False),
    BranchRules(
        require_build=False,
        minimum_reviewers=2,
        reset_approvals_on_push=False,
        require_resolved_comments=False,
        allowed_merges=frozenset({MergeKind.SQUASH, MergeKind.REBASE}),
        allow_force_push=True,
        allow_deletion=True,
        enforce_for_administrators=False,
    ),
    BranchRules(require_build=False, minimum_reviewers=0, require_linked_work_items=True, author_may_approve=True),
]
LATER = "not/yet"


def _ours(forge):
    listed = forge._client.pages(f"/repos/{SHOP}/rulesets")
    return [ruleset for ruleset in listed if ruleset["name"] == name_for(LATER)]


@pytest.mark.parametrize("rules", RULES)
def test_a_branch_that_is_not_there_yet_is_ruled_and_read_back(forge, rules):
    assert forge.branch_rules(SHOP, LATER) is None
    forge.protect_branch(SHOP, LATER, rules)
    assert forge.branch_rules(SHOP, LATER) == normalised(rules)
    assert forge.branch_rules(SHOP, "main") is None


def test_a_ruleset_whose_answer_was_lost_is_made_once_and_changed_in_place(sandbox, forge):
    sandbox.losing("POST", "/rulesets", lambda: forge.protect_branch(SHOP, LATER, RULES[0]))
    sandbox.losing("PUT", "/rulesets/", lambda: forge.protect_branch(SHOP, LATER, RULES[1]))
    forge.protect_branch(SHOP, LATER, RULES[1])
    assert len(_ours(forge)) == 1
    assert forge.branch_rules(SHOP, LATER) == normalised(RULES[1])


def test_once_the_branch_is_there_the_ruleset_stays_the_one_place(forge):
    forge.protect_branch(SHOP, LATER, RULES[0])
    head = forge.branch_head(SHOP, "main")
    forge._client.request("POST", f"/repos/{SHOP}/git/refs", {"ref": f"refs/heads/{LATER}", "sha": head})
    assert forge.branch_rules(SHOP, LATER) == RULES[0]
    forge.protect_branch(SHOP, LATER, RULES[1])
    assert forge.branch_rules(SHOP, LATER) == RULES[1]
    assert forge._protection(SHOP, LATER) is None


@pytest.mark.parametrize(
    "change",
    [
        {"enforcement": "disabled"},
        {"rules": [{"type": "deletion"}]},
        {"conditions": {"ref_name": {"include": ["refs/heads/other"], "exclude": []}}},
    ],
)
def test_a_ruleset_that_no_longer_enforces_them_counts_for_nothing(forge, change):
    forge.protect_branch(SHOP, LATER, RULES[0])
    forge._client.request("PUT", f"/repos/{SHOP}/rulesets/{_ours(forge)[0]['id']}", change)
    assert forge.branch_rules(SHOP, LATER) is None
    forge.protect_branch(SHOP, LATER, RULES[0])
    assert forge.branch_rules(SHOP, LATER) == RULES[0]


def test_whoever_may_not_write_rules_is_refused_with_the_remedy(sandbox):
    with pytest.raises(RefusedError) as caught:
        sandbox.forge("few").protect_branch(SHOP, LATER, RULES[0])
    assert caught.value.remedy


def test_a_plan_that_lacks_both_is_not_supported():
    state = State()
    apply_seed(state, {"github": _seed("free")})
    with served(lambda url: build_github(state, base_url=url)) as (url, app):
        lacking = Sandbox(url, app).forge()
        with pytest.raises(NotSupportedError):
            lacking.protect_branch(SHOP, LATER, RULES[0])
        with pytest.raises(NotSupportedError):
            lacking.branch_rules(SHOP, LATER)
