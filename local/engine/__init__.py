"""The local durable engine: Microsoft's in-memory backend made fit to run the product on a laptop."""

from .engine import Engine, PortTakenError

__all__ = ["Engine", "PortTakenError"]
