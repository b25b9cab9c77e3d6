"""Where a plan has rulesets and no branch protection, the ruleset alone is asked and told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.adapters.github.rulesets import name_for
from shared.domain.forge import BranchRules, RepositoryRef
from tests.unit.shared.adapters.github.scripted import Answer, scripted

REF = RepositoryRef(owner="acme", name="shop")
PROTECTION = "/repos/acme/shop/branches/main/protection"
RULESETS = "/repos/acme/shop/rulesets"
LACKING = Answer(403, {"message": "Upgrade to GitHub Pro or make this repository public to enable this feature."})


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def server():
    with scripted() as script:
        script.on("GET", PROTECTION, LACKING)
        yield script


@pytest.fixture
def forge(server):
    return GitHubForge(PersonalAccessToken(token=SecretStr("t")), base_url=server.url, clock=Noon())


def test_rules_are_made_as_a_ruleset_and_read_back_as_the_same_rules(server, forge):
    server.on("GET", RULESETS, Answer(200, []))
    server.on("POST", RULESETS, Answer(201, {"id": 7}))
    assert forge.branch_rules(REF, "main") is None
    forge.protect_branch(REF, "main", BranchRules(minimum_reviewers=3, require_build=False))
    (sent,) = [asked.body for asked in server.asked if asked.method == "POST"]
    assert sent["conditions"] == {"ref_name": {"include": ["refs/heads/main"], "exclude": []}}
    server.on("GET", RULESETS, Answer(200, [{"id": 7, "name": name_for("main")}]))
    server.on("GET", RULESETS + "/7", Answer(200, {"id": 7, **sent}))
    assert forge.branch_rules(REF, "main") == BranchRules(minimum_reviewers=3, require_build=False)
    server.on("PUT", RULESETS + "/7", Answer(200, {"id": 7}))
    forge.protect_branch(REF, "main", BranchRules())
    assert [asked.method for asked in server.asked].count("POST") == 1


def test_a_ruleset_anyone_may_pass_by_does_not_bind_administrators(server, forge):
    parameters = {
        "required_approving_review_count": 9,
        "dismiss_stale_reviews_on_push": True,
        "required_review_thread_resolution": True,
    }
    ruleset = {
        "id": 7,
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["refs/heads/main"], "exclude": []}},
        "bypass_actors": [{"actor_id": 1, "actor_type": "Team", "bypass_mode": "always"}],
        "rules": [{"type": "pull_request", "parameters": parameters}],
    }
    server.on("GET", RULESETS, Answer(200, [{"id": 7, "name": name_for("main")}]))
    server.on("GET", RULESETS + "/7", Answer(200, ruleset))
    found = forge.branch_rules(REF, "main")
    assert (found.enforce_for_administrators, found.minimum_reviewers, len(found.allowed_merges)) == (False, 6, 3)
    assert found.allow_force_push
    assert found.allow_deletion
