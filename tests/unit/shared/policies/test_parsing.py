"""A policy anyone may have written becomes rules, or every field at fault by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.load import definition_of_done
from shared.definitions.reading import LineFault
from shared.domain.definition import Stage
from shared.domain.policy import Enforcement, Level, Policy, Rule
from shared.errors import DefectError
from shared.policies import parsing
from shared.policies.parsing import parse, shipped_policy

DONE = definition_of_done()


def faults(text: str | bytes) -> list[tuple[int, str, str]]:
    found = parse(text, DONE, Level.REPOSITORY)
    assert not isinstance(found, Policy)
    return [(fault.line, fault.field, fault.problem) for fault in found]


def rules(text: str) -> dict[str, Rule]:
    found = parse(text, DONE, Level.REPOSITORY)
    assert isinstance(found, Policy), found
    assert found.level is Level.REPOSITORY
    return found.rules


def test_both_forms_of_a_rule_are_read() -> None:
    found = rules(
        "version: 3\n"
        "stages:\n"
        "  integration:\n"
        "    ci_is_green: enforced\n"
        "    no_flaky_tests: off\n"
        "    overall_coverage_holds:\n"
        "      enforcement: advisory\n"
        "      thresholds: {overall: 92.5}\n"
        "    licenses_are_allowed:\n"
        "      thresholds:\n"
        "        licenses: [MIT, ISC]\n"
        "  meta:\n"
    )
    assert found == {
        "ci_is_green": Rule(enforcement=Enforcement.ENFORCED, line=4),
        "no_flaky_tests": Rule(enforcement=Enforcement.OFF, line=5),
        "overall_coverage_holds": Rule(enforcement=Enforcement.ADVISORY, thresholds={"overall": 92.5}, line=6),
        "licenses_are_allowed": Rule(thresholds={"licenses": ("MIT", "ISC")}, line=9),
    }


@pytest.mark.parametrize("text", ["", "# nothing", "version: 1", "stages:", "stages: {}", "stages: {meta: {}}"])
def test_a_text_that_says_nothing_is_a_policy(text: str) -> None:
    assert rules(text) == {}


def test_every_fault_is_named_at_once_with_its_line() -> None:
    found = faults(
        "version: 0\n"
        "stage: {}\n"
        "stages:\n"
        "  integrations: {}\n"
        "  integration:\n"
        "    ci_is_gren: enforced\n"
        "    ci_is_green: mandatory\n"
        "    changelog_has_entry:\n"
        "      enforcment: off\n"
        "    docs_accompany_api_change: {}\n"
        "    overall_coverage_holds:\n"
        "      thresholds:\n"
        "        overal: 90\n"
        "        overall: lots\n"
        "    change_is_described:\n"
        "      thresholds: {sections: 1}\n"
        "    licenses_are_allowed:\n"
        "      thresholds: {licenses: MIT}\n"
        "    functionality_works: enforced\n"
        "  release: [1]\n"
    )
    assert found == [
        (1, "version", "0 is not a whole number from 1"),
        (2, "stage", "is not a field here; perhaps stages"),
        (4, "stages.integrations", "is not a field here; perhaps integration"),
        (6, "stages.integration.ci_is_gren", "is no criterion; perhaps ci_is_green"),
        (7, "stages.integration.ci_is_green", "'mandatory' is not one of the choices: off, advisory, enforced"),
        (9, "stages.integration.changelog_has_entry.enforcment", "is not a field here; perhaps enforcement"),
        (10, "stages.integration.docs_accompany_api_change", "says nothing"),
        (13, "stages.integration.overall_coverage_holds.thresholds.overal", "is not a field here; perhaps overall"),
        (14, "stages.integration.overall_coverage_holds.thresholds.overall", "'lots' is not a figure in percent"),
        (
            16,
            "stages.integration.change_is_described.thresholds",
            "are not taken: change_is_described has none; leave them out",
        ),
        (18, "stages.integration.licenses_are_allowed.thresholds.licenses", "is not a list of words"),
        (19, "stages.integration.functionality_works", "belongs to the stage development; put it there"),
        (20, "stages.release", "is not an object of criteria"),
    ]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("true", "True is not a figure in percent"),
        ("null", "nothing is not a figure in percent"),
        ("101", "is not accepted: 101 percent cannot be"),
        ("-1", "is not accepted: -1 percent cannot be"),
        (".nan", "'.nan' is not a figure in percent"),
        ("[1]", "[1] is not a figure in percent"),
    ],
)
def test_a_figure_that_cannot_be_is_named(value: str, problem: str) -> None:
    text = f"stages:\n  integration:\n    overall_coverage_holds:\n      thresholds:\n        overall: {value}\n"
    assert faults(text) == [(5, "stages.integration.overall_coverage_holds.thresholds.overall", problem)]


def test_an_entry_that_cannot_be_is_named() -> None:
    text = "stages:\n  integration:\n    licenses_are_allowed:\n      thresholds:\n        licenses:\n        - MIT\n        - '<x>'\n"
    (line, field, problem) = faults(text)[0]
    assert (line, field) == (7, "stages.integration.licenses_are_allowed.thresholds.licenses.1")
    assert "pattern" in problem


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: &a 1\n", 1),
        ("stages:\n  meta: !!python/name:os.system\n", 2),
        ("stages:\n  meta: {}\n  meta: {}\n", 3),
        (b"\xff\xfe", 1),
        ("[" * 100, 1),
        ("x" * 70_000, 1),
    ],
)
def test_a_hostile_text_is_one_fault_with_its_line(text: str | bytes, line: int) -> None:
    assert [(fault[0], fault[1]) for fault in faults(text)] == [(line, "(whole)")]


def test_thresholds_are_an_object() -> None:
    text = "stages:\n  integration:\n    overall_coverage_holds:\n      thresholds: 90\n"
    assert faults(text) == [
        (4, "stages.integration.overall_coverage_holds.thresholds", "is not an object with the fields overall")
    ]


@pytest.mark.parametrize("text", ["[]", "word", "3", "stages: 3", "stages: [meta]"])
def test_another_shape_is_a_fault(text: str) -> None:
    assert "is not an object with the fields" in faults(text)[0][2]


names = st.sampled_from([one.id for one in DONE.criteria[:6]] + ["nonsense", "ci_is_green", "1", ""])
values = st.sampled_from(
    ["off", "enforced", "{enforcement: advisory}", "{thresholds: {overall: 90}}", "[]", "~", "{a: b}", "3"]
)


@given(st.dictionaries(st.sampled_from([*Stage, "other"]), st.dictionaries(names, values, max_size=3), max_size=3))
def test_any_policy_is_read_or_told_by_lines_that_are_there(stages: dict[str, dict[str, str]]) -> None:
    text = "stages:\n" + "".join(
        f"  {stage}:\n" + "".join(f"    '{name}': {value}\n" for name, value in rules_.items())
        for stage, rules_ in stages.items()
    )
    found = parse(text, DONE, Level.PROJECT)
    if isinstance(found, Policy):
        assert set(found.rules) <= set(DONE.by_id())
        assert all(
            text.splitlines()[rule.line - 1].strip().startswith(f"'{name}'") for name, rule in found.rules.items()
        )
    else:
        assert found
        assert all(1 <= fault.line <= text.count("\n") and isinstance(fault, LineFault) for fault in found)
        assert [fault.line for fault in found] == sorted(fault.line for fault in found)


def test_the_shipped_policy_says_something_of_every_criterion() -> None:
    shipped = shipped_policy()
    assert set(shipped.rules) == set(DONE.by_id())
    assert {rule.enforcement for rule in shipped.rules.values()} == set(Enforcement)


def test_what_must_never_be_merged_is_enforced_from_the_start() -> None:
    enforced = {name for name, rule in shipped_policy().rules.items() if rule.enforcement is Enforcement.ENFORCED}
    assert enforced >= {
        "no_secrets",
        "change_is_approved",
        "ci_is_green",
        "comments_are_resolved",
        "no_critical_findings",
    }


def test_a_shipped_policy_at_fault_is_a_defect(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("stages:\n  meta: 3\n", encoding="utf-8")
    monkeypatch.setattr(parsing, "DEFAULT_POLICY", path)
    with pytest.raises(DefectError, match=r"policy\.yaml:2: stages\.meta is not an object"):
        shipped_policy.__wrapped__()
