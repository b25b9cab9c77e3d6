"""GraphQL."""

from __future__ import annotations

from starlette.routing import BaseRoute

from local.sandbox.github.hub import Hub


def graphql_routes(hub: Hub) -> list[BaseRoute]:
    """Routes."""
    del hub
    return []
