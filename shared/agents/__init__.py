"""What an agent is, and which there are: each looks at the evidence of a change and gives typed opinions.

An agent works without a model, by analysis; with one, the model adds opinions of the same types. None decides: an opinion
is evidence, and only a gate judges.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from shared.domain.change import ChangeEvidence
from shared.domain.review import AgentName, Opinion, OpinionKind
from shared.errors import DefectError


@dataclass(frozen=True)
class Agent:
    """One point of view on a change."""

    name: AgentName
    examines: str
    """What it looks for, in one or two sentences for the reference page."""
    reads: tuple[str, ...]
    """Fields of ``ChangeEvidence`` it reads."""
    returns: tuple[OpinionKind, ...]
    """Kinds of opinions it gives; a model's opinion of another kind is dropped."""
    analyse: Callable[[ChangeEvidence], tuple[Opinion, ...]]
    """Its opinions without a model: the same for the same evidence, the most important first."""
    asks: str
    """What a model is asked to add."""


@cache
def agents() -> Mapping[AgentName, Agent]:
    """Every agent by its name: the file of that name in this folder. Raises ``DefectError`` for a file that is none."""
    found: dict[AgentName, Agent] = {}
    for name in AgentName:
        agent = getattr(importlib.import_module(f"{__name__}.{name}"), "AGENT", None)
        if not isinstance(agent, Agent) or agent.name is not name:
            raise DefectError(f"shared/agents/{name}.py defines no AGENT named {name}")
        found[name] = agent
    return found
