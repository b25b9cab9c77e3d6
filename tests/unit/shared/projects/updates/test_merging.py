"""A merge keeps what both sides did, marks what it cannot decide, and says the same as git where git is at hand."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.projects.updates.matching import LARGEST_GAP, matches
from shared.projects.updates.merging import Extent, Names, extent, is_text, lines_of, merge, with_ends_of

NAMES = Names(team=b"main (yours)", base=b"scaffold 1.0.0", template=b"scaffold 1.1.0")
MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
TEXTS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"\n", b"e"]), max_size=12).map(b"".join)
UNIQUE = [b"line %d\n" % n for n in range(14)]


@st.composite
def edits(draw) -> bytes:
    """Up to three changes of a text whose lines are all different."""
    lines = list(UNIQUE)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, max(len(lines) - 1, 0)))
        match draw(st.sampled_from(["change", "insert", "delete"])):
            case "change":
                lines[at : at + 1] = [b"changed %d\n" % draw(st.integers(0, 3))]
            case "insert":
                lines.insert(at, b"inserted %d\n" % draw(st.integers(0, 3)))
            case "delete":
                del lines[at : at + 1]
    return b"".join(lines)


def test_disjoint_changes_are_both_kept():
    base = b"1\n2\n3\n4\n5\n"
    merged = merge(base, b"one\n2\n3\n4\n5\n", b"1\n2\n3\n4\nfive\nsix\n", NAMES)
    assert merged.content == b"one\n2\n3\n4\nfive\nsix\n"
    assert merged.conflicts == ()


def test_a_conflict_shows_all_three_sides_between_gits_markers():
    merged = merge(b"1\n2\n3\n", b"1\ntwo\n3\n", b"1\nzwei\n3\n", NAMES)
    assert merged.content == (
        b"1\n<<<<<<< main (yours)\ntwo\n||||||| scaffold 1.0.0\n2\n=======\nzwei\n>>>>>>> scaffold 1.1.0\n3\n"
    )
    assert merged.conflicts == (2,)


def test_the_same_change_on_both_sides_is_no_conflict():
    assert merge(b"1\n2\n", b"1\ntwo\n", b"1\ntwo\n", NAMES).content == b"1\ntwo\n"


def test_a_change_against_a_deletion_is_a_conflict():
    merged = merge(b"1\n2\n3\n", b"1\n3\n", b"1\nzwei\n3\n", NAMES)
    assert merged.conflicts == (2,)
    assert b"||||||| scaffold 1.0.0\n2\n=======\nzwei\n" in merged.content


def test_a_team_that_took_other_line_endings_keeps_them():
    base, template = b"1\n2\n3\n", b"1\n2\n3\n4\n"
    merged = merge(base, b"1\r\n2\r\n3\r\n", template, NAMES)
    assert merged.content == b"1\r\n2\r\n3\r\n4\r\n"
    assert merged.conflicts == ()
    back = merge(b"1\r\n2\r\n", b"one\n2\n", b"1\r\n2\r\n3\r\n", NAMES)
    assert back.content == b"one\n2\n3\n"


def test_markers_take_the_line_endings_of_the_file():
    merged = merge(b"1\n2\n", b"1\r\ntwo\r\n", b"1\nzwei\n", NAMES)
    assert merged.conflicts == (2,)
    assert all(line.endswith(b"\r\n") for line in lines_of(merged.content))


def test_mixed_line_endings_are_left_as_they_are():
    assert with_ends_of(b"1\r\n2\n", b"3\n") == b"3\n"
    assert with_ends_of(b"no line ends", b"3\r\n") == b"3\r\n"


@pytest.mark.parametrize("side", ["team", "template", "both"])
def test_a_last_line_without_an_end_swallows_nothing(side):
    base = b"1\n2"
    team = b"1\n2\n3" if side != "template" else base
    template = b"1\n2\n4" if side != "team" else base
    merged = merge(base, team, template, NAMES)
    for marker in MARKERS:
        assert all(line.startswith(marker) for line in lines_of(merged.content) if marker in line)
    if side != "both":
        assert merged.content == (team if side == "team" else template)
    else:
        assert merged.conflicts


def test_binary_and_huge_files_are_no_text():
    assert is_text(b"gr\xfc\xdf\n")
    assert not is_text(b"a\0b")
    assert not is_text(b"x" * (4 * 1024 * 1024 + 1))


def test_an_extent_counts_lines_and_says_where():
    assert extent(b"1\n2\n3\n", b"1\ntwo\n3\n4\n") == Extent(added=2, removed=1, first=2)
    assert extent(b"1\n2\n3\n", b"1\n3\n") == Extent(added=0, removed=1, first=2)
    assert extent(b"1\n2\n", b"1\r\n2\r\n") == Extent(0, 0, 0)


@given(TEXTS, TEXTS)
def test_what_one_side_changed_alone_is_what_comes_out(base, other):
    assert merge(base, other, base, NAMES).content == other
    assert merge(base, base, other, NAMES).content == with_ends_of(base, other)
    assert merge(base, other, other, NAMES).conflicts == ()


@given(TEXTS, TEXTS, TEXTS)
def test_clean_or_marked_nobodys_side_of_a_conflict_is_lost(base, team, template):
    merged = merge(base, team, template, NAMES)
    other = merge(base, template, team, NAMES)
    assert bool(merged.conflicts) == bool(other.conflicts)
    lines = lines_of(merged.content)
    assert [n for n, line in enumerate(lines, 1) if line.startswith(b"<<<<<<< ")] == list(merged.conflicts)
    if merged.conflicts:
        # With every conflict answered by one side, what stands is that side's lines and the other's clean changes.
        assert not any(marker in b"".join(_chosen(lines)) for marker in MARKERS)


def _chosen(lines):
    chosen, within = [], ""
    for line in lines:
        for marker in MARKERS:
            if line.startswith(marker):
                within = {b"<<<<<<<": "team", b"|||||||": "base", b"=======": "template", b">>>>>>>": ""}[marker]
                break
        else:
            if within in {"", "team"}:
                chosen.append(line)
    return chosen


@given(TEXTS, TEXTS)
def test_matches_are_of_equal_lines_and_rise(one, other):
    left, right = lines_of(one), lines_of(other)
    found = matches(left, right)
    assert all(left[a] == right[b] for a, b in found.items())
    ordered = [b for _, b in sorted(found.items())]
    assert ordered == sorted(set(ordered))


def test_a_gap_too_large_to_compare_has_nothing_in_common_but_its_ends():
    one = [b"{\n", b"}\n"] * LARGEST_GAP
    other = [b"}\n", b"{\n"] * LARGEST_GAP
    assert matches([b"x\n", *one, b"y\n"], [b"x\n", *other, b"y\n"]) == {0: 0, len(one) + 1: len(other) + 1}


@settings(max_examples=40, deadline=None)
@given(edits(), edits())
def test_git_says_the_same(tmp_path_factory, team, template):
    if shutil.which("git") is None:
        pytest.skip("git is not installed: the merge is compared with git merge-file")
    base = b"".join(UNIQUE)
    folder: Path = tmp_path_factory.mktemp("merge")
    for name, content in (("team", team), ("base", base), ("template", template)):
        (folder / name).write_bytes(content)
    labels = [word for name in (NAMES.team, NAMES.base, NAMES.template) for word in ("-L", name.decode())]
    done = subprocess.run(
        ["git", "merge-file", "-p", "--diff3", *labels, "team", "base", "template"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    merged = merge(base, team, template, NAMES)
    assert merged.content == done.stdout
    assert len(merged.conflicts) == done.returncode
