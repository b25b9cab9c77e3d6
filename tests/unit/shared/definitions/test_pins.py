"""What was shipped under a version stays what that version is: a change without a new version is told, with what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
import yaml

from shared.audit.encoding import canonical_json
from shared.definitions.load import HERE, definition_of_done, ticket_lifecycle
from shared.domain.definition import DefinitionOfDone, Pin
from shared.domain.policy import Policy
from shared.policies.parsing import shipped_policy
from shared.policies.pinning import pin

PINS = "shared/definitions/pins.yaml"
VERSION_IN = {
    "definition_of_done": "shared/definitions/definition_of_done/definition.yaml",
    "ticket_lifecycle": "shared/definitions/ticket_lifecycle.yaml",
    "policy": "shared/definitions/policy.yaml",
}


@dataclass(frozen=True)
class Written:
    """What is written down of one definition: the digest of each of its versions."""

    name: str
    digests: Mapping[int, str]

    def fault_with(self, now: Pin) -> str:
        """What is wrong with the definition as it is ``now`` and what to do; empty when nothing is."""
        newest = max(self.digests)
        line = f"{now.digest}` under {self.name} of {PINS}"
        if now.version > newest + 1 or now.version < newest:
            return (
                f"{self.name}: the newest version is {newest}; set `version: {newest + 1}` in {VERSION_IN[self.name]}"
            )
        if now.version not in self.digests:
            return f"{self.name}: version {now.version} is not written down yet; add `{now.version}: {line}"
        if self.digests[now.version] != now.digest:
            return (
                f"{self.name} changed and is still called version {now.version}, which is pinned as something else: "
                f"set `version: {newest + 1}` in {VERSION_IN[self.name]}, run this test again and add the digest it tells"
            )
        return ""


def written() -> dict[str, Written]:
    whole = yaml.safe_load((HERE / "pins.yaml").read_text(encoding="utf-8"))
    return {name: Written(name, digests) for name, digests in whole.items()}


def policy_pin(policy: Policy) -> Pin:
    """Of what the policy says, wherever in its file it says so."""
    said = policy.model_dump(mode="json", exclude={"rules": {"__all__": {"line"}}})
    return Pin(
        name="policy", version=policy.version, digest="sha256:" + hashlib.sha256(canonical_json(said)).hexdigest()
    )


def shipped() -> list[Pin]:
    return [pin(definition_of_done()), pin(ticket_lifecycle()), policy_pin(shipped_policy())]


def with_another_remedy(definition: DefinitionOfDone, version: int = 1) -> DefinitionOfDone:
    first, *others = definition.criteria
    changed = first.model_copy(update={"remedy": "Do something else about it."})
    return definition.model_copy(update={"version": version, "criteria": (changed, *others)})


@pytest.mark.parametrize("now", shipped(), ids=lambda one: one.name)
def test_each_version_that_ships_is_what_was_written_down_for_it(now: Pin) -> None:
    fault = written()[now.name].fault_with(now)
    assert not fault, fault


def test_versions_are_written_down_without_a_gap_for_all_that_ships() -> None:
    assert written().keys() == VERSION_IN.keys() == {now.name for now in shipped()}
    for one in written().values():
        assert list(one.digests) == list(range(1, max(one.digests) + 1))
        assert len(set(one.digests.values())) == len(one.digests)


def test_a_changed_criterion_under_an_old_version_is_told_what_to_do() -> None:
    newest = definition_of_done().version
    told = written()["definition_of_done"].fault_with(pin(with_another_remedy(definition_of_done(), newest)))
    assert "definition_of_done changed" in told
    assert f"`version: {newest + 1}` in {VERSION_IN['definition_of_done']}" in told


def test_a_new_version_is_told_the_line_to_add() -> None:
    newest = definition_of_done().version
    now = pin(with_another_remedy(definition_of_done(), newest + 1))
    assert f"add `{newest + 1}: {now.digest}`" in written()["definition_of_done"].fault_with(now)


@pytest.mark.parametrize("version", [1, 4])
def test_a_version_that_goes_back_or_leaves_one_out_is_told(version: int) -> None:
    one = Written("policy", {1: "sha256:" + "1" * 64, 2: "sha256:" + "2" * 64})
    assert "`version: 3`" in one.fault_with(Pin(name="policy", version=version, digest="sha256:" + "1" * 64))


def test_a_policy_is_the_same_wherever_its_lines_stand_and_another_when_it_says_something_else() -> None:
    policy = shipped_policy()
    name, rule = next(iter(policy.rules.items()))
    moved = policy.model_copy(update={"rules": policy.rules | {name: rule.model_copy(update={"line": rule.line + 1})}})
    assert policy_pin(moved) == policy_pin(policy)
    fewer = policy.model_copy(update={"rules": {one: said for one, said in policy.rules.items() if one != name}})
    assert policy_pin(fewer).digest != policy_pin(policy).digest
