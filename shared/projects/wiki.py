"""Holds the first pages of a project's wiki, as written in ``shared/definitions/wiki``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from shared.domain.forge import WikiPage

# As people read them, first to last; the wiki shows pages in the order they are made.
PAGES = ("Home", "Getting started", "Architecture decisions", "Architecture")


def pages(name: str) -> tuple[WikiPage, ...]:
    """The pages of the project called ``name``; ``{repository}`` still stands for the repository's address."""
    return tuple(WikiPage(path=f"/{title}", text=_text(title).replace("{name}", name)) for title in PAGES)


@cache
def _text(title: str) -> str:
    path = Path(__file__).parent.parent / "definitions" / "wiki" / f"{title.lower().replace(' ', '-')}.md"
    return path.read_text(encoding="utf-8")
