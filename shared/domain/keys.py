"""One reversible encoding makes table keys, blob names and durable instance ids out of any name.

Azure Tables refuses ``/ \\ # ?`` and control characters in keys
(https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model), durable instance ids
refuse the same and a leading ``@``. Everything outside ``A-Za-z0-9._-`` becomes ``=XX`` for each UTF-8 byte, as in
quoted-printable, so equal names give equal keys and different names never collide.
"""

from __future__ import annotations

import re

_SAFE = re.compile(r"[A-Za-z0-9._-]")
_ESCAPE = re.compile(r"=([0-9A-F]{2})")


def encode_key(name: str) -> str:
    """``name`` as a storage key. Raises ``ValueError`` on an empty name or one whose key would pass 1 KiB."""
    if not name:
        raise ValueError("a key cannot be empty")
    key = "".join(c if _SAFE.match(c) else "".join(f"={b:02X}" for b in c.encode()) for c in name)
    if len(key) > 512:  # Azure Tables: 1 KiB of UTF-16
        raise ValueError(f"the key of {name[:40]!r}… is {len(key)} characters long; at most 512 fit")
    return key


def decode_key(key: str) -> str:
    """The name that ``encode_key`` was given."""
    raw = _ESCAPE.sub(lambda m: chr(int(m.group(1), 16)), key)
    return raw.encode("latin-1").decode()
