"""Describes pages."""

from __future__ import annotations

from collections.abc import Mapping

from local.sandbox.browser.page import Page
from local.sandbox.state import State


def page(state: State, path: str, query: Mapping[str, str], *, base_url: str = "") -> Page | None:
    """Nothing yet."""
    return None
