"""Whatever bytes are sent, a report is read or refused with a reason and a remedy; nothing else ever happens."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.errors import RefusedError
from shared.evidence.limits import LIMITS
from shared.evidence.reading import read

SAMPLES = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "samples").iterdir())}
JSON_SAMPLES = {name: json.loads(content) for name, content in SAMPLES.items() if content[:1] in {b"{", b"["}}
HUGE = 10**400
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["", HUGE, -1, "..", "a/../b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def read_or_refused(content: bytes) -> None:
    try:
        read(content)
    except RefusedError as error:
        assert error.reason
        assert error.remedy
        assert len(error.reason) < 1000


@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff\xfe{\x00}\x00")
@example(b"\xef\xbb\xbf<testsuites/>")
@example(b"<bom/>")
@example(b"<?xml version='1.0' encoding='utf-7'?><testsuites/>")
@example(b"<?xml version='1.0' encoding='no-such'?><testsuites/>")
@example(b'{"version":"2.1.0","runs":null}')
def test_any_bytes(content):
    read_or_refused(content)


@given(st.sampled_from(sorted(SAMPLES)), st.randoms(use_true_random=False), st.integers(1, 8))
@settings(max_examples=300, deadline=None)
def test_a_sample_with_damage(name, chance, wounds):
    content = bytearray(SAMPLES[name])
    for _ in range(wounds):
        start = chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[start] = chance.randrange(256)
            case 1:
                del content[start : start + chance.randrange(40)]
            case 2:
                content[start:start] = content[chance.randrange(len(content)) :][: chance.randrange(60)]
            case _:
                content[start:start] = chance.choice(
                    [b"9" * 400, b"-1", b"<a>", b"null", b"\0", b"..", b"\xff", b"e999"]
                )
        if not content:
            return
    read_or_refused(bytes(content))


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = [at]
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in pairs:
        inner += places(below, (*at, key))
    return inner


@given(st.sampled_from(sorted(JSON_SAMPLES)), st.data())
@settings(max_examples=400, deadline=None)
def test_a_json_sample_with_any_value_replaced(name, data):
    value = {"": copy.deepcopy(JSON_SAMPLES[name])}
    place = data.draw(st.sampled_from(places(value[""], ("",))))
    node: Any = value
    for key in place[:-1]:
        node = node[key]
    if data.draw(st.booleans()) and len(place) > 1:
        del node[place[-1]]
    else:
        node[place[-1]] = data.draw(values)
    text = json.dumps(value[""])
    try:
        content = text.encode()
    except UnicodeEncodeError:
        return
    read_or_refused(content)


def test_every_single_value_of_every_json_sample_may_be_of_any_type():
    """What chance above may not reach in its few tries."""
    chance = random.Random(7)
    for name, sample in JSON_SAMPLES.items():
        for place in places(sample):
            for wrong in (None, True, [], {}, "x", -1, 0, HUGE, 1.5, "file:///../x"):
                if len(place) == 0 or chance.random() < 0.5:
                    continue
                value = copy.deepcopy(sample)
                node: Any = value
                for key in place[:-1]:
                    node = node[key]
                node[place[-1]] = wrong
                try:
                    read(json.dumps(value).encode())
                except RefusedError as error:
                    assert error.remedy, (name, place)


ENTITIES = {
    "billion laughs": '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><testsuites>&b;</testsuites>',
    "external entity": '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]><testsuites>&a;</testsuites>',
    "parameter entity": '<!DOCTYPE l [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]><testsuites/>',
    "unparsed entity": '<!DOCTYPE l [<!NOTATION n SYSTEM "n"><!ENTITY a SYSTEM "x" NDATA n>]><testsuites/>',
    "attribute defaults": '<!DOCTYPE l [<!ATTLIST testsuites x CDATA "y">]><testsuites/>',
    "undeclared entity of an external type": '<!DOCTYPE l SYSTEM "http://127.0.0.1:9/x.dtd"><testsuites>&a;</testsuites>',
}


@pytest.mark.parametrize("document", ENTITIES.values(), ids=ENTITIES)
@pytest.mark.parametrize("root", ["testsuites", "coverage", "bom", "testResults", "OWASPZAPReport"])
def test_entities_and_declarations_are_refused_in_every_xml_format(document, root):
    with pytest.raises(RefusedError, match=r"declares|entity"):
        read(document.replace("testsuites", root).encode())


@pytest.mark.parametrize("root", ["testsuites", "coverage", "bom", "testResults", "OWASPZAPReport"])
def test_deep_xml_is_refused(root):
    depth = LIMITS.depth + 1
    with pytest.raises(RefusedError, match="nests more than 200 elements"):
        read(f"<{root}>{'<a>' * depth}{'</a>' * depth}</{root}>".encode())


def test_deep_test_cases_are_refused_too():
    with pytest.raises(RefusedError, match="nests"):
        read(b"<testsuites>" + b"<testcase>" * 300 + b"</testcase>" * 300 + b"</testsuites>")


def test_deep_json_is_refused():
    with pytest.raises(RefusedError, match="nests more than 200 values"):
        read(b'{"version":"2.1.0","runs":' + b"[" * 500 + b"]" * 500 + b"}")


@pytest.mark.parametrize("number", ["1" * 5000, "1e999", "-1e999", str(HUGE), "NaN", "Infinity"])
def test_huge_numbers_are_refused(number):
    sample = json.dumps(JSON_SAMPLES["stats.locust.json"]).replace(
        '"total_response_time": 460', f'"num_failures": {number}'
    )
    with pytest.raises(RefusedError, match=r"large|number|wrong|says|JSON|not what"):
        read(sample.encode())
    with pytest.raises(RefusedError):
        read(SAMPLES["report.playwright.json"].replace(b"1200", number.encode()))


@pytest.mark.parametrize("line", [10**30, 2**53])
def test_a_line_no_file_has_is_refused(line):
    content = SAMPLES["codeql.sarif.json"].replace(b'"startLine": 41', b'"startLine": %d' % line)
    with pytest.raises(RefusedError, match=r"impossible: findings\.0\.line"):
        read(content)


def test_a_million_little_values_are_refused_before_they_are_read():
    with pytest.raises(RefusedError, match="values"):
        read(b'{"metrics":[' + b"0," * (LIMITS.values + 1) + b"0]}")


def test_more_items_than_are_taken_are_refused():
    with pytest.raises(RefusedError, match="300000 test cases"):
        read(b"<testsuites>" + b"<testcase/>" * (LIMITS.items + 100) + b"</testsuites>")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"hello", "no format"),
        (b"[1, 2]", "list of nothing"),
        (b"[{}]", "no format"),
        (b"{}", "members none"),
        (b"<html></html>", "<html>"),
        (b"{", "not JSON"),
        (b"<a", "not XML"),
        (b"<testsuites>", "not XML"),
        (b'{"version":"1.0.0","runs":[]}', "SARIF '1.0.0' is not read"),
        (b'{"version":"2.1.0","runs":[{}]}', r"at runs\[0\]"),
        (b'{"bomFormat":"CycloneDX","specVersion":"2.0"}', "specVersion"),
        (b'{"bomFormat":"CycloneDX","specVersion":"1.7","components":[{}]}', r"at components\[0\]"),
        (b'{"spdxVersion":"SPDX-3.0","packages":[]}', "spdxVersion"),
        (b"<coverage/>", "line-rate"),
        (b'<bom xmlns="http://example.org"/>', "namespace"),
        (b"SPDXVersion: SPDX-9.0\n", "is not read"),
        (b"SPDXVersion: SPDX-2.3\nnonsense\n", "line 2"),
        (b"SPDXVersion: SPDX-2.3\nPackageComment: <text>never ends\n", "does not end"),
        (b"SF:a.py\nDA:1,1\n", "end_of_record"),
        (b"SF:a.py\nDA:x,1\nend_of_record\n", "line 2"),
        (b"DA:1,1\nSF:a.py\nend_of_record\n", "line 1"),
        (b"SF:a.py\nLF:4000000\nLH:1\nend_of_record\n", "4000000 lines"),
        (b"SF:../a.py\nDA:1,1\nend_of_record\n", "climbs"),
        (b"timeStamp,elapsed,label\n1,2,x\n", "success"),
        (b"timeStamp,elapsed,label,success\n1,2\n", "too few columns"),
        (b"timeStamp,elapsed,label,success\n1,x,l,true\n", "no whole number"),
        (b"timeStamp,elapsed,label,success\n1,1,\"" + b"x" * 200_000 + b"\",true\n", "CSV"),
        (b"Type,Name,Request Count,x\nGET,/\n", "columns"),
        (b"Type,Name,Request Count,x\nGET,/,many,\n", "no number"),
        (b"\xff\xff\xff", "not text"),
        (b'<testsuites><testcase time="long"/></testsuites>', "no number"),
        (b'<testsuites><testcase time="-5"/></testsuites>', "no duration"),
        (b'<testsuites><testcase time="inf"/></testsuites>', "no duration"),
    ],
)  # fmt: skip
def test_refusals_say_what_is_wrong(content, told):
    with pytest.raises(RefusedError, match=told) as refused:
        read(content)
    assert refused.value.remedy


def test_bases_that_lead_back_to_themselves_are_refused():
    run = {
        "tool": {"driver": {"name": "x"}},
        "originalUriBaseIds": {"A": {"uri": "a/", "uriBaseId": "A"}},
        "results": [
            {
                "message": {"text": "m"},
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": "f.py", "uriBaseId": "A"}}}],
            }
        ],
    }
    with pytest.raises(RefusedError, match="lean on one another"):
        read(json.dumps({"version": "2.1.0", "runs": [run]}).encode())


def test_powershells_utf_16_is_read():
    text = SAMPLES["c8.lcov"].decode()
    assert read(b"\xff\xfe" + text.encode("utf-16-le")) == read(SAMPLES["c8.lcov"])
    text = SAMPLES["codeql.sarif.json"].decode()
    assert read(b"\xfe\xff" + text.encode("utf-16-be")) == read(SAMPLES["codeql.sarif.json"])
