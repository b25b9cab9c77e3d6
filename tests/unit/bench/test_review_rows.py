"""What a review is held against: the chain of calls nobody could make shorter, a budget, and what GitHub allows."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from bench.critical_path import KINDS, Made, critical_path, evidence_calls, kind_of, path_to
from bench.model_stub import completion
from bench.pull_events import opened
from bench.result import BenchError, compare
from bench.review_events import allowed, verdicts
from bench.review_world import Seen, new_files
from bench.reviews import _beside_pr_agent, budget
from bench.scanner_floor import floor
from shared.domain.change import ChangedFile, ChangeRef, FileStatus
from shared.domain.forge import ForgeName, RepositoryRef
from shared.intake.change_events import news
from shared.intake.signatures import azure_devops_secret_is_valid, github_signature_is_valid

HEAD, OTHER = "a" * 40, "b" * 40
LOOK = Made("POST https://api.example/graphql Look", 0.2)
FILES = Made("GET /repos/acme/desk/pulls/7/files?per_page=100", 0.5)
TEXTS = Made("POST https://api.example/graphql Texts", 0.3)
POLICY = Made("GET /repos/acme/desk/contents/.doneright/policy.yaml?ref=x", 0.1)
STATUS = Made(f"POST /repos/acme/desk/statuses/{HEAD}", 9.0)


def test_the_critical_path_is_the_longest_chain_by_time_and_leaves_out_what_needs_nothing():
    assert critical_path(ForgeName.GITHUB, [LOOK, FILES, TEXTS, POLICY]) == (0.8, ("files", "texts"))
    slow = LOOK._replace(seconds=0.9)
    seconds, chain = critical_path(ForgeName.GITHUB, [slow, FILES, TEXTS, POLICY])
    assert (round(seconds, 3), chain) == (1.0, ("look", "policy"))
    assert path_to(ForgeName.GITHUB, [slow, FILES, TEXTS, POLICY], "texts") == 0.8
    with pytest.raises(BenchError, match="no call for texts"):
        path_to(ForgeName.GITHUB, [LOOK], "texts")


def test_what_no_verdict_rests_on_is_not_on_the_path_however_long_it_takes():
    assert critical_path(ForgeName.GITHUB, [LOOK, STATUS]) == (0.2, ("look",))
    assert evidence_calls(ForgeName.GITHUB, [LOOK, STATUS]) == [LOOK]
    assert critical_path(ForgeName.GITHUB, []) == (0.0, ())


def test_calls_of_one_kind_count_as_the_slowest_unless_each_needs_the_one_before():
    assert critical_path(ForgeName.GITHUB, [FILES, TEXTS, TEXTS._replace(seconds=0.4)])[0] == 0.9
    pull = Made("GET /acme/Desk/_apis/git/repositories/Desk/pullRequests/3", 0.1)
    items = Made("POST /acme/_apis/wit/workItemsBatch", 0.25)
    assert critical_path(ForgeName.AZURE_DEVOPS, [pull, items, items]) == (0.6, ("pull request", "items"))


def test_a_call_that_nobody_has_described_is_refused_by_its_name():
    with pytest.raises(BenchError, match="teleport"):
        critical_path(ForgeName.GITHUB, [Made("GET /repos/acme/desk/teleport", 0.1)])


@pytest.mark.parametrize("forge", list(ForgeName))
def test_every_kind_needs_only_kinds_that_there_are(forge):
    names = {kind.name for kind in KINDS[forge]}
    assert all(set(kind.needs) <= names for kind in KINDS[forge])


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("GET /repos/a/b/pulls/7/files?per_page=100&page=2", "further files"),
        ("GET /repos/a/b/pulls/7/files?per_page=100", "files"),
        ("GET /repos/a/b/compare/x...y?per_page=1&page=2", "comparison"),
        (f"GET /repos/a/b/commits/{HEAD}/status?per_page=100", "announcement"),
    ],
)
def test_kinds_are_known_by_address(call, kind):
    assert kind_of(ForgeName.GITHUB, call).name == kind


def test_the_budget_grows_by_one_a_page():
    assert [budget(ForgeName.GITHUB, files) for files in (1, 100, 101, 3_000)] == [16, 16, 17, 45]
    assert budget(ForgeName.AZURE_DEVOPS, 3_000) == 17


def test_a_verdict_is_the_second_status_of_a_head():
    told = Seen("POST", f"/repos/acme/desk/statuses/{HEAD}", 0.1)
    strange = Seen("POST", f"/repos/acme/desk/statuses/{OTHER}", 0.1)
    assert verdicts([told], frozenset([HEAD])) == 0
    assert verdicts([told, strange, strange], frozenset([HEAD])) == 0
    assert verdicts([told, told, told], frozenset([HEAD])) == 1
    assert verdicts([told, told._replace(method="GET")], frozenset([HEAD])) == 0


def test_githubs_limits_allow_what_the_scarcer_of_content_and_points_does():
    write, read = Seen("POST", "/repos/a/b/issues/1/comments", 0.1), Seen("GET", "/repos/a/b/pulls/1", 0.1)
    assert allowed([write, write], 1) == pytest.approx(80 / 60 / 2)
    assert allowed([write, *[read] * 895], 1) == pytest.approx(900 / 60 / 900)
    assert allowed([write] * 4, 2) == pytest.approx(80 / 60 / 2)
    with pytest.raises(BenchError, match="asked nothing"):
        allowed([], 1)


def test_one_comment_too_many_misses_the_goal():
    assert compare("c", "comments", [200.0], peer_name="one each", peer=[200.0], goal=1.0).met
    assert not compare("c", "comments", [201.0], peer_name="one each", peer=[200.0], goal=1.0).met


def test_a_peer_that_did_not_run_is_no_goal_met_and_says_why():
    row = _beside_pr_agent([2.0, 3.0, 4.0], "it said nothing after 3 calls")
    assert not row.met
    assert "peer not run: it said nothing after 3 calls" in row.name
    assert row.ours == 3.0
    assert _beside_pr_agent([2.0], [4.0]).met


def test_a_large_change_has_as_many_files_as_asked_for_and_no_two_alike():
    files = new_files(90)
    assert len(files) == 90
    assert sum(path.startswith("tests/") for path in files) == 18
    assert all(files.values())


def test_the_scanners_can_be_no_quicker_than_the_slowest_nor_than_the_cores():
    files = [ChangedFile(path=path, status=FileStatus.ADDED, content=text) for path, text in new_files(20).items()]
    few, many = floor(files[:2]), floor(files)
    assert 0 < few < many


@pytest.mark.parametrize("forge", list(ForgeName))
def test_the_event_is_one_that_begins_a_review(forge, tmp_path):
    ready = SimpleNamespace(host="http://h", github_webhook_secret="s" * 20, azure_devops_webhook_secret="t" * 20)
    ref = ChangeRef(forge=forge, repository=RepositoryRef(owner="acme", name="desk"), number=7)
    event = opened(ready, ref, HEAD)
    named = "pull_request" if forge is ForgeName.GITHUB else "git.pullrequest.created"
    told = news(forge, named, json.loads(event.body))
    assert (told.ref, told.head, told.closed) == (ref, HEAD, False)
    if forge is ForgeName.GITHUB:
        assert github_signature_is_valid(
            [ready.github_webhook_secret], event.body.encode(), event.headers["X-Hub-Signature-256"]
        )
    else:
        assert azure_devops_secret_is_valid([ready.azure_devops_webhook_secret], event.headers["Authorization"], None)


def test_the_model_answers_as_the_interface_promises():
    answer = completion({"model": "stub"})
    assert answer["choices"][0]["message"]["content"].startswith("```yaml\nreview:")
    assert answer["model"] == "stub"
