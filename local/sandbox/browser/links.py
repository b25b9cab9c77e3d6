"""Decides which addresses may become links: paths of this simulator, http(s) and mailto; everything else stays text."""

import re
from dataclasses import dataclass
from enum import StrEnum

_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_WEB = re.compile(r"https?://[^/]", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Reach(StrEnum):
    """Where a link leads."""

    SAME_ORIGIN = "same-origin"
    EXTERNAL = "external"


@dataclass(frozen=True)
class SafeLink:
    """An address that was judged safe to put into an href."""

    href: str
    reach: Reach

    @property
    def rel(self) -> str:
        """The rel attribute the link needs; empty when it stays on this origin."""
        return "noopener noreferrer" if self.reach is Reach.EXTERNAL else ""


def safe_link(href: str | None) -> SafeLink | None:
    """Judge an address. None means: show it as text.

    Follows what browsers do when they parse an address (WHATWG URL): surrounding blanks are dropped, control characters
    inside are dropped (so they are refused here, they only serve to disguise a scheme), and a backslash counts as a slash
    (so `/\\host` leaves the origin).
    """
    address = (href or "").strip()
    if not address or _CONTROL.search(address):
        return None
    slashed = address.replace("\\", "/")
    if slashed.startswith("//"):
        return SafeLink(address, Reach.EXTERNAL)
    if not _SCHEME.match(slashed):
        return SafeLink(address, Reach.SAME_ORIGIN)
    if _WEB.match(slashed) or slashed.lower().startswith("mailto:"):
        return SafeLink(address, Reach.EXTERNAL)
    return None
