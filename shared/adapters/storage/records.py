"""Small pydantic records in a table: one row each, last writer or ETag decides, read back as the same model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from shared.adapters.storage.failures import storage_errors
from shared.adapters.storage.limits import utf16_length
from shared.domain.keys import decode_key, encode_key
from shared.errors import ConflictError, DefectError, RefusedError

if TYPE_CHECKING:
    from azure.data.tables import TableClient

    from shared.adapters.storage.account import StorageAccount

LIMIT = 900 * 1024
"""Bytes of a record's JSON as Azure counts them, two for a UTF-16 code unit; leaves room for keys in the row's 1 MiB."""

_PIECE = 30_000
_PAGE = 1000


class TableRecords[M: BaseModel]:
    """``ports.Records`` of one model in one table.

    Args:
        account: the storage account.
        table: the table's name: letters and digits, 3 to 63.
        model: what the rows hold.
    """

    def __init__(self, account: StorageAccount, table: str, model: type[M]) -> None:
        self._account = account
        self._name = table
        self._model = model

    def get(self, partition: str, key: str) -> tuple[M, str] | None:
        """The record and its ETag, or ``None``. Raises ``DefectError`` when the row is no such record."""
        from azure.core.exceptions import ResourceNotFoundError

        keys = _keys(partition, key)
        with storage_errors(self._action("read", key)):
            try:
                row: Any = self._table.get_entity(keys["PartitionKey"], keys["RowKey"])
            except ResourceNotFoundError:
                return None
        return self._read(row), row.metadata["etag"]

    def create(self, partition: str, key: str, record: M) -> str:
        """Insert and return the ETag; raises ``ConflictError`` when the key exists."""
        row = self._row(partition, key, record)
        with storage_errors(self._action("create", key)):
            return str(self._table.create_entity(row)["etag"])

    def replace(self, partition: str, key: str, record: M, etag: str) -> str:
        """Replace if unchanged since ``etag`` and return the new ETag.

        Raises:
            ConflictError: the record changed, or is gone.
        """
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceNotFoundError
        from azure.data.tables import UpdateMode

        row = self._row(partition, key, record)
        with storage_errors(self._action("replace", key)):
            try:
                changed = self._table.update_entity(
                    row, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
                )
            except ResourceNotFoundError as error:
                raise ConflictError(f"record {key!r} of {self._name} is gone") from error
        return str(changed["etag"])

    def put(self, partition: str, key: str, record: M) -> None:
        """Insert or replace, whoever wrote last."""
        from azure.data.tables import UpdateMode

        row = self._row(partition, key, record)
        with storage_errors(self._action("write", key)):
            self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    def list(self, partition: str | None = None, limit: int = 1000) -> Sequence[tuple[str, str, M]]:
        """``(partition, key, record)`` ordered by their encoded keys, at most ``limit``, over as many pages as needed."""
        if limit < 1:
            raise RefusedError(f"no list of at most {limit} records", "ask for 1 or more")
        page = min(limit, _PAGE)
        with storage_errors(f"list {self._name}"):
            if partition is None:
                found = self._table.list_entities(results_per_page=page)
            else:
                found = self._table.query_entities(
                    "PartitionKey eq @partition",
                    parameters={"partition": encode_key(partition)},
                    results_per_page=page,
                )
            rows = [*islice(found, limit)]
        return [(decode_key(r["PartitionKey"]), decode_key(r["RowKey"]), self._read(r)) for r in rows]

    @property
    def _table(self) -> TableClient:
        return self._account.table(self._name)

    def _action(self, verb: str, key: str) -> str:
        return f"{verb} record {key!r} of {self._name}"

    def _row(self, partition: str, key: str, record: M) -> dict[str, str]:
        return _keys(partition, key) | pieces_of(record, f"record {key!r} of {self._name}")

    def _read(self, row: Mapping[str, Any]) -> M:
        pieces: list[str] = []
        for n in count():
            piece = row.get(f"p{n}")
            if piece is None:
                break
            pieces.append(piece)
        try:
            return self._model.model_validate_json("".join(pieces))
        except ValidationError as error:
            what = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
            raise DefectError(
                f"row {row.get('PartitionKey')}/{row.get('RowKey')} of {self._name} is no {self._model.__name__}: {what}"
            ) from None  # the validation error would carry the record's values


def _keys(partition: str, key: str) -> dict[str, str]:
    return {"PartitionKey": encode_key(partition), "RowKey": encode_key(key)}


def pieces_of(record: BaseModel, named: str) -> dict[str, str]:
    """The JSON of ``record`` cut into properties ``p0``, ``p1`` … that a table takes.

    Raises:
        DefectError: it is larger than a row holds; ``named`` says which.
    """
    text = record.model_dump_json()
    size = 2 * utf16_length(text)
    if size > LIMIT:
        raise DefectError(f"{named} takes {size} bytes; a row holds {LIMIT}: store it as an artifact")
    step = _PIECE if size == 2 * len(text) else _PIECE // 2  # beyond the BMP a character is two UTF-16 units
    return {f"p{n}": text[start : start + step] for n, start in enumerate(range(0, len(text), step))}
