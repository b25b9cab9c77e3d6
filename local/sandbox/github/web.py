"""Serves what people use in a browser: registering an App by manifest, installing it, forms, and the pages."""

from __future__ import annotations

from starlette.routing import BaseRoute

from local.sandbox.github.hub import Hub


def web_routes(hub: Hub) -> list[BaseRoute]:
    """Routes of pages; they answer browsers only."""
    del hub
    return []
