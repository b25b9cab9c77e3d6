"""Finds our own words among people's by the hidden marks they carry, and makes them fit GitHub's limits."""

from __future__ import annotations

import re

from shared.domain.publication import SUMMARY_MARKER

REVIEW_MARK = "<!-- doneright:review -->"
"""The whole body of a review that only brings remarks; GitHub demands one, and shows nothing of it."""
BODY_LIMIT = 65_536
"""Characters of a comment: https://docs.github.com/rest/issues/comments answers 422 to more."""

_FINGERPRINT = re.compile(r"^<!-- doneright:remark:([0-9a-f]{16,64}) -->", re.MULTILINE)
_ANSWER = re.compile(r"^<!-- doneright:answer:([A-Za-z0-9/_-]+) -->", re.MULTILINE)
# At the beginning of a line, so that what somebody quotes is not taken for ours.
_ANY = re.compile(r"^<!-- doneright:[a-z]+(?::[A-Za-z0-9/_-]+)? -->", re.MULTILINE)
_CUT = "\n\n… (cut here: GitHub takes no longer comment)"


def is_marked(body: str) -> bool:
    """Whether it was said by Doneright, provided that its author is who we are."""
    return _ANY.search(body) is not None


def fingerprint_in(body: str) -> str:
    """The fingerprint of a remark; empty for anything else."""
    found = _FINGERPRINT.search(body)
    return found[1] if found else ""


def is_summary(body: str) -> bool:
    """Whether it is the one comment that is updated in place."""
    return body.lstrip().startswith(SUMMARY_MARKER)


def answer_mark(comment: str) -> str:
    """The hidden line that says which comment is answered."""
    return f"<!-- doneright:answer:{comment} -->"


def answers(body: str) -> str:
    """The comment that it answers; empty for anything else."""
    found = _ANSWER.search(body)
    return found[1] if found else ""


def fitting(body: str) -> str:
    """``body``, cut where GitHub would refuse it."""
    # GitHub counts UTF-16 units in some places and code points in others; what fits the stricter fits both.
    if len(body.encode("utf-16-le")) // 2 <= BODY_LIMIT:
        return body
    room = BODY_LIMIT - len(_CUT)
    cut = body.encode("utf-16-le")[: room * 2].decode("utf-16-le", errors="ignore")
    return cut + _CUT
