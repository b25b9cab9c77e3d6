"""An archive is read within bounds, whatever it holds and wherever it ends."""

import gzip
import io
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.adapters.github.errors import NotFoundError
from shared.adapters.github.reviews import archive, texts
from shared.domain.forge import RepositoryRef
from shared.errors import RefusedError, TransientError
from tests.integration.adapters.serving import UtcClock

DESK = RepositoryRef(owner="contoso", name="desk")
COMMIT = "a" * 40


def _packed(files, links=()):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(f"contoso-desk-aaaaaaa/{path}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for path in links:
            info = tarfile.TarInfo(f"contoso-desk-aaaaaaa/{path}")
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(info)
    return stream.getvalue()


@contextmanager
def _serving(status, content, *, promised=None, elsewhere=None):
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append((self.path, self.headers.get("Authorization")))
            if elsewhere and "/tarball/" in self.path:
                self.send_response(302)
                self.send_header("Location", elsewhere(self))
                self.end_headers()
                return
            self.send_response(status)
            self.send_header("Content-Length", str(promised or len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _client(url):
    return GitHubForge(PersonalAccessToken(token=SecretStr("secret")), clock=UtcClock(), base_url=url)._client


def _read(url, wanted, largest=1_000, total=10_000):
    return archive.files_of(_client(url), DESK, COMMIT, frozenset(wanted), largest=largest, total=total)


def test_only_what_is_wanted_is_read():
    long = "x/" * 80 + "ü.py"
    packed = _packed({"a.py": b"a", "b.py": b"b", long: b"c", "huge.bin": b"x" * 2_000}, links=["link.py"])
    with _serving(200, packed) as (url, heard):
        assert _read(url, ["a.py", long, "huge.bin", "none.py", "link.py"]) == {
            "a.py": b"a",
            long: b"c",
            "huge.bin": None,
        }
        assert heard == [(f"/repos/contoso/desk/tarball/{COMMIT}", "token secret")]


def test_reading_ends_with_the_room_for_texts():
    with _serving(200, _packed({f"f{n}": b"x" * 900 for n in range(20)})) as (url, _):
        assert len(_read(url, [f"f{n}" for n in range(20)], total=5_000)) == 5


def test_bounds_end_it_with_what_was_read(monkeypatch):
    monkeypatch.setattr(archive, "MOST_UNPACKED", 200_000)
    with _serving(200, _packed({"first": b"1", "bomb": bytes(5_000_000), "last": b"2"})) as (url, _):
        assert _read(url, ["first", "last"]) == {"first": b"1"}
    monkeypatch.setattr(archive, "MOST_SENT", 100)
    with _serving(200, _packed({"first": b"1" * 500})) as (url, _):
        assert _read(url, ["first"]) == {}


@pytest.mark.parametrize("content", [b"no archive", gzip.compress(b"x" * 600), _packed({"a": b"x" * 900})[:-40]])
def test_what_breaks_off_is_tried_again(content):
    with _serving(200, content) as (url, _), pytest.raises(TransientError):
        _read(url, ["a", "b"])


def test_a_connection_that_ends_early_is_tried_again():
    packed = _packed({"a": bytes(range(256)) * 40})
    with _serving(200, packed[: len(packed) // 2], promised=len(packed)) as (url, _), pytest.raises(TransientError):
        _read(url, ["a"], largest=100_000, total=100_000)


@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (403, RefusedError), (503, TransientError)])
def test_refusals_are_told_as_any(status, error):
    with _serving(status, b"{}") as (url, _), pytest.raises(error):
        _read(url, ["a"])


def test_nobody_there_is_tried_again():
    with pytest.raises(TransientError, match="did not answer"):
        _read("http://127.0.0.1:9", ["a"])


def test_the_token_does_not_go_to_another_host():
    with _serving(200, _packed({"a.py": b"a"})) as (other, heard_there):
        there = other.replace("127.0.0.1", "localhost")
        with _serving(200, b"", elsewhere=lambda request: there + request.path + "?token=brief") as (url, _):
            found = _read(url, ["a.py"])
    assert found == {"a.py": b"a"}
    assert [authorization for _, authorization in heard_there] == [None]


def test_texts_of_an_archive_are_told_apart_from_binaries(monkeypatch):
    monkeypatch.setattr(texts, "MOST_BATCHED", 0)
    monkeypatch.setattr(texts, "LARGEST", 100)
    packed = _packed({"a.py": "ü".encode(), "b.bin": b"\0", "c.txt": b"\xff", "d.txt": b"x" * 101})
    with _serving(200, packed) as (url, _):
        found = texts.texts_at(_client(url), DESK, COMMIT, ["a.py", "b.bin", "c.txt", "d.txt"])
    assert found == {
        "a.py": texts.Text("ü"),
        "b.bin": texts.Text(None, binary=True),
        "c.txt": texts.Text("\ufffd"),
        "d.txt": texts.Text(None),
    }
