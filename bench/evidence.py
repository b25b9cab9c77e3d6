"""Measures how fast reports are recognised, validated and read into findings and tests, beside parsers that do no more.

Expat alone builds nothing, so the bare side has handlers, which do nothing: what any reader in Python has to pay. Both
sides read the same bytes in turn, in processor time, so that other work on the machine weighs on both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from bench.result import Result, compare
from shared.evidence.reading import read

GOAL = 0.5
ROUNDS, QUICK_ROUNDS = 9, 3
RESULTS, CASES = 6_000, 40_000
QUICK_SHARE = 8


def run(folder: Path, *, quick: bool) -> list[Result]:
    """MB/s of SARIF and JUnit."""
    share = QUICK_SHARE if quick else 1
    rounds = QUICK_ROUNDS if quick else ROUNDS
    return [
        _compared("SARIF", sarif(RESULTS // share), "bare json.loads", json.loads, rounds),
        _compared("JUnit", junit(CASES // share), "bare expat, handlers that do nothing", _bare_expat, rounds),
    ]


def _compared(name: str, content: bytes, peer_name: str, peer: Callable[[bytes], object], rounds: int) -> Result:
    read(content)  # schemas are compiled once in a process
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_rate(read, content))
        theirs.append(_rate(peer, content))
    return compare(
        f"validate and read {name} evidence", "MB/s", ours, peer_name=peer_name, peer=theirs, goal=GOAL
    )  # fmt: skip


def _rate(side: Callable[[bytes], object], content: bytes) -> float:
    began = time.process_time()
    side(content)
    return len(content) / 1e6 / (time.process_time() - began)


def _bare_expat(content: bytes) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: None
    parser.EndElementHandler = lambda name: None
    parser.CharacterDataHandler = lambda text: None
    parser.Parse(content, True)


def sarif(results: int) -> bytes:
    """A run with rules, regions, snippets, fingerprints and a flow for each result, about 1 KiB each."""
    rules = [
        {
            "id": f"py/rule-{number}",
            "name": f"Rule{number}",
            "shortDescription": {"text": "Finds what a request reaches unchecked"},
            "helpUri": f"https://rules.example/{number}",
            "defaultConfiguration": {"level": "warning"},
            "properties": {"tags": ["security", "external/cwe/cwe-079"], "security-severity": "7.5"},
        }
        for number in range(60)
    ]
    run = {"tool": {"driver": {"name": "Scanner", "semanticVersion": "2.19.1", "rules": rules}}}
    return json.dumps(
        {"version": "2.1.0", "runs": [run | {"results": [_result(number) for number in range(results)]}]}
    ).encode()


def _result(number: int) -> dict[str, object]:
    file = {"uri": f"src/package/module_{number % 97}.py", "uriBaseId": "%SRCROOT%", "index": number % 97}
    line = number % 900 + 1
    steps = [
        {"location": {"physicalLocation": {"artifactLocation": file, "region": {"startLine": line + step}}}}
        for step in range(3)
    ]
    return {
        "ruleId": f"py/rule-{number % 60}",
        "ruleIndex": number % 60,
        "level": "warning",
        "message": {"text": f"Value {number} comes from a request and reaches a query without being checked first."},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": file,
                    "region": {
                        "startLine": line,
                        "startColumn": 5,
                        "endLine": line + 1,
                        "endColumn": 40,
                        "snippet": {"text": '    value = request.args.get("name")'},
                    },
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{number:016x}:1", "primaryLocationStart": "4"},
        "codeFlows": [{"threadFlows": [{"locations": steps}]}],
    }


def junit(cases: int) -> bytes:
    """Suites of 100 cases with properties and output; one case in 25 failed with its trace, one in 40 was left out."""
    suites = [_suite(start, min(start + 100, cases)) for start in range(0, cases, 100)]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bench">{"".join(suites)}</testsuites>'.encode()


_TRACE = escape(
    "def test_order():\n>   assert place(order).total == 12\nE   AssertionError: assert 11 == 12\n" * 5
    + "tests/unit/orders/test_placing.py:41: AssertionError\n"
)
_OUTPUT = escape("2026-01-01T00:00:00Z INFO orders.store <pool 3> a connection was taken and given back\n" * 25)


def _suite(start: int, end: int) -> str:
    cases = "".join(_case(number) for number in range(start, end))
    return (
        f'<testsuite name="tests.unit.suite_{start}" tests="{end - start}" failures="4" errors="0" skipped="2" time="3.4">'
        f'<properties><property name="os" value="linux"/><property name="python" value="3.13"/></properties>{cases}'
        f"<system-out>{_OUTPUT}</system-out></testsuite>\n"
    )


def _case(number: int) -> str:
    opening = (
        f'<testcase classname="tests.unit.orders.test_module_{number % 97}.TestOrders" '
        f'name="test_an_order_is_placed[{number}-eur]" file="tests/unit/orders/test_module_{number % 97}.py" '
        f'line="{number % 900}" time="0.{number % 1000:03d}"'
    )
    if number % 25 == 0:
        message = quoteattr(f"AssertionError: assert {number} == {number + 1}")
        return f'{opening}><failure message={message} type="AssertionError">{_TRACE}</failure></testcase>\n'
    if number % 40 == 0:
        return (
            f'{opening}><skipped type="pytest.skip" message="no network">tests/unit: no network</skipped></testcase>\n'
        )
    return f"{opening}/>\n"
