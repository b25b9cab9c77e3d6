"""A remark keeps its name while its line moves, and loses it when the line is another."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.change import Unknown
from shared.domain.review import Remark
from shared.reviews.fingerprints import fingerprints
from tests.fakes.changes import file, patch_of
from tests.fakes.reviewed import APP, a_remark


def of(remark: Remark, text: str, path: str = "src/app.py", **rest: object) -> str:
    return fingerprints([remark], (file(path, None, text, **rest),))[0]


def test_a_line_that_moves_keeps_its_fingerprint() -> None:
    moved = "# licence\n\n\n" + APP
    assert of(a_remark(line=5), APP) == of(a_remark(line=8), moved)


def test_indentation_and_line_ends_change_nothing() -> None:
    assert of(a_remark(line=5), APP) == of(a_remark(line=5), APP.replace("    ", "\t").replace("\n", "\r\n"))


@pytest.mark.parametrize(
    "changed",
    [APP.replace("AKIA", "vault"), APP.replace("def export(orders)", "def export(all)"), APP.replace("return [", "return (")],
)  # fmt: skip
def test_another_line_or_another_neighbour_is_another_remark(changed: str) -> None:
    assert of(a_remark(line=5), APP) != of(a_remark(line=5), changed)


def test_rule_and_path_tell_remarks_apart() -> None:
    first = of(a_remark(line=5), APP)
    assert first != of(a_remark(line=5, rule="Private Key"), APP)
    assert first != of(a_remark(line=5, path="src/other.py"), APP, path="src/other.py")


def test_two_equal_lines_are_two_remarks_in_whatever_order_they_are_told() -> None:
    text = "x = 1\nkey = 'AKIA'\nx = 1\nkey = 'AKIA'\nx = 1\n"
    first, second = a_remark(line=2), a_remark(line=4)
    files = (file("src/app.py", None, text),)
    one, two = fingerprints([first, second], files)
    assert one != two
    assert fingerprints([second, first], files) == (two, one)


def test_fixing_the_first_of_two_equal_lines_leaves_one_of_their_fingerprints() -> None:
    text = "x = 1\nkey = 'AKIA'\nx = 1\nkey = 'AKIA'\nx = 1\n"
    before = fingerprints([a_remark(line=2), a_remark(line=4)], (file("src/app.py", None, text),))
    after = fingerprints([a_remark(line=4)], (file("src/app.py", None, text.replace("'AKIA'", "vault", 1)),))
    assert set(after) < set(before)


def test_a_file_known_by_its_hunks_alone_still_has_its_lines() -> None:
    patch = patch_of("", APP)
    moved = patch_of("", "# licence\n" + APP)
    first = of(a_remark(line=5), APP, content=None, patch=patch)
    assert first == of(a_remark(line=6), APP, content=None, patch=moved)
    assert first != of(a_remark(line=6), APP, content=None, patch=patch)


def test_without_lines_the_words_count_and_not_their_figures() -> None:
    def said(message: str) -> str:
        return fingerprints([Remark(message=message, path="src/big.py", rule="large_file")], ())[0]

    assert said("src/big.py alone changes 700 lines.") == said("src/big.py alone changes 812 lines.")
    assert said("src/big.py alone changes 700 lines.") != said("src/big.py is new.")


def test_a_tools_own_fingerprint_is_taken_for_what_it_says() -> None:
    own = a_remark(line=5, fingerprint="tool-1")
    assert of(own, APP) == of(own.model_copy(update={"line": 9}), APP.replace("AKIA", "other"))
    assert of(own, APP) != of(a_remark(line=5, fingerprint="tool-2"), APP)


def test_files_that_are_not_known_stop_nothing() -> None:
    found = fingerprints([a_remark(), a_remark(line=400)], Unknown(reason="HTTP 502"))
    assert len(set(found)) == 2


def test_a_line_beyond_the_file_or_a_file_of_blank_lines_stops_nothing() -> None:
    assert len({of(a_remark(line=9_999), APP), of(a_remark(line=3), "\n" * 100_000)}) == 2


@given(
    st.lists(
        st.builds(
            Remark,
            message=st.text(min_size=1, max_size=20),
            path=st.sampled_from(["", "src/app.py", "gone.py"]),
            line=st.none() | st.integers(1, 12),
            rule=st.sampled_from(["", "R1"]),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_no_two_share_one_and_their_order_does_not_matter(remarks: list[Remark], random: object) -> None:
    files = (file("src/app.py", None, APP),)
    found = fingerprints(remarks, files)
    assert len(set(found)) == len(remarks)
    assert all(re.fullmatch(r"[0-9a-f]{16,64}", one) for one in found)
    shuffled = list(remarks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sorted(fingerprints(shuffled, files)) == sorted(found)
