"""Build policies of Azure Repos: one a pipeline, made once, made strict in place, and no other policy touched."""

import pytest

from shared.domain.forge import BranchRules, PipelineDefinition
from shared.errors import RefusedError, TransientError
from tests.integration.adapters.test_azure_devops import FILES, SHOP, forge, sandbox

__all__ = ["forge", "sandbox"]

BUILD = "0609b952-1397-4640-95ec-e00a01b2c241"


@pytest.fixture
def pipeline(forge):
    forge.commit_files(SHOP, "main", {**FILES, "azure-pipelines.yml": b"steps: []\n"}, message="Begin")
    wanted = PipelineDefinition(name="CI", repository=SHOP, yaml_path="/azure-pipelines.yml")
    return forge.create_pipeline("Shop", wanted).id


def policies(sandbox):
    return [p for p in sandbox.project()["policies"].values() if p["type"] == BUILD and not p["deleted"]]


def test_it_blocks_until_a_build_of_what_would_be_merged_is_green(sandbox, forge, pipeline):
    assert forge.required_builds(SHOP, "main") == {}
    forge.require_builds(SHOP, "main", [pipeline])
    assert forge.required_builds(SHOP, "main") == {pipeline: True}
    assert forge.required_builds(SHOP, "other") == {}
    (policy,) = policies(sandbox)
    assert (policy["enabled"], policy["blocking"]) == (True, True)
    assert policy["settings"] | {"scope": []} == {
        "buildDefinitionId": int(pipeline),
        "manualQueueOnly": False,
        "queueOnSourceUpdateOnly": False,
        "validDuration": 0,
        "scope": [],
    }


def test_an_answer_lost_after_the_effect_makes_no_twin(sandbox, forge, pipeline):
    sandbox.lose_answer("POST", "/policy/configurations")
    with pytest.raises(TransientError):
        forge.require_builds(SHOP, "main", [pipeline])
    forge.require_builds(SHOP, "main", [pipeline])
    assert len(policies(sandbox)) == 1
    assert policies(sandbox)[0]["revision"] == 1


@pytest.mark.parametrize(
    "weaker",
    [
        {"blocking": False},
        {"enabled": False},
        {"manualQueueOnly": True},
        {"queueOnSourceUpdateOnly": True, "validDuration": 720},
    ],
)
def test_a_weaker_one_is_seen_and_made_strict_in_place(sandbox, forge, pipeline, weaker):
    forge.require_builds(SHOP, "main", [pipeline])
    (policy,) = policies(sandbox)
    policy |= {name: value for name, value in weaker.items() if name in policy}
    policy["settings"] |= {name: value for name, value in weaker.items() if name not in policy}
    policy["settings"]["displayName"] = "Ours"
    assert forge.required_builds(SHOP, "main") == {pipeline: False}
    forge.require_builds(SHOP, "main", [pipeline])
    assert forge.required_builds(SHOP, "main") == {pipeline: True}
    (same,) = policies(sandbox)
    assert (same["id"], same["settings"]["displayName"]) == (policy["id"], "Ours")


def test_one_that_looks_at_paths_is_somebody_elses(sandbox, forge, pipeline):
    forge.require_builds(SHOP, "main", [pipeline])
    policies(sandbox)[0]["settings"]["filenamePatterns"] = ["/docs/*"]
    assert forge.required_builds(SHOP, "main") == {}
    forge.require_builds(SHOP, "main", [pipeline])
    assert len(policies(sandbox)) == 2
    forge.remove_required_builds(SHOP, "main", [pipeline])
    assert [policy["settings"].get("filenamePatterns") for policy in policies(sandbox)] == [["/docs/*"]]


def test_rules_and_build_are_set_and_taken_off_without_one_another(sandbox, forge, pipeline):
    forge.require_builds(SHOP, "main", [pipeline])
    assert forge.branch_rules(SHOP, "main") is None
    forge.protect_branch(SHOP, "main", BranchRules())
    assert forge.branch_rules(SHOP, "main") == BranchRules()
    forge.remove_branch_rules(SHOP, "main")
    assert forge.required_builds(SHOP, "main") == {pipeline: True}
    forge.protect_branch(SHOP, "main", BranchRules())
    forge.remove_required_builds(SHOP, "main", [pipeline])
    forge.remove_required_builds(SHOP, "main", [pipeline])
    assert policies(sandbox) == []
    assert forge.branch_rules(SHOP, "main") == BranchRules(require_build=False)


def test_a_pipeline_that_is_not_there_is_refused(forge, pipeline):
    with pytest.raises(RefusedError):
        forge.require_builds(SHOP, "main", ["4711"])
    assert forge.required_builds(SHOP, "main") == {}


def test_of_a_repository_that_is_not_there_nothing_is_required(forge):
    nowhere = SHOP.model_copy(update={"name": "nowhere"})
    assert forge.required_builds(nowhere, "main") == {}
    forge.remove_required_builds(nowhere, "main", ["1"])
    with pytest.raises(RefusedError, match="no repository"):
        forge.require_builds(nowhere, "main", ["1"])
