"""Takes from a model's answer only what is about the change: places that are there, kinds that were asked, no orders."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from shared.agents import Agent
from shared.agents.injection import said_in
from shared.agents.redacting import redact
from shared.domain.change import ChangeEvidence
from shared.domain.definition import Severity
from shared.domain.review import Opinion, OpinionKind
from shared.evidence.changes.lines import reaches

MOST = 8
"""Opinions of a model in one answer."""
_SUREST = 0.8
"""A model's own confidence is no measurement; analysis of the text may be surer."""
_IMAGE = re.compile(r"!\[([^\]]{0,200})\]\([^)]{0,2000}\)")
_LINK = re.compile(r"\[([^\]]{1,200})\]\([^)]{0,2000}\)")
_ADDRESS = re.compile(r"\b(?:https?|ftp|data|javascript):\S+", re.IGNORECASE)
_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|</?[A-Za-z][^<>]{0,500}>", re.DOTALL)
_MENTION = re.compile(r"(?<![\w`])@(?=[\w-])")
_COMMAND = re.compile(r"^(\s*)/(?=doneright\b)", re.IGNORECASE | re.MULTILINE)


class SaidOpinion(BaseModel):
    """One opinion about the change."""

    model_config = ConfigDict(extra="ignore")

    kind: OpinionKind
    title: str = Field(min_length=3, max_length=200, description="One line.")
    message: str = Field(min_length=3, max_length=4_000, description="What it is, why it matters, what to do.")
    path: str = Field(default="", description="File of the change; empty: about the change as a whole.")
    line: int | None = Field(default=None, ge=1, description="Number at the left of the line at the head.")
    end_line: int | None = Field(default=None, ge=1)
    severity: Severity = Severity.LOW
    confidence: float = Field(ge=0, le=1)
    suggestion: str | None = Field(
        default=None, max_length=4_000, description="Text that would stand in place of the lines; only with a line."
    )


class Said(BaseModel):
    """A model's answer."""

    model_config = ConfigDict(extra="ignore")

    opinions: list[SaidOpinion] = Field(max_length=50)


def taken(
    said: Said, agent: Agent, evidence: ChangeEvidence, given: Sequence[Opinion]
) -> tuple[tuple[Opinion, ...], tuple[str, ...]]:
    """The opinions that hold, and why each of the others was dropped."""
    files = {file.path: file for file in evidence.known_files}
    known = {(one.kind, one.path, one.title.casefold()) for one in given}
    kept: list[Opinion] = []
    dropped: list[str] = []
    for one in said.opinions:
        reason = ""
        if one.kind not in agent.returns:
            reason = f"{one.kind} is no kind that the {agent.name} agent gives"
        elif one.path and one.path not in files:
            reason = "its path is not in the change"
        elif one.line is not None and (not one.path or not reaches(files[one.path], one.line)):
            reason = "its line is not in the diff"
        elif one.end_line is not None and (
            one.line is None or one.end_line < one.line or not reaches(files[one.path], one.end_line)
        ):
            reason = "its lines are not in the diff"
        elif any(said_in(part) for text in (one.title, one.message, one.suggestion or "") for part in text.split("\n")):
            reason = "it repeats text that speaks to a model"
        elif (one.kind, one.path, one.title.casefold()) in known:
            reason = "it was given already"
        elif len(kept) == MOST:
            reason = f"{MOST} are the most"
        opinion = None if reason else _opinion(one, agent)
        if opinion is None:
            dropped.append(reason or "nothing of it is left as plain text")
        else:
            kept.append(opinion)
    return tuple(kept), tuple(dropped)


def _opinion(one: SaidOpinion, agent: Agent) -> Opinion | None:
    title, message = _harmless(one.title.replace("\n", " ")), _harmless(one.message)
    if len(title) < 3 or len(message) < 3:
        return None
    return Opinion(
        agent=agent.name,
        kind=one.kind,
        title=title[:200],
        message=message[:4_000],
        path=one.path,
        line=one.line,
        end_line=one.end_line,
        severity=one.severity,
        confidence=min(one.confidence, _SUREST),
        suggestion=one.suggestion if one.line is not None and _replaces(one.suggestion) else None,
        source="model",
    )


def _replaces(suggestion: str | None) -> bool:
    # A placeholder put into code would be worse than no suggestion.
    return suggestion is not None and "[REDACTED" not in suggestion and "```" not in suggestion


def _harmless(text: str) -> str:
    """Plain text: an image or link would carry what the model saw to whom it likes, a mention or command would act."""
    text = _MARKUP.sub("", _LINK.sub(r"\1", _IMAGE.sub(r"\1", text)))
    text = _COMMAND.sub(r"\1", _MENTION.sub("", _ADDRESS.sub("(address left out)", text)))
    return redact(text).text.strip()
