"""The features play on the same running stack as the other end-to-end tests."""

from tests.e2e.conftest import stack, world

__all__ = ["stack", "world"]
