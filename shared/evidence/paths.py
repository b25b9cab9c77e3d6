"""Makes the paths in reports relative to the repository, whichever machine wrote them, and refuses those that leave it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from shared.errors import RefusedError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE = re.compile(r"/?([A-Za-z]):/")
_CHECKOUTS = re.compile(
    r"/home/runner/work/[^/]+/[^/]+/"  # GitHub's Linux runners
    r"|/Users/runner/work/(?:1/s/|[^/]+/[^/]+/)"  # macOS, GitHub's and Azure Pipelines'
    r"|/github/workspace/"  # GitHub's container actions
    r"|/__w/(?:[0-9]+/s/|[^/]+/[^/]+/)"  # container jobs of both
    r"|/home/vsts(?:_azpcontainer)?/work/[0-9]+/s/|/(?:opt|agent|azp)/_?(?:agent/)?_?work/[0-9]+/s/"  # Azure Pipelines
    r"|[A-Z]:/a/(?:[0-9]+/s/|_work/[0-9]+/s/|[^/]+/[^/]+/)"  # Windows, both
    r"|/builds/[^/]+/[^/]+/|/workspace/",
    re.IGNORECASE,
)
LONGEST = 1024
"""Characters; longer than any path that Git for Windows can check out without special settings."""


class RepositoryPaths:
    """Paths of one report. The same text is looked at once.

    Args:
        root: the checkout's folder, where the sender named it; the usual ones of hosted runners are known.
    """

    def __init__(self, root: str = "") -> None:
        self._known: dict[str, str | None] = {}
        self._roots = [_slashed(root).rstrip("/") + "/"] if root else []

    def __call__(self, raw: str, base: str = "") -> str | None:
        """``raw`` below ``base``, relative to the repository; ``None`` where it lies elsewhere or is no file.

        Raises:
            RefusedError: it climbs out with ``..`` or is longer than 1,024 characters.
        """
        key = f"{base}\n{raw}" if base else raw
        if key not in self._known:
            self._known[key] = self._relative(raw, base)
        return self._known[key]

    def below(self, raw: str, bases: Iterable[str]) -> str | None:
        """``raw`` below the first of ``bases`` that lies within the repository, else as it stands."""
        for base in bases:
            folder = self(base)
            if folder is not None or self._is_root(base):
                return self(raw, folder or "")
        return self(raw)

    def _is_root(self, raw: str) -> bool:
        path = _slashed(raw).rstrip("/") + "/"
        return (
            path == "./"
            or any(path.lower() == root.lower() for root in self._roots)
            or bool(_CHECKOUTS.fullmatch(path))
        )

    def _relative(self, raw: str, base: str) -> str | None:
        if len(raw) > LONGEST:
            raise RefusedError(f"a path in the report is {len(raw)} characters long; {LONGEST} are the most", _REMEDY)
        path = _slashed(raw)
        if _is_absolute(path):
            path = self._stripped(path)
        elif base and path:
            path = f"{base}/{path}"
        if any(character < " " for character in path):
            raise RefusedError("a path in the report holds a control character", _REMEDY)
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if ".." in parts:
            raise RefusedError(f"the path {raw[:200]!r} in the report climbs with '..'", _REMEDY)
        return "/".join(parts) or None

    def _stripped(self, path: str) -> str:
        for root in self._roots:
            if path.lower().startswith(root.lower()):
                return path[len(root) :]
        found = _CHECKOUTS.match(path)
        return path[found.end() :] if found else ""


_REMEDY = "Let the tool write paths relative to the repository's root."


def _slashed(raw: str) -> str:
    """``raw`` with slashes alone; a ``file:`` URI as its path, any other URI as nothing."""
    scheme = _SCHEME.match(raw)
    path = raw
    if scheme and len(scheme[1]) > 1:
        if scheme[1].lower() != "file":
            return "" if raw[scheme.end() :].startswith("//") else raw.replace("\\", "/")
        path = unquote(raw[scheme.end() :])
        if path.startswith("//"):
            path = "/" + path[2:].partition("/")[2]
    elif "%" in raw:
        # Tools that write URIs escape; a checkout with a real %2e%2e in a name is nobody's.
        path = unquote(raw)
    path = path.replace("\\", "/")
    drive = _DRIVE.match(path)
    return f"{drive[1].upper()}:/{path[drive.end() :]}" if drive else path


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or bool(_DRIVE.match(path))
