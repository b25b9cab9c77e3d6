"""Azure Tables' size limits, enforced before sending because the local emulator accepts what Azure refuses.

Figures: https://learn.microsoft.com/azure/storage/tables/scalability-targets and, for how an entity is counted,
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.errors import DefectError

type Row = Mapping[str, str | int]

PROPERTY_CHARACTERS = 32 * 1024
"""UTF-16 code units in one text property (64 KiB)."""

ENTITY_BYTES = 1024 * 1024
TRANSACTION_OPERATIONS = 100
TRANSACTION_BYTES = 4 * 1024 * 1024

_OPERATION_OVERHEAD = 2048
"""Bytes of MIME and HTTP headers around one operation in a transaction; about 700 beside two keys of up to 512."""


def utf16_length(text: str) -> int:
    """How many UTF-16 code units ``text`` takes."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_row(row: Row, *, advice: str) -> None:
    """Refuse a row that Azure Tables would refuse.

    Raises:
        DefectError: names the property, its size and ``advice``.
    """
    total = 4
    for name, value in row.items():
        if isinstance(value, str):
            length = utf16_length(value)
            if length > PROPERTY_CHARACTERS:
                raise DefectError(
                    f"property {name} takes {length} characters; a table holds {PROPERTY_CHARACTERS}: {advice}"
                )
            total += 8 + 2 * len(name) + 2 * length + 4
        else:
            total += 8 + 2 * len(name) + 8
    if total > ENTITY_BYTES:
        raise DefectError(f"the row takes {total} bytes; a table holds {ENTITY_BYTES}: {advice}")


def sent_bytes(row: Row) -> int:
    """How much of a transaction's 4 MiB ``row`` takes, in bytes, rounded up."""
    return len(json.dumps(row)) + _OPERATION_OVERHEAD
