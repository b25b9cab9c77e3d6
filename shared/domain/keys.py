"""One reversible encoding makes table keys, blob names and durable instance ids out of any name.

Azure Tables refuses ``/ \\ # ?`` and control characters in keys
(https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model), durable instance ids
refuse the same and a leading ``@``. Everything outside ``A-Za-z0-9._-`` becomes ``=XX`` for each UTF-8 byte, as in
quoted-printable, so equal names give equal keys and different names never collide.
"""

from __future__ import annotations

import hashlib
import re

_SAFE = re.compile(r"[A-Za-z0-9._-]")
_ESCAPE = re.compile(r"=([0-9A-F]{2})")


LONGEST_KEY = 512
"""Characters; Azure Tables takes 1 KiB of UTF-16."""


class UnusableKeyError(ValueError):
    """A name that no key can be made of; where a caller chose the name, it is their mistake and not a defect."""


def encode_key(name: str) -> str:
    """``name`` as a storage key.

    Raises ``UnusableKeyError`` on an empty name, one that is not Unicode text, and one whose key would pass 1 KiB.
    """
    if not name:
        raise UnusableKeyError("a key cannot be empty")
    try:
        key = "".join(c if _SAFE.match(c) else "".join(f"={b:02X}" for b in c.encode()) for c in name)
    except UnicodeEncodeError as error:
        raise UnusableKeyError(
            f"the name holds U+{ord(error.object[error.start]):04X}, which is no character"
        ) from None
    if len(key) > LONGEST_KEY:
        raise UnusableKeyError(f"the key of {name[:40]!r}… is {len(key)} characters long; at most {LONGEST_KEY} fit")
    return key


def bounded(name: str) -> str:
    """``name`` where a key can be made of it, else ``sha256-`` and its digest: for names whose length others decide."""
    try:
        encode_key(name)
    except UnusableKeyError:
        return "sha256-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return name


def decode_key(key: str) -> str:
    """The name that ``encode_key`` was given."""
    raw = _ESCAPE.sub(lambda m: chr(int(m.group(1), 16)), key)
    return raw.encode("latin-1").decode()
