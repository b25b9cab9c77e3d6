"""Every link, anchor, path and test that the documentation names exists."""

from __future__ import annotations

import itertools
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda path: path.relative_to(ROOT).as_posix())
TOP = {path.name for path in ROOT.iterdir()} | {
    "functions",
    "orchestrations",
    "shared",
    "local",
    "tests",
    "docs",
    "bench",
}
# Made by commands, or by people, and so in no fresh clone.
MADE = ("local.settings.json", ".venv", ".doneright", "node_modules", "bench/results.json")
HERE = re.compile(r"(?:[\w.@-]+/)*[\w.@-]+(?:/|\.\w+)")
TEST = re.compile(r"test_\w+")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tokens(path: Path) -> tuple[Token, ...]:
    parsed = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    return tuple(inner for token in parsed for inner in (token, *(token.children or ())))


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors GitHub gives the headings of a page."""
    found: set[str] = set()
    parsed = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    for opening, inline in itertools.pairwise(parsed):
        if opening.type != "heading_open":
            continue
        text = "".join(child.content for child in inline.children or ())
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        number, base = 0, slug
        while slug in found:
            number += 1
            slug = f"{base}-{number}"
        found.add(slug)
    return frozenset(found)


def links(path: Path) -> list[str]:
    found = [str(token.attrGet("href") or token.attrGet("src") or "") for token in tokens(path)]
    return [link for link in found if link]


def code(path: Path) -> list[str]:
    return [token.content for token in tokens(path) if token.type == "code_inline"]


def problem_with(path: Path, link: str) -> str:
    """Why a relative link leads nowhere; empty when it does, or leads elsewhere."""
    if re.match(r"[a-z][a-z+.-]*:", link):
        return ""
    target, _, anchor = link.partition("#")
    file = (path.parent / unquote(target)).resolve() if target else path
    if target.startswith("/") or not file.is_relative_to(ROOT):
        return f"{link} leaves the repository"
    if not file.exists():
        return f"{link} is not there"
    if anchor and file.suffix == ".md" and anchor not in anchors(file):
        return f"{link}: {named(file)} has no heading {anchor}"
    return ""


def looks_like_a_path(text: str) -> bool:
    return bool(HERE.fullmatch(text)) and text.split("/", 1)[0] in TOP and not text.startswith(MADE)


@cache
def names_of_tests() -> frozenset[str]:
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(name for source in sources for name in re.findall(r"def (test_\w+)", source))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_and_anchor_exists(page: Path) -> None:
    assert [problem for link in links(page) if (problem := problem_with(page, link))] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_path_in_code_marks_exists(page: Path) -> None:
    assert [text for text in code(page) if looks_like_a_path(text) and not (ROOT / text).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_test_in_code_marks_exists(page: Path) -> None:
    assert [text for text in code(page) if TEST.fullmatch(text) and text not in names_of_tests()] == []


def test_every_page_is_reached_from_the_map() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "docs" / "index.md", ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = (link.partition("#")[0] for link in links(page) if not re.match(r"[a-z][a-z+.-]*:", link))
        ahead += [
            file for t in targets if t and (file := (page.parent / t).resolve()).suffix == ".md" and file.is_file()
        ]
    assert [named(page) for page in PAGES if page not in reached] == []


def test_the_scenarios_the_threat_model_names_exist() -> None:
    text = (ROOT / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")
    features = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "features").glob("*.feature"))
    told = set(re.findall(r"^ *Scenario(?: Outline)?: (.+)$", features, re.MULTILINE))
    scenarios = re.findall(r"scenario \*([^*]+)\*", text)
    assert scenarios
    assert [name for name in scenarios if name not in told] == []


def test_pictures_are_small_and_described() -> None:
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 300_000, picture.name
    bare = [named(page) for page in PAGES for token in tokens(page) if token.type == "image" and not token.content]
    assert bare == []


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("nowhere.md", "not there"),
        ("docs/index.md#nothing-like-it", "no heading"),
        ("../elsewhere.md", "leaves"),
        ("/etc/hosts", "leaves"),
        ("README.md#map", ""),
        ("#limits", ""),
        ("https://example.com/nothing", ""),
    ],
)
def test_a_link_that_leads_nowhere_is_found(link: str, reason: str) -> None:
    problem = problem_with(ROOT / "README.md", link)
    assert (reason in problem) if reason else problem == ""


def test_paths_are_told_from_other_code() -> None:
    assert looks_like_a_path("shared/ports.py")
    assert looks_like_a_path("tests/features/")
    assert looks_like_a_path("host.json")
    assert not looks_like_a_path("python -m local")
    assert not looks_like_a_path("application/json")
    assert not looks_like_a_path("local.settings.json")
