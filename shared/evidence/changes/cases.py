"""Says of a test case whether it shows what works, what is refused, or what lies at a limit; each is one of the three.

The rules, in this order; the first that fits decides and is told:

1. *Negative*: the test expects a refusal: ``pytest.raises``, ``assertRaises``, ``toThrow``, ``rejects``; or it compares with a
   status of 400 to 599.
2. *Negative*: its name, parameters' id, tag or scenario has a word of refusal: refused, rejected, invalid, fails, error, denied …
3. *Edge*: its name, id, tag or scenario has a word of limits: empty, zero, none, largest, boundary, duplicate, unicode …
4. *Edge*: it is given generated values (``hypothesis.given``, ``fc.property``), or a value that lies at a limit:
   ``0``, ``-1``, ``""``, ``[]``, ``{}``, ``None``, infinity, ``sys.maxsize``.
5. Else *positive*.

A test that asserts nothing that can be seen, or is skipped, is told as such: it shows nothing.
"""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import Frozen
from shared.evidence.changes.kinds import TestLayer

_REFUSAL = re.compile(
    r"\b(?:refus\w*|reject\w*|invalid\w*|fails?|failed|failures?|failing|errors?|den(?:y|ies|ied)|forbid\w*|forbidden"
    r"|unauthori[sz]ed|unauthenticated|missing|unknown|cannot|wrong|bad|raises?|throws?|illegal|malformed|broken"
    r"|not found|unavailable|conflicts?|times? ?out|without|disallowed|prohibited|negative|expired|unsupported"
    r"|corrupt\w*|tampered|mismatch\w*|blocked|sad path|unhappy)\b"
)
_LIMIT = re.compile(
    r"\b(?:empty|zero|none|null|nan|infinity|infinite|boundary|boundaries|limits?|edges?|corner|max(?:imum)?|min(?:imum)?"
    r"|largest|smallest|longest|shortest|huge|tiny|unicode|overflow|underflow|exactly|single|duplicates?|duplicated|twice"
    r"|blank|whitespace|leap|midnight|concurrent|at most|at least|off by one|nothing|threshold)\b"
)
_ALL_WELL = re.compile(
    r"\b(?:no|without|never|not)(?: an?| any)? (?:errors?|failures?|fails?|failing|conflicts?|raises?|throws?)\b"
)
"""Says that nothing was refused, in words of refusal."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


class CaseClass(StrEnum):
    """What a test case shows."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    EDGE = "edge"


class Case(Frozen):
    """A test case that a change adds or changes."""

    path: str
    name: str = Field(description="With the id of its parameters: `test_sum[empty]`; of a scenario its title.")
    line: int = Field(ge=1)
    end: int = Field(ge=1)
    layer: TestLayer
    kind: CaseClass
    because: str = Field(description="The rule that decided.")
    added: bool = Field(description="New in this change; False: it was there and was changed.")
    skipped: bool = Field(default=False, description="Marked to be left out, or still to be written.")
    asserts: bool = Field(default=True, description="Something in it can fail.")
    text: str = Field(default="", description="Its source, for whoever looks for names in it.")

    @property
    def shows(self) -> bool:
        """Whether it can tell right from wrong."""
        return self.asserts and not self.skipped


def classed(words: str, *, refusal: str = "", limit: str = "") -> tuple[CaseClass, str]:
    """The class of a case whose name, id and tags are ``words``, and why.

    Args:
        words: in any style of writing: ``test_empty_name``, ``refusesEmptyName``.
        refusal: what in its body expects a refusal; empty: nothing.
        limit: what in its body lies at a limit; empty: nothing.
    """
    plain = _ALL_WELL.sub(" ", " ".join(one.lower() for one in _WORDS.findall(words)))
    if refusal:
        return CaseClass.NEGATIVE, f"expects a refusal: {refusal}"
    if found := _REFUSAL.search(plain):
        return CaseClass.NEGATIVE, f"named {found[0]!r}"
    if found := _LIMIT.search(plain):
        return CaseClass.EDGE, f"named {found[0]!r}"
    if limit:
        return CaseClass.EDGE, f"given a value at a limit: {limit}"
    return CaseClass.POSITIVE, "neither refusal nor limit"
