"""Git's own name of a file's content, by which both forges and the plan compare files."""

from __future__ import annotations

import hashlib


def blob_sha(content: bytes) -> str:
    """Git's SHA-1 of a blob, hex: over ``blob <size>NUL<content>``. It names content and protects nothing."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
