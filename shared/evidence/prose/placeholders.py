"""Whether a text says anything, or only stands where something was to be said."""

from __future__ import annotations

import re

_NOTHING = re.compile(
    r"(?:t\.?b\.?[dac]\.?|to ?do|to be (?:done|defined|determined|decided|filled(?: in)?|added)|fix ?me|x{3,}|n/?a|"
    r"fill (?:this |me )?in|lorem ipsum.*|pending|later|unknown|"
    r"(?:please )?(?:describe|add|write|insert|explain|enter|list)\b.{0,60}\bhere|your (?:text|description|answer)(?: here)?)"
    r"[\s.!:…]*",
    re.IGNORECASE | re.DOTALL,
)
_FRAMED = re.compile(r"[<\[{(_*]+[^<>\[\]{}]*[>\]})_*]+")
_LONGEST = 200
"""Characters; whoever writes more says something."""
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


def without_comments(text: str) -> str:
    """``text`` without what HTML hides from whoever reads it; a comment that is never closed hides all that follows."""
    return _COMMENT.sub("", text)


def says_something(text: str) -> bool:
    """Whether ``text`` holds a letter or digit that is no placeholder: TBD, TODO, ``<what you did>``, an empty box."""
    plain = without_comments(text).strip().strip("~").strip()
    if not any(letter.isalnum() for letter in plain):
        return False
    if len(plain) > _LONGEST:
        return not plain[:_LONGEST].casefold().startswith("lorem ipsum")
    return not (_NOTHING.fullmatch(plain.strip("*_`[](){}<> ")) or _FRAMED.fullmatch(plain))
