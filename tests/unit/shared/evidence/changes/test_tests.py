"""Test cases a change adds or changes are found, and each is classed by the documented rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.change import Unknown
from shared.evidence.changes.cases import Case, CaseClass, classed
from shared.evidence.changes.gherkin import scenarios
from shared.evidence.changes.kinds import TestLayer
from shared.evidence.changes.tests import all_touched, cases_of, touched_cases
from tests.fakes.changes import file

P, N, E = CaseClass.POSITIVE, CaseClass.NEGATIVE, CaseClass.EDGE


def found(path: str, before: str | None, after: str) -> dict[str, Case]:
    cases = touched_cases(file(path, before, after))
    assert not isinstance(cases, Unknown), cases.reason
    return {one.name: one for one in cases}


def kinds(path: str, source: str) -> dict[str, CaseClass]:
    return {name: one.kind for name, one in found(path, None, source).items()}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("test_orders_are_shipped", P),
        ("test_a_bad_order_is_refused", N),
        ("refusesEmptyName", N),
        ("test_empty_basket_costs_nothing", E),
        ("test_ships_without_errors", P),
        ("handles the largest basket", E),
        ("test_badge_is_shown", P),
        ("", P),
    ],
)
def test_a_name_says_what_a_case_shows(words: str, kind: CaseClass) -> None:
    assert classed(words)[0] is kind


def test_what_a_body_expects_outranks_the_name() -> None:
    assert classed("test_empty_name", refusal="raises") == (N, "expects a refusal: raises")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("assert total(3) == 3", P),
        ("assert total(0) == 3", E),
        ("assert total([]) == 3", E),
        ("assert total(None) == 3", E),
        ("assert total(-1) == 3", E),
        ("assert total(math.inf) == 3", E),
        ("assert total(False) == 3", P),
        ("assert total(x) == 0", P),
        ("with pytest.raises(ValueError):\n        total(3)", N),
        ("self.assertRaises(ValueError, total, 3)", N),
        ("assert answer.status_code == 404", N),
        ("assert answer.status_code == 200", P),
        ("assert total(404) == 404", P),
    ],
)
def test_a_body_says_what_a_case_shows(body: str, kind: CaseClass) -> None:
    assert kinds("tests/test_a.py", f"def test_total():\n    {body}\n") == {"test_total": kind}


def test_a_property_looks_for_limits() -> None:
    assert kinds("tests/test_a.py", "@given(st.text())\ndef test_it(x):\n    assert x == x\n") == {"test_it": E}


PARAMETERS = """@pytest.mark.parametrize(
    ("given", "sum"),
    [
        (3, 3),
        ([], 1),
        pytest.param("x", 2, id="unknown word"),
        pytest.param("y", 2, marks=pytest.mark.skip),
    ],
)
def test_total(given, sum):
    assert total(given) == sum
"""


def test_each_set_of_parameters_is_a_case() -> None:
    assert kinds("tests/test_a.py", PARAMETERS) == {
        "test_total[3-3]": P,
        "test_total[[]-1]": E,
        "test_total[unknown word]": N,
        "test_total['y'-2]": P,
    }
    assert found("tests/test_a.py", None, PARAMETERS)["test_total['y'-2]"].skipped


def test_ids_beside_the_sets_name_them() -> None:
    source = '@pytest.mark.parametrize("a", [1, 2], ids=["one", "invalid"])\ndef test_a(a):\n    assert a\n'
    assert kinds("tests/test_a.py", source) == {"test_a[one]": P, "test_a[invalid]": N}


def test_parameters_computed_elsewhere_make_one_case() -> None:
    assert kinds("tests/test_a.py", '@pytest.mark.parametrize("a", CASES)\ndef test_a(a):\n    assert a\n') == {
        "test_a": P
    }


def test_a_new_set_of_parameters_adds_its_case_alone() -> None:
    before = PARAMETERS.replace('        pytest.param("x", 2, id="unknown word"),\n', "")
    assert {(name, one.added) for name, one in found("tests/test_a.py", before, PARAMETERS).items()} == {
        ("test_total[unknown word]", True),
        # The set that follows now stands where another one stood: its line was not touched.
    }


def test_a_changed_body_changes_every_case_of_it() -> None:
    after = PARAMETERS.replace("== sum", "== sum + 0")
    changed = found("tests/test_a.py", PARAMETERS, after)
    assert len(changed) == 4
    assert not any(one.added for one in changed.values())


def test_a_test_that_lost_a_line_is_changed() -> None:
    before = "def test_a():\n    assert a()\n    assert b()\n    c()\n\ndef test_b():\n    assert b()\n"
    assert set(found("tests/test_a.py", before, before.replace("    assert b()\n    c()\n", "    c()\n"))) == {"test_a"}


def test_an_untouched_test_is_not_told() -> None:
    before = "def test_a():\n    assert a()\n"
    assert set(found("tests/test_a.py", before, before + "\ndef test_b():\n    assert b()\n")) == {"test_b"}


def test_classes_are_collected_as_pytest_does() -> None:
    source = (
        "class TestDesk:\n    def test_open(self):\n        assert 1 == one()\n"
        "class Helper:\n    def test_no(self): ...\n"
        "class Orders(unittest.TestCase):\n    def test_yes(self):\n        self.assertEqual(1, one())\n"
        "def other(): ...\n"
    )
    assert set(kinds("tests/test_a.py", source)) == {"TestDesk::test_open", "Orders::test_yes"}


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("def test_a():\n    assert one()\n", True),
        ("def test_a():\n    pass\n", False),
        ("def test_a():\n    assert True\n", False),
        ("def test_a():\n    check_that(one())\n", True),
        ("@pytest.mark.skip\ndef test_a():\n    assert one()\n", False),
        ("@pytest.mark.skip(reason='x')\ndef test_a():\n    assert one()\n", False),
        ("@pytest.mark.skipif(win, reason='x')\ndef test_a():\n    assert one()\n", True),
        ("@unittest.skip('x')\nclass TestA:\n    def test_a(self):\n        assert one()\n", False),
    ],
)
def test_a_test_that_cannot_fail_shows_nothing(source: str, shows: bool) -> None:
    (case,) = found("tests/test_a.py", None, source).values()
    assert case.shows is shows


@pytest.mark.parametrize(
    ("path", "layer"),
    [
        ("tests/unit/test_a.py", TestLayer.UNIT),
        ("tests/test_a.py", TestLayer.UNIT),
        ("tests/integration/test_a.py", TestLayer.INTEGRATION),
        ("tests/features/test_a.py", TestLayer.FUNCTIONAL),
        ("tests/security/test_a.py", TestLayer.SECURITY),
    ],
)
def test_the_folder_says_the_layer(path: str, layer: TestLayer) -> None:
    assert found(path, None, "def test_a():\n    assert a()\n")["test_a"].layer is layer


FEATURE = '''@orders
Feature: Export
  Background:
    Given a shop

  Scenario: Orders are exported
    Given an order
    When it is exported
    Then a file is written
    And it is kept

  @edge
  Scenario Outline: <count> orders are exported
    When <count> are exported
    Then <count> are written
      """
      Scenario: none
      """
    Examples:
      | count |
      | 2     |
      | 3     |

  Scenario: Somebody else asks
    When they export
    Then the export is refused

  Scenario: Not finished
    Given an order
'''


def test_scenarios_are_read_with_tags_steps_and_examples() -> None:
    first, second, third, last = scenarios(FEATURE)
    assert (first.title, first.tags, first.line, first.end) == ("Orders are exported", ("orders",), 6, 10)
    assert first.steps[-1] == "Then it is kept"
    assert (second.tags, second.examples, second.line, second.end) == (("orders", "edge"), 2, 12, 22)
    assert third.whole
    assert not last.whole


def test_scenarios_are_classed_by_tag_title_and_outcome() -> None:
    cases = found("features/export.feature", None, FEATURE)
    assert {name: one.kind for name, one in cases.items()} == {
        "Orders are exported": P,
        "<count> orders are exported": E,
        "Somebody else asks": N,
        "Not finished": P,
    }
    assert not cases["Not finished"].shows
    assert cases["Orders are exported"].layer is TestLayer.FUNCTIONAL


def test_a_rule_shares_the_tags_of_its_feature_with_its_own() -> None:
    (one,) = scenarios("@a\nFeature: F\n@b\nRule: R\n@c\nExample: E\nWhen x\nThen y\n")
    assert one.tags == ("a", "b", "c")


def test_a_scenario_is_functional_wherever_it_lies() -> None:
    assert found("shop/export.feature", None, FEATURE)["Orders are exported"].layer is TestLayer.FUNCTIONAL


def test_a_scenario_to_be_written_is_skipped() -> None:
    assert found("a.feature", None, "@wip\nScenario: A\n  When a\n  Then b\n")["A"].skipped


JEST = """describe('cart', () => {
  it('adds up', () => {
    expect(sum([1, 2])).toBe(3);
  });
  // it('is a comment', () => {});
  test("throws", () => { expect(() => sum('x')).toThrow(TypeError); });
  it(`takes an empty list`, () => {
    expect(sum([])).toBe(0);
  });
  it.each([[1, 2], [3, 4]])('maps %i', (a, b) => {
    expect(a).toBeLessThan(b);
  });
  it('answers', async () => {
    expect(response.status).toBe(403);
  });
  it.skip('later', () => { expect(1).toBe(1); });
  it('does nothing', () => { run(); });
  xit('is off', () => { expect(1).toBe(1); });
  await page.submit('it', 'x');
});
"""


def test_cases_of_javascript_are_classed() -> None:
    cases = found("src/cart.test.ts", None, JEST)
    assert {name: (one.kind, one.shows) for name, one in cases.items()} == {
        "adds up": (P, True),
        "throws": (N, True),
        "takes an empty list": (E, True),
        "maps %i": (P, True),
        "answers": (N, True),
        "later": (P, False),
        "does nothing": (E, False),
        "is off": (P, False),
    }
    assert (cases["takes an empty list"].line, cases["takes an empty list"].end) == (7, 9)


def test_code_that_is_no_test_has_no_cases() -> None:
    assert touched_cases(file("src/a.py", None, "def test_a():\n    assert a()\n")) == ()


def test_a_removed_test_file_adds_none() -> None:
    assert touched_cases(file("tests/test_a.py", "def test_a():\n    assert a()\n", None)) == ()


@pytest.mark.parametrize(
    "update", [{"content": None, "patch": None}, {"content": "def x(:\n"}, {"patch": None, "status": "modified"}]
)
def test_a_test_file_that_cannot_be_read_is_not_empty(update: dict[str, str | None]) -> None:
    whole = file("tests/test_a.py", None, "def test_a():\n    assert a()\n")
    one = type(whole).model_validate(whole.model_dump() | update)
    assert isinstance(touched_cases(one), Unknown)
    assert all_touched([one, whole])[1]


def test_tests_in_other_languages_are_told_as_unread() -> None:
    unread = touched_cases(file("src/test/java/ATest.java", None, "class ATest {}"))
    assert isinstance(unread, Unknown)
    assert not unread.supported


@given(st.text(alphabet="it(test'\"`,) =>{}\nexpect.skip each[]", max_size=200))
def test_any_text_is_read_for_cases_within_its_lines(source: str) -> None:
    cases = cases_of("a.test.js", source)
    assert not isinstance(cases, Unknown)
    assert all(1 <= one.line <= one.end <= source.count("\n") + 1 for one in cases)


@given(st.text(alphabet='Scenario: GivenWhenThen@tag|"\n Examples', max_size=300))
def test_any_text_is_read_for_scenarios_within_its_lines(source: str) -> None:
    assert all(1 <= one.line <= one.end <= source.count("\n") + 1 for one in scenarios(source))


@pytest.mark.parametrize("source", ['it("' * 3_000, "it('a', () => {});\n" * 2_001])
def test_a_file_of_nothing_but_tests_is_not_read_to_its_end(source: str) -> None:
    unread = touched_cases(file("a.test.js", None, source))
    assert isinstance(unread, Unknown) or len(unread) <= 2_000


def test_a_feature_of_thousands_of_scenarios_says_so() -> None:
    unread = touched_cases(file("a.feature", None, "Scenario: A\nWhen a\nThen b\n" * 2_001))
    assert isinstance(unread, Unknown)
    assert "2000 scenarios" in unread.reason


def test_a_file_too_large_to_be_written_by_hand_is_not_read() -> None:
    assert isinstance(touched_cases(file("a.test.js", None, "/" * 1_048_577)), Unknown)
