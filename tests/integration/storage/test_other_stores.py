"""Artifacts, records and queues: one contract over memory and over Azurite."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.artifacts import BlobArtifactStore, blob_name
from shared.adapters.storage.queue import StorageQueue
from shared.adapters.storage.records import TableRecords
from shared.errors import ConflictError, DefectError, RefusedError
from tests.fakes.storage import MemoryArtifacts, MemoryQueue, MemoryRecords
from tests.integration.storage.conftest import BOTH, LossyTransport


class Note(BaseModel):
    model_config = ConfigDict(frozen=True)

    text: str
    count: int = 0


class Shelf(BaseModel):
    text: int


@BOTH
class TestArtifacts:
    @pytest.fixture
    def store(self, kind: str, request: pytest.FixtureRequest, unique: Callable[[str], str]) -> Any:
        if kind == "memory":
            return MemoryArtifacts(limit=1000)
        return BlobArtifactStore(request.getfixturevalue("account"), unique("artifacts"), limit=1000)

    @pytest.mark.parametrize("content", [b"", b"{}", bytes(range(256))])
    def test_what_is_put_is_got(self, store: Any, content: bytes) -> None:
        digest = store.put(content, "application/json")
        assert store.get(digest) == content
        assert store.media_type(digest) == "application/json"

    def test_the_name_is_the_sha256(self, store: Any) -> None:
        digest = store.put(b"abc", "text/plain")
        assert digest == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    def test_putting_again_changes_nothing(self, store: Any) -> None:
        assert store.put(b"abc", "text/plain") == store.put(b"abc", "text/html")
        assert store.media_type(store.claim(b"abc")) == "text/plain"

    def test_a_claim_is_found_by_its_digest(self, store: Any) -> None:
        digest = store.claim(b"a large message")
        assert store.get(digest) == b"a large message"
        assert store.media_type(digest) == "application/octet-stream"

    def test_what_is_too_large_is_refused(self, store: Any) -> None:
        assert store.get(store.put(b"x" * 1000, "text/plain")) == b"x" * 1000
        with pytest.raises(RefusedError, match="1001 bytes"):
            store.put(b"x" * 1001, "text/plain")

    def test_what_is_absent_is_refused(self, store: Any) -> None:
        for read in (store.get, store.media_type):
            with pytest.raises(RefusedError, match="no artifact"):
                read("sha256:" + "0" * 64)

    @pytest.mark.parametrize(
        "digest", ["", "sha256:", "md5:" + "0" * 32, "sha256:" + "A" * 64, "sha256:../" + "0" * 61]
    )
    def test_what_is_no_digest_is_refused(self, store: Any, digest: str) -> None:
        for read in (store.get, store.media_type):
            with pytest.raises(RefusedError, match="no artifact digest"):
                read(digest)

    def test_altered_content_is_not_handed_out(self, store: Any) -> None:
        digest = store.put(b"abc", "text/plain")
        if isinstance(store, MemoryArtifacts):
            store.tamper(digest, b"abd")
        else:
            store._blob(digest).upload_blob(b"abd", overwrite=True)
        with pytest.raises(DefectError, match="altered"):
            store.get(digest)


def test_artifacts_lie_in_folders_of_two_digits() -> None:
    assert blob_name("sha256:ab" + "c" * 62) == "sha256/ab/" + "c" * 62


@BOTH
class TestRecords:
    @pytest.fixture
    def records(self, kind: str, request: pytest.FixtureRequest, unique: Callable[[str], str]) -> Any:
        if kind == "memory":
            return MemoryRecords(Note)
        return TableRecords(request.getfixturevalue("account"), unique("notes"), Note)

    def test_a_record_reads_back(self, records: Any) -> None:
        etag = records.create("p/1", "k#?", Note(text="é'\"\n"))
        assert records.get("p/1", "k#?") == (Note(text="é'\"\n"), etag)
        assert records.get("p/1", "other") is None

    def test_a_key_is_taken_once(self, records: Any) -> None:
        records.create("p", "k", Note(text="first"))
        with pytest.raises(ConflictError):
            records.create("p", "k", Note(text="second"))
        assert records.get("p", "k")[0].text == "first"

    def test_only_an_unchanged_record_is_replaced(self, records: Any) -> None:
        first = records.create("p", "k", Note(text="a"))
        second = records.replace("p", "k", Note(text="b"), first)
        with pytest.raises(ConflictError):
            records.replace("p", "k", Note(text="c"), first)
        assert records.get("p", "k") == (Note(text="b"), second)
        records.replace("p", "k", Note(text="d"), second)
        assert records.get("p", "k")[0].text == "d"

    def test_a_record_that_is_gone_is_a_conflict(self, records: Any) -> None:
        etag = records.create("p", "k", Note(text="a"))
        with pytest.raises(ConflictError):
            records.replace("p", "never", Note(text="b"), etag)

    def test_put_takes_whoever_wrote_last(self, records: Any) -> None:
        records.put("p", "k", Note(text="a"))
        before = records.get("p", "k")[1]
        records.put("p", "k", Note(text="b"))
        assert records.get("p", "k")[0].text == "b"
        assert records.get("p", "k")[1] != before

    def test_a_shorter_record_leaves_nothing_of_a_longer_one(self, records: Any) -> None:
        records.put("p", "k", Note(text="x" * 100_000))
        records.put("p", "k", Note(text="y"))
        assert records.get("p", "k")[0] == Note(text="y")

    def test_listing_is_in_key_order_by_partition_or_whole(self, records: Any) -> None:
        for partition, key in (("b", "1"), ("a", "2"), ("a", "1/x"), ("c d", "0")):
            records.put(partition, key, Note(text=key))
        assert [(p, k) for p, k, _ in records.list()] == [("a", "1/x"), ("a", "2"), ("b", "1"), ("c d", "0")]
        assert list(records.list("a")) == [("a", "1/x", Note(text="1/x")), ("a", "2", Note(text="2"))]
        assert [k for _, k, _ in records.list(limit=2)] == ["1/x", "2"]
        assert list(records.list("none")) == []

    def test_an_impossible_list_is_refused(self, records: Any) -> None:
        with pytest.raises(RefusedError):
            records.list(limit=0)

    @pytest.mark.parametrize("text", ["x" * 450_000, "\U0001d4b3" * 80_000, "é" * 30_001])
    def test_a_large_record_reads_back(self, records: Any, text: str) -> None:
        records.put("p", "k", Note(text=text))
        assert records.get("p", "k")[0].text == text

    def test_what_no_row_holds_is_refused(self, records: Any) -> None:
        for text in ("x" * 470_000, "\U0001d4b3" * 235_000):
            with pytest.raises(DefectError, match="artifact"):
                records.create("p", "k", Note(text=text))
        assert records.get("p", "k") is None

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), st.text(max_size=20))
    def test_any_name_is_a_key(self, records: Any, name: str, text: str) -> None:
        note = Note.model_construct(text=text.encode("utf-8", "replace").decode(), count=1)
        records.put(name, name, note)
        assert records.get(name, name)[0] == note
        assert list(records.list(name)) == [(name, name, note)]


@pytest.mark.stack
def test_a_list_runs_over_many_pages(account: StorageAccount, unique: Callable[[str], str]) -> None:
    name = unique("many")
    table = account.table(name)
    for start in range(0, 1100, 100):
        table.submit_transaction(
            ("create", {"PartitionKey": "p", "RowKey": f"{n:04d}", "p0": f'{{"text":"{n}"}}'})
            for n in range(start, start + 100)
        )
    records = TableRecords(account, name, Note)
    assert [key for _, key, _ in records.list("p", limit=1050)] == [f"{n:04d}" for n in range(1050)]
    assert len(records.list()) == 1000


@pytest.mark.stack
def test_a_row_that_is_no_such_record_says_so_without_its_values(
    account: StorageAccount, unique: Callable[[str], str]
) -> None:
    name = unique("notes")
    TableRecords(account, name, Note).put("p", "k", Note(text="private words"))
    with pytest.raises(DefectError, match="text") as failure:
        TableRecords(account, name, Shelf).get("p", "k")
    assert "private words" not in str(failure.value)
    assert failure.value.__cause__ is None


@BOTH
class TestQueue:
    @pytest.fixture
    def queue(self, kind: str, request: pytest.FixtureRequest, unique: Callable[[str], str]) -> Any:
        if kind == "memory":
            return MemoryQueue()
        return StorageQueue(request.getfixturevalue("account"), unique("queue"))

    @staticmethod
    def sent(queue: Any) -> list[str]:
        if isinstance(queue, MemoryQueue):
            return queue.messages
        client = queue._account.queue(queue._name)
        return [message.content for message in client.receive_messages()]

    @pytest.mark.parametrize("message", ["{}", "é<&>\x00\x1f\U0001d4b3", "x" * 48 * 1024])
    def test_what_is_sent_arrives(self, queue: Any, message: str) -> None:
        queue.send(message)
        assert self.sent(queue) == [message]

    @pytest.mark.parametrize("message", ["x" * (48 * 1024 + 1), "é" * (24 * 1024 + 1)])
    def test_what_is_too_large_names_the_claim_check(self, queue: Any, message: str) -> None:
        with pytest.raises(DefectError, match="claim check"):
            queue.send(message)
        assert self.sent(queue) in ([], None)

    def test_half_a_character_is_refused(self, queue: Any) -> None:
        with pytest.raises(DefectError, match="Unicode"):
            queue.send("\ud800")


@pytest.mark.stack
def test_messages_are_base64_as_functions_read_them(account: StorageAccount, unique: Callable[[str], str]) -> None:
    name = unique("queue")
    StorageQueue(account, name).send("é")
    raw = account._queue_service().get_queue_client(name)
    assert base64.b64decode(raw.peek_messages()[0].content).decode() == "é"


@pytest.mark.stack
class TestAccount:
    def test_what_exists_is_asked_for_once(
        self, azurite: str, lossy: LossyTransport, unique: Callable[[str], str]
    ) -> None:
        name = unique("once")
        account = StorageAccount(connection_string=azurite, transport=lambda: lossy)
        queue, store, records = StorageQueue(account, name), BlobArtifactStore(account, name), None
        records = TableRecords(account, name, Note)
        for n in range(3):
            queue.send("m")
            store.put(str(n).encode(), "text/plain")
            records.put("p", "k", Note(text="x"))
        assert len(lossy.seen) == 3 + 9, "three creations, then one request each"

    def test_another_process_finds_what_the_first_created(self, azurite: str, unique: Callable[[str], str]) -> None:
        name = unique("both")
        for _ in range(2):
            account = StorageAccount(connection_string=azurite)
            StorageQueue(account, name).send("m")
            BlobArtifactStore(account, name).put(b"x", "text/plain")
            TableRecords(account, name, Note).put("p", "k", Note(text="x"))
            account.close()

    def test_a_wrong_key_is_refused_with_the_remedy(self, azurite: str, unique: Callable[[str], str]) -> None:
        wrong = azurite.replace("AccountKey=Eby8", "AccountKey=AAAA")
        account = StorageAccount(connection_string=wrong)
        for call in (
            lambda: TableRecords(account, unique("t"), Note).get("p", "k"),
            lambda: StorageQueue(account, unique("q")).send("m"),
            lambda: BlobArtifactStore(account, unique("c")).put(b"x", "text/plain"),
        ):
            with pytest.raises(RefusedError, match="403") as failure:
                call()
            assert "Data Contributor" in failure.value.remedy
        account.close()
