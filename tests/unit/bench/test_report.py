"""The table, the JSON file and the page say the same, and a missed goal is said plainly."""

import io
import json

import pytest
from rich.console import Console

from bench import report
from bench.result import BenchError, Result

MET = Result(
    name="rate", unit="requests/s", ours=1234.0, peer_name="peer", peer=1000.0, ratio=1.234, goal=1.0, met=True
)
MISSED = Result(name="time", unit="ms", ours=3.0, peer_name="other", peer=1.0, ratio=3.0, goal=1.5, met=False)
MEMBERS = ["name", "unit", "ours", "peer_name", "peer", "ratio", "goal", "met"]


def test_json_is_a_list_of_objects_with_exactly_the_promised_members(tmp_path):
    file = tmp_path / "results.json"
    report.write_json([MET, MISSED], file)
    kept = json.loads(file.read_text())
    assert [list(row) for row in kept] == [MEMBERS, MEMBERS]
    assert [row["met"] for row in kept] == [True, False]


def test_table_names_missed_goals_and_the_direction_of_each():
    told = io.StringIO()
    Console(file=told, width=140).print(report.table([MET, MISSED]))
    lines = told.getvalue().splitlines()
    assert any("rate" in line and "≥ 1" in line and line.rstrip().endswith("met") for line in lines)
    assert any("time" in line and "≤ 1.5" in line and line.rstrip().endswith("missed") for line in lines)


def test_page_shows_the_new_run_and_keeps_its_words(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.update_page(page, [MISSED], "A machine.")
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "A machine." in text
    assert "| time | ms | 3 | 1 | other | 3.00 | ≤ 1.5 | **missed** |" in text
    report.update_page(page, [MISSED], "A machine.")
    assert page.read_text() == text


@pytest.mark.parametrize("text", ["nothing", report.BEGIN, report.END])
def test_page_without_a_place_for_the_run_is_refused_and_left_alone(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(BenchError, match="must hold"):
        report.update_page(page, [MET], "A machine.")
    assert page.read_text() == text


@pytest.mark.parametrize(("value", "shown"), [(12345.6, "12,346"), (99.94, "99.9"), (0.1234, "0.123")])
def test_figures_keep_the_digits_that_mean_something(value, shown):
    assert report.figure(value) == shown


def test_machine_is_described_without_names():
    described = report.machine()
    assert "cores" in described
    assert "Python 3.13" in described
