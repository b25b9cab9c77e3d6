"""Hears one agent: its analysis always, and a model's opinions beside it where one is configured and answers.

A model's failure costs its own opinions alone. Everything that was sent to it and came back is kept, secrets taken out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from shared.agents import Agent, agents
from shared.agents._answers import MOST, Said, taken
from shared.agents.ports import AgentPorts, Model
from shared.agents.prompting import Prompt, prompt
from shared.agents.redacting import redact
from shared.domain.change import ChangeEvidence
from shared.domain.exchange import Exchange
from shared.domain.review import AgentName, AgentReport, Opinion

MEDIA_TYPE = "application/json"
MOST_OPINIONS = 40
"""Of one agent in one review; nobody reads more."""


def hear(agent: AgentName, evidence: ChangeEvidence, ports: AgentPorts) -> AgentReport:
    """What ``agent`` says of the change.

    Raises ``TransientError`` when what was said to a model cannot be kept, so that the call is repeated.
    """
    one = agents()[agent]
    began = ports.clock.now()
    opinions, trouble = _analysed(one, evidence)
    told = "; ".join(part for part in (trouble, ports.missing) if part)
    report = AgentReport(agent=agent, opinions=opinions[:MOST_OPINIONS], trouble=told[:2_000])
    if ports.model is not None:
        report = _with_model(one, evidence, report, ports.model, ports)
    seconds = max(0.0, (ports.clock.now() - began).total_seconds())
    return report.model_copy(update={"seconds": round(seconds, 3)})


def _analysed(agent: Agent, evidence: ChangeEvidence) -> tuple[tuple[Opinion, ...], str]:
    try:
        return agent.analyse(evidence), ""
    except RecursionError:
        # Somebody's file nests deeper than any reader of it follows; the review goes on without this opinion.
        return (), "a file of the change is nested too deep to be analysed"


def _with_model(
    agent: Agent, evidence: ChangeEvidence, report: AgentReport, model: Model, ports: AgentPorts
) -> AgentReport:
    asked = prompt(agent, evidence, report.opinions, model.budget, MOST)
    answered = model.ask(asked.instructions, asked.question, Said)
    exchange = answered.exchange
    said = answered.answer or Said(opinions=[])
    kept, dropped = taken(said, agent, evidence, report.opinions)
    told = [part for part in (report.trouble, exchange.trouble, _told(dropped)) if part]
    return AgentReport(
        agent=report.agent,
        opinions=(*report.opinions, *kept),
        model=exchange.model,
        artifact=ports.artifacts.put(_transcript(agent, asked, exchange, dropped), MEDIA_TYPE),
        trouble="; ".join(told)[:2_000],
        calls=exchange.calls,
        tokens=exchange.tokens,
    )


def _told(dropped: Sequence[str]) -> str:
    """Why opinions were dropped, without a word of theirs."""
    reasons = [f"{reason} ({count})" if count > 1 else reason for reason, count in Counter(dropped).items()]
    return f"{len(dropped)} opinions of the model were dropped: {', '.join(reasons)}" if dropped else ""


def _transcript(agent: Agent, asked: Prompt, exchange: Exchange, dropped: Sequence[str]) -> bytes:
    whole = {
        "agent": agent.name,
        "model": exchange.model,
        "prompt_digest": asked.digest,
        "instructions": asked.instructions,
        "question": asked.question,
        "redacted": asked.redacted,
        "left_out": asked.left_out,
        # What went out was made of redacted text; what came back may hold anything.
        "sent": exchange.sent,
        "received": [redact(one).text for one in exchange.received],
        "trouble": exchange.trouble,
        "dropped": list(dropped),
        "calls": exchange.calls,
        "tokens": exchange.tokens,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "replace")
