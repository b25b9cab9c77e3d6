"""The change that Casey offers for review: first careless, then mended in two pushes."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping

TITLE = "fix: never charge a fraction of a cent"
BRANCH = "fix/{item}-whole-cents"
BUG = "Discounts leave fractions of a cent"
BUG_BODY = """A discount of 7 % leaves fractions of a cent, and the gateway refuses them.

## Acceptance criteria

Scenario: a discount is taken off
Given a price of 1000 cents
When 25 percent are taken off
Then 750 cents are charged

Scenario: no percentage
Given a price of 1000 cents
When 101 percent are taken off
Then the discount is refused
"""
BODY = """## What changes, and why

Discounts are computed in whole cents, because the gateway refuses fractions.

## How it was checked

Unit and functional tests, with percentages at both ends.

## Before asking for a review

- [x] A work item or issue is linked
- [x] Tests show the new behaviour, and what is refused
- [x] CHANGELOG.md has a line under *Unreleased* when users would notice
- [x] docs/threat-model.md is still true, or was changed
- [x] No secret or personal data in code, tests, logs or this text
- [x] Rolling back to the version before works, or the steps are written above
"""
MODULE = "src/payments_api/discounts.py"
UNIT_TEST = "tests/unit/test_discounts.py"
FUNCTIONAL_TEST = "tests/functional/test_discounts.py"
CHANGELOG = "CHANGELOG.md"

_CODE = '''"""Discounts in whole cents."""


def discounted(cents: int, percent: int) -> int:
    """What is left to pay of ``cents`` after ``percent`` off. Raises ``ValueError`` for what is no percentage."""
    if not 0 <= percent <= 100:
        raise ValueError(f"{percent} is no percentage")
    return cents - cents * percent // 100
'''
_TESTS = '''"""Discounts are whole cents, at both ends too."""

import pytest

from payments_api.discounts import discounted


def test_a_discount_is_taken_off():
    assert discounted(1000, 25) == 750


@pytest.mark.parametrize("percent", [-1, 101])
def test_what_is_no_percentage_is_refused(percent):
    with pytest.raises(ValueError, match="no percentage"):
        discounted(1000, percent)


@pytest.mark.parametrize(("percent", "left"), [(0, 1000), (100, 0)])
def test_both_ends_are_percentages(percent, left):
    assert discounted(1000, percent) == left
'''


def leaked_key() -> str:
    """Something that looks like an access key, made anew each time and good for nothing."""
    return "AKIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))


def careless(key: str) -> Mapping[str, str]:
    """The first push: a key in the code, no test, nothing in the changelog."""
    return {MODULE: _CODE.replace('cents."""\n', f'cents."""\n\nGATEWAY_KEY = "{key}"\n', 1)}


def mended() -> Mapping[str, str]:
    """The second push: the key is out, the tests are there."""
    return {MODULE: _CODE, UNIT_TEST: _TESTS, FUNCTIONAL_TEST: _TESTS}


def told(changelog: str) -> Mapping[str, str]:
    """The third push: users can read what changed."""
    line = "### Fixed\n\n- Discounts never leave a fraction of a cent.\n"
    head, mark, rest = changelog.partition("## [Unreleased]\n")
    return {CHANGELOG: f"{head}{mark}\n{line}{rest}"}


def junit() -> str:
    """What the pipeline's test run reports."""
    cases = "".join(
        f'<testcase classname="tests.unit.test_discounts" name="{name}" time="0.01"/>'
        for name in ("test_a_discount_is_taken_off", "test_what_is_no_percentage_is_refused", "test_both_ends")
    )
    return f'<testsuites><testsuite name="unit" tests="3" failures="0" errors="0" time="0.1">{cases}</testsuite></testsuites>'


def cobertura(*, with_change: bool) -> str:
    """What the pipeline measured: every line ran."""
    files = {"src/payments_api/main.py": range(1, 41)}
    if with_change:
        files[MODULE] = range(1, 9)
    classes = "".join(
        f'<class name="{path}" filename="{path}" line-rate="1"><methods/><lines>'
        + "".join(f'<line number="{number}" hits="1"/>' for number in lines)
        + "</lines></class>"
        for path, lines in files.items()
    )
    count = sum(len(lines) for lines in files.values())
    return (
        f'<?xml version="1.0"?><coverage line-rate="1" branch-rate="1" lines-covered="{count}" lines-valid="{count}"'
        ' branches-covered="0" branches-valid="0" complexity="0" version="7" timestamp="1"><sources><source>.</source>'
        f'</sources><packages><package name="payments_api" line-rate="1"><classes>{classes}</classes></package></packages>'
        "</coverage>"
    )
