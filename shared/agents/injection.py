"""Finds text in a change that speaks to a model instead of to people, and characters that hide what a line says.

It needs no model, and nothing it finds is followed: it is reported, so that a person looks.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator

from pydantic import Field

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.forge import Frozen
from shared.evidence.changes.lines import added

MOST = 20
_LONGEST_LINE = 5_000
_WHOM = r"(?:you(?:r)?|the|this|any|all|an?|ai|llm|model|assistant|agent|bot|reviewer|doneright)"
_PHRASES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (meaning, re.compile(pattern, re.IGNORECASE))
    for meaning, pattern in (
        (
            "tells a model to forget what it was told",
            r"\b(?:ignore|disregard|forget|override|bypass)\b[\s\W]{0,5}(?:\w+\W+){0,4}?(?:previous|prior|earlier|above|preceding|your|system|all)\W+"
            r"(?:\w+\W+){0,2}?(?:instructions?|prompts?|rules?|guidelines?|directions?|context|messages?|constraints?)\b",
        ),
        (
            "gives a model new instructions",
            r"\b(?:new|updated|real|actual|hidden|secret)\s+(?:system\s+)?(?:instructions?|prompt)\s*(?:[:\-]|for\s+(?:the\s+)?(?:ai|llm|model|assistant|reviewer|agent))",
        ),
        (
            "gives a model another part",
            r"\byou\s+are\s+(?:now|no\s+longer)\s+(?:an?|the|in|acting)\b|\b(?:pretend|act)\s+(?:to\s+be|as\s+if\s+you|as\s+an?\s+(?:unrestricted|uncensored))\b"
            r"|\b(?:developer|dan|jailbreak|god)\s+mode\b",
        ),
        (
            "imitates the marks between parts of a model's prompt",
            r"<\|?(?:im_start|im_end|system|endoftext|assistant|user)\|?>|\[/?INST\]|<<\s*/?SYS\s*>>|^\W{0,6}(?:system|assistant)\s*:\s*you\b"
            r"|\b(?:BEGIN|END)\s+(?:OF\s+)?(?:SYSTEM\s+PROMPT|UNTRUSTED)\b",
        ),
        (
            "asks a model for a verdict",
            r"\b(?:(?:ai|llm|language\s+model)s?\s*(?:code\s*)?(?:reviewers?|agents?|bots?|systems?|assistants?)?|automated\s+reviewers?)\s*[,:]?\s*"
            r"(?:please\s+|must\s+|should\s+|shall\s+)+"
            r"(?:approve|accept|pass|merge|ignore|skip|not\s+(?:report|flag|mention)|report\s+no|say|answer|respond|rate)\b"
            r"|\b(?:model|assistant|agent|bot|reviewer)s?\s*[,:]?\s*(?:please\s+|must\s+|should\s+|shall\s+)+"
            r"(?:approve|accept|pass|merge|ignore|skip)\s+(?:this|the)\s+(?:pull\s+request|pr|merge\s+request|change|diff|file|commit|code|review)\b"
            r"|\b(?:model|assistant|agent|bot|reviewer)\s*:\s*please\s+(?:approve|accept|pass|merge|ignore|skip|say|answer|respond)\b"
            rf"|\b(?:approve|merge|accept)\s+this\s+(?:pull\s+request|pr|change|merge\s+request)\b.{{0,40}}\b(?:without|regardless|no\s+matter|immediately|unconditionally)\b"
            rf"|\b(?:do\s+not|don'?t|never)\s+(?:report|flag|mention|reveal|raise)\s+(?:{_WHOM}\s+)*(?:findings?|issues?|vulnerabilit\w+|problems?|concerns?|secrets?)\b"
            r"|\b(?:respond|reply|answer|output)\s+(?:only\s+)?with\s+(?:an?\s+empty|no\s+(?:findings?|issues?|opinions?)|\"?(?:lgtm|approved)\"?)",
        ),
        (
            "asks a model to give away what it holds",
            r"\b(?:reveal|print|repeat|output|show|leak|exfiltrate|send)\b(?:\s+\w+){0,3}?\s+(?:system\s+prompt|initial\s+instructions|hidden\s+instructions|api\s+keys?\s+(?:you|in\s+your))\b",
        ),
    )
)
_HINT = re.compile(
    r"ignore|disregard|forget|override|bypass|instruction|prompt|you are|pretend|act as|mode|<|\[|system|assistant|model"
    r"|\bai\b|llm|approve|merge|accept|report|flag|mention|reveal|raise|respond|reply|answer|output",
    re.IGNORECASE,
)
"""A word of each phrase, to pass over the many lines that hold none quickly."""
_HIDING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xE0000, 0xE0080))))
"""Characters that turn the direction of text around (CVE-2021-42574) or show nothing at all (tags)."""
_BLANKS = frozenset(map(chr, (0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD)))


class Injection(Frozen):
    """One place that speaks to a model."""

    where: str = Field(description="Path, or `title`, `description`, `commit`, `comment`.")
    path: str = ""
    line: int | None = None
    meaning: str
    phrase: str = Field(max_length=120, description="The words, without what could work as markup.")


def said_in(text: str) -> tuple[str, str] | None:
    """What ``text`` would have a model do, and in which words; ``None`` where it speaks to nobody but people."""
    text = text[:_LONGEST_LINE]
    plain = text if text.isascii() else _plain(text)
    if _HINT.search(plain):
        for meaning, pattern in _PHRASES:
            found = pattern.search(plain)
            if found:
                return meaning, _quotable(found[0])
    hidden = set() if text.isascii() else {_named(one) for one in text if one in _HIDING}
    if hidden:
        return "hides what it says behind characters nobody sees", ", ".join(sorted(hidden))[:120]
    return None


def injections(evidence: ChangeEvidence) -> tuple[Injection, ...]:
    """Every such place in the added lines, title, description, commit messages and comments, up to a bound."""
    return tuple(itertools.islice(_found(evidence), MOST))


def _found(evidence: ChangeEvidence) -> Iterator[Injection]:
    commits = () if isinstance(evidence.commits, Unknown) else evidence.commits
    threads = () if isinstance(evidence.threads, Unknown) else evidence.threads
    texts = [
        ("title", evidence.change.title),
        ("description", evidence.change.body),
        *(("commit", one.message) for one in commits),
        *(("comment", comment.body) for one in threads for comment in one.comments),
    ]
    for where, text in texts:
        for _, (meaning, phrase) in _told(enumerate(text.split("\n"), 1)):
            yield Injection(where=where, meaning=meaning, phrase=phrase)
    for file in evidence.known_files:
        for number, (meaning, phrase) in _told(added(file)):
            yield Injection(where=file.path, path=file.path, line=number, meaning=meaning, phrase=phrase)


def _told(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, tuple[str, str]]]:
    """Numbers of lines with what they say; a sentence may begin on the line before."""
    last = ""
    for number, line in lines:
        told = said_in(line) or (said_in(f"{last[-500:]} {line}") if last else None)
        if told is not None:
            yield number, told
        last = "" if told else line


def _plain(text: str) -> str:
    """``text`` as a model would read it: letters of other alphabets' styles as plain ones, invisible ones gone."""
    visible = "".join(one for one in text if one not in _BLANKS and one not in _HIDING)
    return unicodedata.normalize("NFKC", visible)


def _quotable(text: str) -> str:
    return " ".join(re.sub(r"[`<>|\[\]@]", " ", text).split())[:120] or "(marks alone)"


def _named(one: str) -> str:
    return f"U+{ord(one):04X}"
