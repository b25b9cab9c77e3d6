"""How large, deep and numerous a report may be before it is refused; a worker of 2 GiB reads what is within."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes. Azure Functions itself takes 100 MB:
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#limits
    """

    body: int = 32 * MIB
    """Of one request, as sent."""
    report: int = 64 * MIB
    """Of one report, unpacked."""
    unpacked: int = 128 * MIB
    """Of all reports of one request."""
    ratio: int = 200
    """Unpacked bytes to packed ones, beyond the first MiB. Reports repeat themselves and reach 50; a bomb reaches 1,000."""
    reports: int = 50
    """In one request."""
    depth: int = 200
    """Nested elements or values."""
    values: int = 5_000_000
    """Values in one JSON report, which take some 100 bytes each once read."""
    items: int = 300_000
    """Findings, tests, files, components or measures in one report."""
    text: int = 4000
    """Characters kept of one message; more is cut."""


LIMITS = Limits()
