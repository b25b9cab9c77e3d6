"""Finds what a comment says to Doneright: lines of their own that begin with ``/doneright`` at the left margin.

What stands in code, in an HTML comment or in a quotation is shown or hidden, and not said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_MARGIN = re.compile(r"/doneright(?:[ \t]+(?P<rest>.*))?", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
"""How code begins; after backticks no other may follow: https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""
_FENCE_ENDS = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*")
_HIDDEN = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|(?P<open><!--|<pre\b)", re.IGNORECASE)
"""Code within a line, which may show what begins a comment without beginning one, and what hides the lines after it."""
_OPENING = re.compile(r"(?P<open><!--|<pre\b)", re.IGNORECASE)
_LONGEST_SCANNED = 2_000
"""Characters of a line in which code is told apart: strokes without end would take time without end."""
_ENDS = {"<!--": "-->", "<pre": "</pre>"}


def lines_in(body: str) -> tuple[str, ...]:
    """What follows ``/doneright`` on each line that says something to us, in order; empty for the bare word."""
    found = []
    for line in _said(body):
        command = _MARGIN.fullmatch(line.rstrip())
        if command:
            found.append((command["rest"] or "").strip())
    return tuple(found)


def _said(body: str) -> Iterator[str]:
    """The lines that a reader sees as text."""
    fence = ""
    hidden = ""
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if hidden:
            end = line.lower().find(hidden)
            hidden = hidden if end < 0 else _left_open(line, end + len(hidden))[0]
            continue
        if fence:
            if (closes := _FENCE_ENDS.fullmatch(line)) and closes["fence"].startswith(fence):
                fence = ""
            continue
        if begun := _FENCE.match(line):
            fence = begun["fence"]
            continue
        hidden, seen = _left_open(line)
        yield line[:seen]


def _left_open(line: str, at: int = 0) -> tuple[str, int]:
    """What has to come before text is seen again, empty when the line hides nothing beyond itself; and how far it is seen."""
    opening = _HIDDEN if len(line) <= _LONGEST_SCANNED else _OPENING
    while "<" in line[at:] and (found := opening.search(line, at)):
        at = found.end()
        if found["open"]:
            closing = _ENDS[found["open"].lower()]
            end = line.lower().find(closing, at)
            if end < 0:
                return closing, found.start()
            at = end + len(closing)
    return "", len(line)
