"""Writes the page of the agents: what each examines, reads and returns, and which changes it is asked about."""

from __future__ import annotations

from collections.abc import Iterator

from docs.generators.markdown import code, page, prose, table
from shared.agents import Agent, agents
from shared.agents.routing import Route, routing
from shared.domain.definition import AppliesWhen
from shared.domain.review import OpinionKind

_KINDS = {
    OpinionKind.CONCERN: "something that may be wrong",
    OpinionKind.PROPOSAL: "something to add, often as a suggestion to take",
    OpinionKind.TEST: "cases that tests lack, with a test file where one can be written by reading",
    OpinionKind.THREAT: "threats of a new data flow, each with a control and a test",
    OpinionKind.CHANGELOG: "an entry for the changelog",
    OpinionKind.VERSION: "the version that the change asks for",
    OpinionKind.SPLIT: "where to cut a large change",
    OpinionKind.ACCEPTANCE: "acceptance criteria in Given-When-Then, with a feature file",
    OpinionKind.DECOMPOSITION: "features and tasks of an epic, with what covers each requirement",
    OpinionKind.PRIORITY: "an order of work by weighted shortest job first",
}


def reference() -> str:
    """The page ``agents.md``. Raises ``KeyError`` when a kind of opinion has no meaning."""
    routes = {one.agent: one for one in routing().agents}
    blocks = [block for agent in agents().values() for block in _agent(agent, routes[agent.name])]
    kinds = table(("Kind", "What it offers"), [(code(kind), _KINDS[kind]) for kind in OpinionKind])
    return page(
        "Agents",
        "Each agent looks at a change from one side and gives opinions. No opinion blocks: only gates judge. [What agents may\n"
        "and may not do](../explanation/agents.md) says why, [add an agent](../how-to/add-an-agent.md) how to change them.",
        [*blocks, "## Kinds of opinions", kinds],
    )


def _agent(agent: Agent, route: Route) -> Iterator[str]:
    yield f"## {agent.name.capitalize()}"
    yield prose(agent.examines)
    rows = [
        ("Reads", ", ".join(code(name) for name in agent.reads)),
        ("Returns", ", ".join(code(kind) for kind in agent.returns)),
        ("Is asked when", "; or ".join(_when(rule) for rule in route.rules)),
        ("Stays away when", "; or ".join(_when(rule) for rule in route.exceptions) or "never"),
        ("A model is asked to", agent.asks),
        ("File", code(f"shared/agents/{agent.name}.py")),
    ]
    yield table(("", ""), rows)


def _when(rule: AppliesWhen) -> str:
    if rule.always:
        return "always"
    parts = [
        (f"a {what} is " if what != "path" else "a path fits ") + " or ".join(code(one) for one in entries)
        for what, entries in (
            ("label or tag", rule.labels),
            ("path", rule.paths),
            ("kind of the change", rule.change_kinds),
            ("level of a work item", rule.work_item_kinds),
        )
        if entries
    ]
    return ", and ".join(parts)
