"""Holds reports to the schema of their format, compiled once in a process, and says where one breaks it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import RefusedError

if TYPE_CHECKING:
    from jsonschema_rs import Validator

_FOLDER = Path(__file__).parent
_LONGEST = 200


def hold(value: Any, schema: str) -> None:
    """Check ``value`` against ``schemas/<schema>.json``. Raises ``RefusedError`` naming the first place at fault."""
    validator = _validator(schema)
    if validator.is_valid(value):
        return
    error = next(iter(validator.iter_errors(value)))
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path).lstrip(".")
    told = error.message if len(error.message) <= _LONGEST else "…" + error.message[-_LONGEST:]
    raise RefusedError(
        f"the report is not what its format says at {place[:_LONGEST] or 'its top'}: {told}",
        "Send the report as the tool wrote it, from a version of the tool that is still kept up.",
    )


@cache
def _validator(schema: str) -> Validator:
    # A compiled extension of 15 MB: loaded with the first report, not with the app.
    import jsonschema_rs  # noqa: PLC0415

    schema_text = (_FOLDER / f"{schema}.json").read_text(encoding="utf-8")
    # Formats annotate and do not assert (draft 2019-09 says so outright): tools write URIs that RFC 3986 would not take.
    return jsonschema_rs.validator_for(json.loads(schema_text), validate_formats=False)
