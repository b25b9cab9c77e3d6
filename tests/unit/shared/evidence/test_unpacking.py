"""Packed reports are unpacked as a stream, and a bomb is refused long before it is whole."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RefusedError
from shared.evidence.limits import MIB, Limits
from shared.evidence.unpacking import TooLargeError, unpacked

SMALL = Limits(body=4 * MIB, report=2 * MIB, unpacked=3 * MIB, ratio=50, reports=3)


def zipped(*files: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.mkdir("folder")
        for number, content in enumerate(files):
            archive.writestr(f"folder/{number}", content)
    return target.getvalue()


def test_as_it_is():
    assert unpacked(b"{}") == [b"{}"]


@given(st.binary(min_size=1, max_size=5000).filter(lambda b: b.strip() and b[:2] not in {b"\x1f\x8b", b"PK"}))
def test_gzip_and_zip_give_back_what_was_packed(content):
    assert unpacked(gzip.compress(content)) == [content]
    assert unpacked(zipped(content, content)) == [content, content]
    assert unpacked(zipped(content, method=zipfile.ZIP_STORED)) == [content]


def test_gzip_of_several_members_and_padding():
    assert unpacked(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0") == [b"one two"]


def test_a_large_report_comes_back_whole():
    content = random.Random(1).randbytes(1_500_000)
    assert unpacked(gzip.compress(content)) == [content]


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_a_bomb_is_refused_by_its_ratio_and_never_held(pack):
    bomb = pack(b"0" * (64 * MIB))
    assert len(bomb) < 100_000
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="times"):
        unpacked(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * MIB


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_a_report_over_the_limit_is_refused(pack):
    packed = pack(b"0123456789abcdef\n" * 200_000)
    with pytest.raises(TooLargeError, match=r"2097152 are the most|times"):
        unpacked(packed, SMALL)


def test_sizes_in_headers_are_not_believed():
    packed = bytearray(gzip.compress(b"0" * 10))
    packed[-4:] = b"\xff\xff\xff\x7f"
    with pytest.raises(RefusedError, match="gzip"):
        unpacked(bytes(packed))


def test_many_files_and_much_in_all_are_refused():
    with pytest.raises(TooLargeError, match="4 files"):
        unpacked(zipped(b"a", b"b", b"c", b"d"), SMALL)
    noise = random.Random(1).randbytes(1_200_000)
    with pytest.raises(TooLargeError, match="content"):
        unpacked(zipped(noise, noise, noise), SMALL)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(b"{}", mtime=0)[:-6], "too early"),
        (gzip.compress(b"{}", mtime=0) + b"more", "something else"),
        (b"\x1f\x8b" + b"\0" * 20, "gzip cannot"),
        (b"PK\x03\x04nonsense", "zip cannot"),
        (zipped(), "holds no report"),
        (gzip.compress(gzip.compress(b"{}", mtime=0), mtime=0), "more than once"),
        (zipped(zipped(b"{}")), "more than once"),
        (zipped(b"{}", method=zipfile.ZIP_BZIP2), "not read"),
    ],
)
def test_refused(content, told):
    with pytest.raises(RefusedError, match=told) as refused:
        unpacked(content)
    assert refused.value.remedy


def test_a_body_over_the_limit_is_refused():
    with pytest.raises(TooLargeError, match="the body"):
        unpacked(b"x" * (4 * MIB + 1), SMALL)
    with pytest.raises(TooLargeError, match="a report"):
        unpacked(b"x" * (2 * MIB + 1), SMALL)


@given(st.binary(max_size=200), st.sampled_from([b"\x1f\x8b\x08\0", b"PK\x03\x04"]))
def test_any_damage_is_a_refusal(rest, magic):
    with pytest.raises(RefusedError):
        unpacked(magic + rest)


@given(st.integers(0, 200), st.integers(0, 255))
def test_any_damage_to_an_archive_is_a_refusal_or_harmless(place, byte):
    packed = bytearray(zipped(b"{}" * 30))
    packed[place % len(packed)] = byte
    try:
        reports = unpacked(bytes(packed))
    except RefusedError:
        return
    assert reports
