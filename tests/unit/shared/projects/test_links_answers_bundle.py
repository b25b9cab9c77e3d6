"""Links that cannot be forged, answers in which nothing acts, and bundles that are the same bytes every time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from shared.domain.forge import ForgeName
from shared.domain.plan import StepProgress, StepState
from shared.domain.run import ProjectState
from shared.projects import bundle
from shared.projects.answers import concluded, plain, refused, took
from shared.projects.links import Links
from tests.fakes.app import KEY, T0
from tests.fakes.forges import blob_digest

LINKS = Links("https://doneright.example/", KEY)
GFM = MarkdownIt("gfm-like", {"linkify": False, "html": True})


@given(st.text(), st.text())
def test_only_the_right_token_opens(value, guess):
    token = LINKS.token("view", value)
    assert LINKS.token_is_valid("view", value, token)
    assert not LINKS.token_is_valid("comment", value, token)
    assert not LINKS.token_is_valid("view", value + "x", token)
    assert not LINKS.token_is_valid("view", value, guess)


def test_another_key_makes_other_tokens():
    assert not Links("https://x", b"another key of 32 bytes, or more").token_is_valid(
        "view", "a", LINKS.token("view", "a")
    )


def test_a_state_holds_until_it_expires():
    state = LINKS.state("github-app", "acme", T0)
    assert LINKS.value_of_state("github-app", state, T0) == "acme"
    assert LINKS.value_of_state("github-app", state, T0 + timedelta(seconds=1)) is None
    assert LINKS.value_of_state("view", state, T0) is None


@pytest.mark.parametrize(
    "forged", ["", ".", "..", "acme", "acme.9999999999", "acme.9999999999." + "0" * 32, "a.b.c.\udce9"]
)
def test_forged_states_say_nothing(forged):
    assert LINKS.value_of_state("github-app", forged, T0) is None


def test_addresses():
    assert LINKS.api("/audit/x") == "https://doneright.example/api/audit/x"
    assert LINKS.status("a/b").startswith("https://doneright.example/api/view/a%2Fb?token=")


@given(st.text(max_size=120))
def test_nothing_a_requester_writes_acts_in_an_answer(text):
    markdown = refused(f"x {text}", "", ())
    html = GFM.render(markdown)
    assert html.count("<") == html.replace("<p>", "").replace("</p>", "").count("<") + 2, html


@pytest.mark.parametrize(
    ("hostile", "acting"),
    [
        ("@octocat", "@octocat"),
        ("&commat;octocat", "@octocat"),
        ("&#64;octocat", "@octocat"),
        ("owner/repo#1", "#1"),
        ("&num;1", "#1"),
        ("GH-1", "GH-1"),
        ("https://evil.example", "://"),
        ("www.evil.example", "www."),
        ("<b>x</b>", "<b>"),
        ("![x](y)", "<img"),
        ("[x](y)", "<a"),
        ("a | b\n|---|---|", "<table"),
    ],
)
def test_known_tricks_are_inert(hostile, acting):
    assert acting not in GFM.render(plain(hostile))


@given(st.text(st.characters(categories=["L", "N", "Zs", "P"]), max_size=60))
def test_people_still_read_what_was_written(text):
    shown = GFM.renderInline(plain(text)).replace("\u200b", "")
    for entity, character in (("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        shown = shown.replace(entity, character)
    assert shown == " ".join(text.split())


def test_the_last_answer_tells_times_and_links():
    step = StepProgress(
        step="github.hook", title="Hook", forge=ForgeName.GITHUB, kind="hook", state=StepState.APPLIED, url="https://x",
        started_at=T0, finished_at=T0 + timedelta(milliseconds=1260),
    )  # fmt: skip
    skipped = step.model_copy(update={"state": StepState.SKIPPED, "started_at": None, "url": ""})
    text = concluded("P", ProjectState.FAILED, [step, skipped], status_url="https://s", root="ab", size=2)
    assert "| Hook | ✅ made | 1.3 s | [open](https://x) |" in text
    assert "1 of 2 steps did not succeed" in text
    assert took(skipped) == ""


@given(st.dictionaries(st.text("abc/.", min_size=1), st.binary(max_size=50), max_size=5), st.randoms())
def test_bundles_are_the_same_bytes_and_come_out_as_they_went_in(files, random):
    executable = {path for path in files if random.random() < 0.5}
    packed = bundle.pack(files, executable)
    shuffled = list(files.items())
    random.shuffle(shuffled)
    assert bundle.pack(dict(shuffled), executable) == packed
    unpacked = bundle.unpack(packed)
    assert (unpacked.files, unpacked.executable) == (files, executable)
    assert unpacked.git_digests() == {path: blob_digest(content) for path, content in files.items()}
    assert bundle.digest_of(packed).startswith("sha256:")
