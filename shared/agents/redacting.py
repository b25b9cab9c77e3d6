"""Takes secrets out of text before it leaves for a model: by their shape, by the names beside them, by their randomness.

Too much rather than too little is taken: whoever reads the text loses a value, and never its place.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module

from pydantic import Field

from shared.domain.forge import Frozen

MARK = "[REDACTED:{kind}]"
_MARKED = re.compile(r"\[REDACTED:[^\]\n]{1,60}\]")

_KNOWN: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private key",
        re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?P<value>.*?)(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)", re.DOTALL),
    ),
    ("password in an address", re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"']{0,100}:(?P<value>[^\s/@\"']{1,200})@", re.IGNORECASE)),
    ("authorization", re.compile(r"\b(?:bearer|basic|token)\s+(?P<value>[A-Za-z0-9._~+/=-]{16,})", re.IGNORECASE)),
    ("connection string", re.compile(r"\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)\s?=\s?(?P<value>[^;\"'\s]{6,2000})", re.IGNORECASE)),
    ("connection string", re.compile(r";\s?(?:Password|Pwd)\s?=\s?(?P<value>[^;\"'\s]{4,200})", re.IGNORECASE)),
    ("connection string", re.compile(r"\b(?:Password|Pwd)\s?=\s?(?P<value>[^;\"'\s]{4,200})(?=;\w)", re.IGNORECASE)),
    ("signature", re.compile(r"[?&](?:sig|signature|X-Amz-Signature|access_token|api_key|apikey|code)=(?P<value>[A-Za-z0-9%._~+/-]{16,})", re.IGNORECASE)),
    ("JSON web token", re.compile(r"(?<![A-Za-z0-9_-])(?P<value>eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}\.?[A-Za-z0-9_.+/=-]{0,2000})")),
    ("GitHub token", re.compile(r"(?P<value>\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,}))")),
    ("API key", re.compile(r"(?P<value>\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[A-Za-z0-9_-]{20,})")),
    ("AWS key", re.compile(r"(?P<value>\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b)")),
)  # fmt: skip
_NAMED = re.compile(
    r"""(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|credential|signing[_-]?key|auth)[\w.-]{0,40}["']?\]?\s{0,20}(?::=|=>|[:=])\s{0,20}[rbfu]{0,2}(?P<quote>["'`])(?P<value>(?:\\.|(?!(?P=quote))[^\\\n]){4,500})(?P=quote)""",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"^[\s+\d|-]*(?:export\s+|set\s+|-\s+)?[A-Za-z0-9_.-]*(?:PASS(?:WORD|WD)?|PWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|CREDENTIALS?)[A-Za-z0-9_.-]*\s*[:=]\s*(?P<value>[^\s\"'`(){}\[\]$<>,;]{8,})\s*$",
    re.IGNORECASE | re.MULTILINE,
)
"""Lines of environment files and YAML, whose values have no quotes."""
_RANDOM = re.compile(
    r"(?<![A-Za-z0-9+/=_-])(?P<value>(?:[A-Za-z0-9+/]{32,}={0,2}|[A-Za-z0-9_-]{32,}))(?![A-Za-z0-9+/=_-])"
)
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""Commits and digests are public, and looking random is all there is to them."""
_BLOCK = 2_000
_OVERLAP = 300
"""Characters; longer than any token that the library knows."""
_LEAST_ENTROPY = 4.0
"""Bits a character; English words joined stay below, keys of 32 random characters above."""


class Redacted(Frozen):
    """A text without the secrets that were seen in it."""

    text: str
    kinds: dict[str, int] = Field(default_factory=dict, description="How many of which kind were taken out.")

    @property
    def count(self) -> int:
        """How many were taken out."""
        return sum(self.kinds.values())


def redact(text: str, known: Iterable[str] = ()) -> Redacted:
    """``text`` without its secrets.

    Args:
        text: whatever is to be sent.
        known: values that are secrets for certain, such as the app's own.
    """
    kinds: Counter[str] = Counter()

    def marked(kind: str) -> Callable[[re.Match[str]], str]:
        def put(found: re.Match[str]) -> str:
            value = found["value"]
            if not value.strip() or _MARKED.search(value):
                return found[0]
            kinds[kind] += 1
            start, end = found.start("value") - found.start(), found.end("value") - found.start()
            return found[0][:start] + MARK.format(kind=kind) + found[0][end:]

        return put

    for value in sorted({one for one in known if len(one) >= 4}, key=len, reverse=True):
        kinds["known secret"] += text.count(value)
        text = text.replace(value, MARK.format(kind="known secret"))
    for kind, pattern in _KNOWN:
        text = pattern.sub(marked(kind), text)
    for kind, pattern in _further():
        text = pattern.sub(marked(kind), text)
    for kind, pattern in _shapes():
        found = {_found(one) for block in _blocks(text) for one in pattern.findall(block)}
        for value in sorted(found - {""}, key=len, reverse=True):
            if len(value) >= 8 and not _MARKED.search(value):
                kinds[kind] += text.count(value)
                text = text.replace(value, MARK.format(kind=kind))
    text = _NAMED.sub(marked("named secret"), text)
    text = _ASSIGNED.sub(marked("named secret"), text)

    def unless_public(found: re.Match[str]) -> str:
        public = _DIGEST.fullmatch(found["value"]) or entropy(found["value"]) < _LEAST_ENTROPY
        return found[0] if public else marked("random text")(found)

    text = _RANDOM.sub(unless_public, text)
    return Redacted(text=text, kinds={kind: count for kind, count in kinds.items() if count})


def entropy(text: str) -> float:
    """Shannon's entropy in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values()) if text else 0.0


def _blocks(text: str) -> Iterator[str]:
    """Whole lines together, as many as fit; a longer line in pieces that overlap. The library's patterns take the square of
    a text's length in the worst case."""
    block: list[str] = []
    size = 0
    for line in text.split("\n"):
        if block and size + len(line) > _BLOCK:
            yield "\n".join(block)
            block, size = [], 0
        if len(line) > _BLOCK:
            yield from (line[start : start + _BLOCK] for start in range(0, len(line), _BLOCK - _OVERLAP))
        else:
            block.append(line)
            size += len(line)
    yield "\n".join(block)


def _found(one: str | tuple[str, ...]) -> str:
    return one if isinstance(one, str) else max(one, key=len)


@cache
def _shapes() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The shapes that detect-secrets knows."""
    from shared.evidence.apart.secrets import DETECTORS  # noqa: PLC0415 - needed only where a model is asked

    found: list[tuple[str, re.Pattern[str]]] = []
    for detector in DETECTORS:
        module, name = detector.split(".")
        made = getattr(import_module(f"detect_secrets.plugins.{module}"), name)()
        # Its private keys are headings alone; whole keys, and web tokens, are taken out above.
        if module not in {"private_key", "jwt"}:
            found += [(made.secret_type.lower(), pattern) for pattern in made.denylist]
    return tuple(found)


@cache
def _further() -> tuple[tuple[str, re.Pattern[str]], ...]:
    from shared.evidence.apart.secrets import FURTHER  # noqa: PLC0415 - as above

    return tuple(
        (kind.lower(), re.compile(f"(?P<value>{pattern.pattern})", pattern.flags)) for kind, pattern in FURTHER
    )
