"""Paths of any machine become paths of the repository, and none leads out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RefusedError
from shared.evidence.paths import RepositoryPaths


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("src/a.py", "src/a.py"),
        ("./src//a.py", "src/a.py"),
        ("src\\a.py", "src/a.py"),
        ("/home/runner/work/desk/desk/src/a.py", "src/a.py"),
        ("file:///home/runner/work/desk/desk/src/a%20b.py", "src/a b.py"),
        ("file://host/home/runner/work/desk/desk/a.py", "a.py"),
        ("/github/workspace/a.py", "a.py"),
        ("/__w/desk/desk/a.py", "a.py"),
        ("/__w/1/s/a.py", "a.py"),
        ("/home/vsts/work/1/s/src/a.py", "src/a.py"),
        ("D:\\a\\1\\s\\src\\a.cs", "src/a.cs"),
        ("D:\\a\\desk\\desk\\src\\a.cs", "src/a.cs"),
        ("file:///d:/a/desk/desk/src/a.cs", "src/a.cs"),
        ("/Users/runner/work/desk/desk/a.swift", "a.swift"),
        ("/builds/team/desk/a.py", "a.py"),
        ("/opt/ci/desk/src/a.py", None),
        ("/usr/lib/python3/x.py", None),
        ("C:\\Windows\\x.dll", None),
        ("https://desk.example/a.js", None),
        ("", None),
        (".", None),
    ],
)
def test_relative_to_the_repository(raw, path):
    assert RepositoryPaths()(raw) == path


def test_a_root_the_sender_names():
    paths = RepositoryPaths("C:\\agents\\7\\desk\\")
    assert paths("c:\\agents\\7\\DESK\\src\\a.cs") == "src/a.cs"
    assert paths("C:/agents/8/desk/src/a.cs") is None
    assert RepositoryPaths("/opt/ci/desk")("file:///opt/ci/desk/src/a.py") == "src/a.py"


def test_below_the_first_base_that_is_ours():
    paths = RepositoryPaths("/opt/ci/desk")
    assert paths.below("a.py", ["/usr/lib", "/opt/ci/desk/src"]) == "src/a.py"
    assert paths.below("a.py", ["/opt/ci/desk/"]) == "a.py"
    assert paths.below("a.py", ["."]) == "a.py"
    assert paths.below("a.py", []) == "a.py"
    assert paths.below("https://x.example/a.py", ["/opt/ci/desk/src"]) is None


@pytest.mark.parametrize(
    "raw",
    [
        "../a.py",
        "src/../../a.py",
        "src/..",
        "..\\a.py",
        "%2e%2e/a.py",
        "file:///home/runner/work/desk/desk/%2E%2E/a.py",
        "/home/runner/work/desk/desk/../../../etc/passwd",
        "a\0b",
        "a\nb",
        "a" * 1025,
    ],
)
def test_refused(raw):
    with pytest.raises(RefusedError) as refused:
        RepositoryPaths()(raw)
    assert refused.value.remedy


@given(st.text(max_size=60), st.sampled_from(["", "src", "/opt/ci"]))
def test_what_comes_out_stays_within(raw, root):
    try:
        path = RepositoryPaths(root)(raw)
    except RefusedError:
        return
    if path is not None:
        parts = path.split("/")
        assert not path.startswith("/")
        assert ".." not in parts
        assert "" not in parts
        assert "\\" not in path
