from __future__ import annotations

import pytest

from shared.agents import Agent, agents
from shared.agents.routing import Routing, chosen, read_routing, routing
from shared.definitions.load import HERE
from shared.domain.change import ChangeEvidence
from shared.domain.definition import ChangeKind
from shared.domain.review import AgentName
from shared.errors import DefectError
from tests.fakes.changes import UNKNOWN, a_change, evidence, file, item

D, Q, S, R, P = AgentName


@pytest.mark.parametrize(
    ("seen", "names"),
    [
        (evidence(), {S}),
        (evidence(file("app/a.py", None, "x = 1\n")), {D, Q, S}),
        (evidence(file("app/A.cs", None, "x\n")), {D, S}),
        (evidence(file("docs/a.md", None, "x\n")), {S}),
        (evidence(file("docs/a.md", None, "x\n", previous_path="app/a.py")), {D, Q, S}),
        (evidence(file("features/a.feature", None, "x\n")), {Q, S}),
        (evidence(file("CHANGELOG.md", None, "x\n")), {R, S}),
        (evidence(kinds=(ChangeKind.HOTFIX,)), {D, R, S}),
        (evidence(kinds=(ChangeKind.DOCUMENTATION,)), {S}),
        (evidence(items=(item(1, "Bug"),)), {Q, S}),
        (evidence(items=(item(1, "Feature"),)), {P, S}),
        (evidence(items=(item(1, "Task"),)), {S}),
        (evidence(change=a_change(labels=("Release",))), {R, S}),
        (evidence(items=(item(1, "Task", tags=("flaky",)),)), {Q, S}),
    ],
)
def test_agents_are_chosen_by_paths_kinds_items_and_labels(seen, names):
    assert set(chosen(seen)) == names


@pytest.mark.parametrize("label", ["agents: none", "Agents: None"])
def test_a_label_keeps_all_but_the_security_agent_away(label):
    seen = evidence(
        file("app/a.py", None, "x = 1\n"),
        items=(item(1),),
        kinds=(ChangeKind.FEATURE,),
        change=a_change(labels=(label,)),
    )
    assert chosen(seen) == (S,)


@pytest.mark.parametrize("part", ["files", "items", "kinds"])
def test_what_is_not_known_keeps_nobody_away(part):
    known = chosen(evidence(file("docs/a.md", None, "x\n")))
    assert set(chosen(evidence(**{part: UNKNOWN}))) > set(known)


def test_a_label_that_may_be_on_an_unknown_item_is_no_exception():
    seen = evidence(file("app/a.py", None, "x = 1\n"), items=UNKNOWN)
    assert {D, Q, S} <= set(chosen(seen))
    labelled = seen.model_copy(update={"change": a_change(labels=("agents: none",))})
    assert chosen(labelled) == (S,)


def test_every_agent_is_routed_and_there_is_a_file_for_each():
    assert {one.agent for one in routing().agents} == set(AgentName)
    assert set(agents()) == set(AgentName)


def test_agents_say_what_they_read_and_return():
    for agent in agents().values():
        assert isinstance(agent, Agent)
        assert set(agent.reads) <= set(ChangeEvidence.model_fields)
        assert len(set(agent.returns)) == len(agent.returns)
        assert agent.examines.endswith(".")
        assert agent.asks.endswith(".")


def test_an_agent_sees_only_what_it_says_that_it_reads():
    """What it does not name may be anything, and its opinions stay."""
    files = (file("app/a.py", None, "def f(x: int) -> int:\n    return x\n"),)
    full = evidence(*files, items=(item(1, body="It must work"),), kinds=(ChangeKind.FEATURE,))
    for agent in agents().values():
        shown = {name: getattr(full, name) for name in agent.reads}
        assert agent.analyse(ChangeEvidence(**shown)) == agent.analyse(full)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("agent: release", "agent: relase", r"agents\.yaml:\d+: agents\.3\.agent 'relase' is not one of"),
        ("agent: release", "agent: planning", "names each of"),
        ("  rules:\n  - {}\n", "  rules: []\n", r"agents\.2\.rules"),
        ("version: 1", "version: 0", "version"),
        ('  - labels: ["agents: none"]', "  - {}", "an exception without a condition always holds"),
        ("version: 1", "version: [", "is not YAML"),
        ("- agent: development", "- agent: development\n  colour: red", "colour"),
    ],
)
def test_routes_at_fault_are_named(tmp_path, old, new, told):
    text = (HERE / "agents.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "agents.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DefectError, match=told):
        read_routing(path)


def test_missing_routes_are_named(tmp_path):
    with pytest.raises(DefectError, match=r"agents\.yaml is missing"):
        read_routing(tmp_path / "agents.yaml")


def test_other_routes_may_be_given():
    everybody = Routing.model_validate(
        {"version": 1, "agents": [{"agent": name, "rules": [{"paths": ["**/*.md"]}]} for name in AgentName]}
    )
    assert chosen(evidence(file("a.md", None, "x\n")), everybody) == tuple(AgentName)
    assert chosen(evidence(file("a.py", None, "x\n")), everybody) == ()
