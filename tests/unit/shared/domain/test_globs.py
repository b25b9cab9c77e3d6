"""Glob patterns mean what pathlib means by them, whatever the path looks like."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.globs import fits

PATTERNS = (
    "**/*.md",
    "docs/**",
    "**/tests/**",
    "src/*.py",
    "**/test_*.py",
    "a?c",
    "[ab].txt",
    "**",
    "**/compose.y*ml",
    "x/**/y",
)
PATHS = (
    "", ".", "README.md", "docs", "docs/a", "docs/a/b.md", "tests/x.py", "a/tests/b/c.py", "src/a.py", "src/a/b.py", "abc",
    "a/b", "a.txt", "c.txt", ".hidden/.x.md", "x/y", "x/a/b/y", "x//y", "./x/y", "a\nb.md", "über/ß.md", "docs/a.md/", "A.MD",
    "compose.yaml", "deep/compose.yml", "a[b].txt", "a|b.md", "(a).md",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_each_pattern_means_what_it_means_to_pathlib(path):
    for pattern in PATTERNS:
        assert fits(path, (pattern,)) is PurePosixPath(path).full_match(pattern), pattern


@given(st.text("ab./*?[]!-|\n^$", max_size=12), st.lists(st.text("ab./*?[]!-|^$", min_size=1, max_size=8), max_size=4))
def test_many_patterns_fit_where_one_of_them_does(path, patterns):
    assert fits(path, tuple(patterns)) is any(PurePosixPath(path).full_match(one) for one in patterns)


def test_no_pattern_fits_nothing():
    assert not fits("a.py", ())
