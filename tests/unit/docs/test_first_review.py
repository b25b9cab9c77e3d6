"""What the tutorial about a first review has its reader do and see is what the product takes and plans."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from shared.definitions.load import definition_of_done
from shared.domain.policy import Level, Policy
from shared.policies.parsing import parse, shipped_policy
from shared.policies.resolving import resolve
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request

ROOT = Path(__file__).resolve().parents[3]
TUTORIAL = (ROOT / "docs" / "tutorial" / "first-review.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "how-to" / "require-reviews.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL, re.DOTALL | re.MULTILINE)


def policy_in(text: str) -> Policy:
    written = re.search(r"^cat > policy\.yaml <<'YAML'\n(.*?)^YAML$", text, re.DOTALL | re.MULTILINE)
    assert written
    found = parse(written[1], definition_of_done(), Level.ORGANISATION)
    assert isinstance(found, Policy), found
    assert set(found.rules) == {name for stage in yaml.safe_load(written[1])["stages"].values() for name in stage}
    return found


@pytest.mark.parametrize("text", [TUTORIAL, GUIDE], ids=["tutorial", "guide"])
def test_the_policies_that_are_set_are_taken(text: str) -> None:
    assert policy_in(text).rules


def test_what_is_shown_to_block_is_enforced() -> None:
    resolution = resolve(definition_of_done(), shipped_policy(), policy_in(TUTORIAL), None, None)
    shown = re.findall(r"^(\w+)\tunmet\t", TUTORIAL, re.MULTILINE)
    assert len(shown) > 10
    rules = [resolution.policy.rule(name) for name in shown]
    assert {rule.enforcement for rule in rules if rule} == {"enforced"}
    assert None not in rules


def test_where_reviews_block_the_plan_has_the_steps_that_are_told() -> None:
    asked = a_request(name="Price List", owner="casey", stack="fastapi", process="scrum")
    steps = plan_for(App().ports, asked, a_connection(review_mode="enforced"), 2026)[0].steps
    assert {int(number) for number in re.findall(r'"total":(\d+)', TUTORIAL)} == {len(steps)}
    shown = re.findall(r"^(\w+\.review_check)\t", TUTORIAL, re.MULTILINE)
    assert shown == [step.id for step in steps if step.kind == "review_check"]
    advised = plan_for(App().ports, asked, a_connection(), 2026)[0].steps
    assert len(steps) - len(advised) == 2


@pytest.mark.parametrize("block", BLOCKS, ids=[f"block {place}" for place in range(len(BLOCKS))])
def test_every_command_is_one_for_a_shell(block: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, timeout=20, check=False)
    assert checked.stderr == ""
