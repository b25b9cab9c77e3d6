"""What was made in a repository is removed once, against the simulator with its contract on, with answers lost."""

import pytest

from shared.domain.forge import BranchRules, DeploymentEnvironment, Label, RepositoryRef, SecurityFeature
from shared.errors import RefusedError
from tests.integration.adapters.test_github_settings import OPEN, SHOP, forge, plan, sandbox

__all__ = ["forge", "plan", "sandbox"]

LATER = "not/yet"
P0 = Label(name="P0: now?", color="7f1d1d")
GONE = RepositoryRef(owner="acme", name="gone")


def _names(forge):
    return {label.name for label in forge.labels(SHOP)}


def test_a_label(sandbox, forge):
    forge.create_label(SHOP, P0)
    sandbox.losing("DELETE", "/labels/", lambda: forge.delete_label(SHOP, P0.name))
    forge.delete_label(SHOP, P0.name)
    assert P0.name not in _names(forge)
    assert "bug" in _names(forge)


@pytest.mark.parametrize("feature", list(SecurityFeature))
def test_a_security_feature_is_switched_off(sandbox, forge, feature):
    method = "DELETE" if feature is SecurityFeature.VULNERABILITY_ALERTS else "PATCH"
    for one in SecurityFeature:
        forge.enable_security(OPEN, one)
    sandbox.losing(method, "/repos/acme/open", lambda: forge.disable_security(OPEN, feature))
    forge.disable_security(OPEN, feature)
    assert forge.security(OPEN) == {one: one is not feature for one in SecurityFeature}


def test_an_environment(sandbox, forge):
    forge.set_deployment_environment(OPEN, DeploymentEnvironment(name="production (eu)", reviewers=("bob",)))
    forge.set_deployment_environment(OPEN, DeploymentEnvironment(name="staging"))
    sandbox.losing("DELETE", "/environments/", lambda: forge.delete_deployment_environment(OPEN, "Production (eu)"))
    forge.delete_deployment_environment(OPEN, "production (eu)")
    assert [one.name for one in forge.deployment_environments(OPEN)] == ["staging"]


def test_the_protection_of_a_branch(sandbox, forge):
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    sandbox.losing("DELETE", "/protection", lambda: forge.remove_branch_rules(SHOP, "main"))
    forge.remove_branch_rules(SHOP, "main")
    assert forge.branch_rules(SHOP, "main") is None
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    assert forge.branch_rules(SHOP, "main") == BranchRules(require_build=False)


def test_the_ruleset_for_a_branch(sandbox, forge):
    forge.protect_branch(SHOP, LATER, BranchRules(require_build=False))
    forge.protect_branch(SHOP, "other", BranchRules(require_build=False))
    sandbox.losing("DELETE", "/rulesets/", lambda: forge.remove_branch_rules(SHOP, LATER))
    forge.remove_branch_rules(SHOP, LATER)
    assert forge.branch_rules(SHOP, LATER) is None
    assert forge.branch_rules(SHOP, "other") == BranchRules(require_build=False)


def test_what_somebody_else_took_off_meanwhile_is_gone(forge, monkeypatch):
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    forge.protect_branch(SHOP, LATER, BranchRules(require_build=False))
    protection, ruleset = forge._protection(SHOP, "main"), forge._ruleset(SHOP, LATER)
    forge.remove_branch_rules(SHOP, "main")
    forge.remove_branch_rules(SHOP, LATER)
    seen = [protection, None]
    monkeypatch.setattr(forge, "_protection", lambda *_: seen.pop(0))
    rulesets = [ruleset, None]
    monkeypatch.setattr(forge, "_ruleset", lambda *_: rulesets.pop(0))
    forge.remove_branch_rules(SHOP, "main")
    assert seen == rulesets == []


@pytest.mark.parametrize("plan", ["free"])
def test_where_the_plan_has_no_rules_nothing_is_there_to_remove(forge):
    forge.remove_branch_rules(SHOP, "main")


def test_whoever_may_not_is_refused_with_the_remedy_and_it_stays(sandbox, forge):
    forge.create_label(SHOP, P0)
    forge.protect_branch(SHOP, "main", BranchRules(require_build=False))
    forge.protect_branch(SHOP, LATER, BranchRules(require_build=False))
    forge.set_deployment_environment(OPEN, DeploymentEnvironment(name="staging"))
    forge.enable_security(OPEN, SecurityFeature.VULNERABILITY_ALERTS)
    for refused in (
        lambda: sandbox.forge("none").delete_label(OPEN, "bug"),
        lambda: sandbox.forge("few").remove_branch_rules(SHOP, LATER),
        lambda: sandbox.forge("few").delete_deployment_environment(OPEN, "staging"),
        lambda: sandbox.forge("few").disable_security(OPEN, SecurityFeature.VULNERABILITY_ALERTS),
    ):
        with pytest.raises(RefusedError) as caught:
            refused()
        assert caught.value.remedy
    assert forge.branch_rules(SHOP, "main")
    assert forge.branch_rules(SHOP, LATER)
    assert forge.security(OPEN)[SecurityFeature.VULNERABILITY_ALERTS]
    assert [one.name for one in forge.deployment_environments(OPEN)] == ["staging"]
