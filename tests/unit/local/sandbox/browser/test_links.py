"""Which addresses become links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.browser.links import Reach, safe_link


@pytest.mark.parametrize("href", ["/a", "a/b", "?q=1", "#L3", "/a?x=b:c", "docs/a%3Ab.md", "./x", "/a//b"])
def test_paths_stay_on_this_origin(href: str) -> None:
    link = safe_link(href)
    assert link is not None
    assert (link.reach, link.rel) == (Reach.SAME_ORIGIN, "")


@pytest.mark.parametrize(
    "href",
    ["https://example.org/x", "HTTP://example.org", "//example.org", "/\\example.org", "\\\\e.org", "mailto:a@b.c"],
)
def test_addresses_elsewhere_are_marked_external(href: str) -> None:
    link = safe_link(href)
    assert link is not None
    assert (link.reach, link.rel) == (Reach.EXTERNAL, "noopener noreferrer")


@pytest.mark.parametrize(
    "href",
    [
        None,
        "",
        "  ",
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "http:/one-slash",
        "blob:x",
    ],
)
def test_other_schemes_and_disguises_are_no_links(href: str | None) -> None:
    assert safe_link(href) is None


@given(st.text(max_size=30))
def test_whatever_is_accepted_has_a_harmless_scheme(href: str) -> None:
    link = safe_link(href)
    if link is not None:
        # What a browser sees after dropping tabs and line breaks.
        seen = "".join(c for c in link.href if c not in "\t\r\n").strip().lower()
        head = seen.split("/")[0].split("?")[0].split("#")[0]
        if ":" in head and head.split(":")[0].isascii() and head.split(":")[0].isalpha():
            assert head.split(":")[0] in {"http", "https", "mailto"}


@given(st.sampled_from(["javascript:", "data:", "vbscript:"]), st.text(max_size=10), st.integers(0, 10))
def test_a_script_scheme_is_refused_wherever_it_is_broken_by_controls(scheme: str, rest: str, cut: int) -> None:
    for broken in ("", "\t", "\n", "\r", "\x00"):
        assert safe_link(scheme[:cut] + broken + scheme[cut:] + rest) is None
