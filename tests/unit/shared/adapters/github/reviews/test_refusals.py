"""What GitHub refuses halfway through an outcome, and what becomes of it."""

import itertools

import pytest
from pydantic import SecretStr

from shared.adapters.github import GitHubForge, PersonalAccessToken
from shared.domain.change import Change, ChangeRef, Person, Unknown
from shared.domain.forge import ForgeName, MergeKind, RepositoryRef
from shared.domain.publication import OwnWord, PlacedRemark, remark_marker
from shared.errors import ConflictError, NotSupportedError, RefusedError, TransientError
from tests.integration.adapters.serving import UtcClock
from tests.unit.shared.adapters.github.scripted import Answer, scripted

DESK = RepositoryRef(owner="contoso", name="desk")
REF = ChangeRef(forge=ForgeName.GITHUB, repository=DESK, number=7)
HEAD, BASE = "a" * 40, "b" * 40
PULL = "/repos/contoso/desk/pulls/7"
ISSUE = "/repos/contoso/desk/issues/7"
CHANGE = Change.model_validate(
    {
        "ref": REF, "title": "T", "author": Person(id="5", login="bob"), "source": "f", "target": "main", "head": HEAD,
        "base": BASE, "merge_base": BASE, "created_at": "2026-01-01T00:00:00Z",
    }
)  # fmt: skip
NO_MORE = {"hasNextPage": False, "endCursor": None}
SHOWN = {"head": {"sha": HEAD}, "state": "open", "merged_at": None}


@pytest.fixture
def github():
    with scripted() as script:
        nothing = {"nodes": [], "pageInfo": NO_MORE}
        data = {
            "viewer": {"login": "ada"},
            "repository": {"pullRequest": {"comments": nothing, "reviewThreads": nothing}},
        }
        script.on("POST", "/graphql", Answer(200, {"data": data}))
        script.on("GET", PULL, Answer(200, SHOWN))
        yield script


@pytest.fixture
def forge(github):
    return GitHubForge(
        PersonalAccessToken(token=SecretStr("t")),
        clock=UtcClock(),
        base_url=github.url,
        web_url="https://github.example",
    )


def _remark(number, line=1, path="a.py"):
    mark = f"{number:016x}"
    return PlacedRemark(fingerprint=mark, path=path, line=line, body=f"{remark_marker(mark)}\nNo.")


def _invalid():
    return Answer(422, {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]})


def test_remarks_that_github_refuses_for_its_own_reasons_are_tried_one_by_one(github, forge):
    github.on("POST", f"{PULL}/reviews", _invalid())
    github.on("GET", f"{PULL}/files", Answer(200, [{"filename": "a.py", "patch": "@@ -0,0 +1,3 @@\n+a\n+b\n+c"}]))
    github.on("POST", f"{PULL}/comments", Answer(201, {}), _invalid())
    github.on("POST", f"{ISSUE}/comments", Answer(201, {}))
    posted = forge.remark(REF, HEAD, [_remark(1), _remark(2, line=2), _remark(3, line=99)])
    assert [one.placed for one in posted] == [True, False, False]
    said = [asked.body["body"] for asked in github.calls("POST", f"{ISSUE}/comments")]
    assert ["[`a.py:2`](https://github.example/contoso/desk/blob/" in body for body in said] == [True, False]
    assert all(f"#L{line})" in body for line, body in zip((2, 99), said, strict=True))
    assert [asked.body["commit_id"] for asked in github.calls("POST", f"{PULL}/comments")] == [HEAD, HEAD]


def test_no_remarks_ask_nothing(github, forge):
    assert forge.remark(REF, HEAD, []) == ()
    assert github.asked == []


def test_a_remark_that_may_not_be_said_anywhere_is_no_success(github, forge):
    github.on("POST", f"{PULL}/reviews", Answer(403, {"message": "Resource not accessible by personal access token"}))
    with pytest.raises(RefusedError, match="not accessible"):
        forge.remark(REF, HEAD, [_remark(1)])


def test_words_of_a_pull_request_that_is_not_shown(github, forge):
    github.on(
        "POST",
        "/graphql",
        Answer(
            200,
            {"data": {"viewer": None, "repository": None}, "errors": [{"type": "NOT_FOUND", "message": "None such"}]},
        ),
    )
    with pytest.raises(RefusedError, match="None such"):
        forge.own_words(REF)


@pytest.mark.parametrize(
    ("answer", "pull", "merged", "reason"),
    [
        (Answer(405, {"message": "Pull Request is not mergeable"}), SHOWN, False, "not mergeable"),
        (Answer(409, {"message": "Head branch was modified"}), SHOWN | {"merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": BASE}, True, ""),
        (Answer(502, {"message": "Bad gateway"}), SHOWN | {"merged_at": "2026-01-01T00:00:00Z"}, True, ""),
        (Answer(405, {"message": "No"}), SHOWN | {"state": "closed"}, False, "closed"),
    ],
)  # fmt: skip
def test_what_became_of_a_merge(github, forge, answer, pull, merged, reason):
    github.on("PUT", f"{PULL}/merge", answer)
    github.on("GET", PULL, Answer(200, pull))
    outcome = forge.merge(REF, HEAD, MergeKind.SQUASH, "feat: x")
    assert (outcome.merged, reason in outcome.reason) == (merged, True)


@pytest.mark.parametrize(
    ("answer", "pull", "error"),
    [
        (
            Answer(409, {"message": "Head branch was modified"}),
            Answer(200, SHOWN | {"head": {"sha": BASE}}),
            ConflictError,
        ),
        (Answer(502, {"message": "Bad gateway"}), Answer(200, SHOWN), TransientError),
        (Answer(429, {"message": "slow"}, {"Retry-After": "9"}), Answer(200, SHOWN), TransientError),
        (Answer(404, {"message": "Not Found"}), Answer(200, SHOWN), RefusedError),
        (Answer(404, {"message": "Not Found"}), Answer(404, {"message": "Not Found"}), RefusedError),
        (Answer(403, {"message": "Resource not accessible by integration"}), Answer(200, SHOWN), RefusedError),
    ],
)
def test_what_a_merge_cannot_tell_is_raised(github, forge, answer, pull, error):
    github.on("PUT", f"{PULL}/merge", answer)
    github.on("GET", PULL, pull)
    with pytest.raises(error) as caught:
        forge.merge(REF, HEAD, MergeKind.MERGE, "feat: x")
    if error is RefusedError:
        assert caught.value.remedy


def test_a_merge_is_asked_for_exactly_what_was_reviewed(github, forge):
    github.on("PUT", f"{PULL}/merge", Answer(200, {"sha": BASE, "merged": True}))
    forge.merge(REF, HEAD, MergeKind.SQUASH, "feat: title\n\nWhy.\n")
    forge.merge(REF, HEAD, MergeKind.REBASE, "feat: title")
    bodies = [asked.body for asked in github.calls("PUT", f"{PULL}/merge")]
    assert bodies[0] == {"sha": HEAD, "merge_method": "squash", "commit_title": "feat: title", "commit_message": "Why."}
    assert bodies[1] == {"sha": HEAD, "merge_method": "rebase"}


def test_a_branch_that_goes_while_it_is_deleted_is_gone(github, forge):
    ref = "/repos/contoso/desk/git/ref/heads/fix/it"
    github.on("GET", ref, Answer(200, {"object": {"sha": HEAD}}), Answer(404, {"message": "Not Found"}))
    github.on(
        "DELETE", "/repos/contoso/desk/git/refs/heads/fix/it", Answer(422, {"message": "Reference does not exist"})
    )
    forge.delete_branch(DESK, "fix/it", HEAD)
    assert len(github.calls("GET", ref)) == 2


def test_a_label_that_goes_while_it_is_taken_off_is_off(github, forge):
    github.on("GET", f"{ISSUE}/labels", Answer(200, [{"name": "old"}]))
    forge.set_labels(REF, [], ["Old"])
    assert [asked.path for asked in github.asked if asked.method == "DELETE"] == [f"{ISSUE}/labels/Old"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            Answer(403, {"message": "Advanced Security must be enabled for this repository to use code scanning."}),
            NotSupportedError,
        ),
        (Answer(403, {"message": "Code scanning is not enabled for this repository."}), NotSupportedError),
        (Answer(404, {"message": "Not Found"}), NotSupportedError),
        (Answer(403, {"message": "Resource not accessible by integration"}), RefusedError),
        (Answer(413, {"message": "too large"}), RefusedError),
        (Answer(503, {"message": "down"}), TransientError),
    ],
)
def test_sarif_that_is_not_taken(github, forge, answer, error):
    github.on("POST", "/repos/contoso/desk/code-scanning/sarifs", answer)
    with pytest.raises(error) as caught:
        forge.upload_sarif(CHANGE, b"{}")
    assert type(caught.value) is not NotSupportedError or error is NotSupportedError


def test_alerts_name_every_scanner_that_did_not_look(github, forge):
    base = "/repos/contoso/desk"
    github.on("GET", f"{base}/code-scanning/analyses", Answer(404, {"message": "no analysis found"}))
    github.on(
        "GET",
        f"{base}/dependabot/alerts",
        Answer(403, {"message": "Dependabot alerts are disabled for this repository."}),
    )
    github.on("GET", f"{base}/secret-scanning/alerts", Answer(200, []))
    part = forge.alerts(CHANGE)
    assert isinstance(part, Unknown)
    assert part.supported, "code scanning may yet run"
    assert f"code scanning: no analysis of {HEAD[:12]} yet" in part.reason
    assert "Dependabot alerts are disabled" in part.reason
    assert "secret scanning:" not in part.reason


def test_an_analysis_of_an_earlier_merge_of_this_head_counts(github, forge):
    base = "/repos/contoso/desk"
    analysis = {"tool": {"name": "CodeQL"}, "ref": "refs/pull/7/merge", "commit_sha": "c" * 40}
    github.on("GET", f"{base}/code-scanning/analyses", Answer(200, [analysis]))
    github.on("GET", f"{base}/git/commits/{'c' * 40}", Answer(200, {"parents": [{"sha": BASE}, {"sha": HEAD}]}))
    github.on("GET", f"{base}/code-scanning/alerts", Answer(200, []))
    github.on("GET", f"{base}/dependabot/alerts", Answer(200, []))
    github.on("GET", f"{base}/secret-scanning/alerts", Answer(200, []))
    assert forge.alerts(CHANGE) == ()
    github.on("GET", f"{base}/git/commits/{'c' * 40}", Answer(200, {"parents": [{"sha": BASE}, {"sha": "d" * 40}]}))
    assert isinstance(forge.alerts(CHANGE), Unknown)


def test_a_scanner_that_is_down_is_asked_again(github, forge):
    github.on("GET", "/repos/contoso/desk/code-scanning/analyses", Answer(503, {"message": "down"}))
    with pytest.raises(TransientError):
        forge.alerts(CHANGE)
    with pytest.raises(TransientError):
        forge.alerts(CHANGE)


def _entry(name, status="modified", **rest):
    where = f"https://x/contents/{name}?ref={HEAD}"
    return {"filename": name, "status": status, "additions": 1, "deletions": 1, "contents_url": where, **rest}


def test_a_patch_that_github_leaves_out_is_made_from_both_texts(github, forge):
    listed = [
        _entry("a.py"),
        _entry("copy.py", "copied", previous_filename="a.py", patch="@@ -1 +1 @@\n-a\n+b"),
        _entry("mode.sh", "changed", additions=0, deletions=0),
        _entry("gone.bin", "removed", additions=0, deletions=0),
        _entry("odd.py", patch="@@ -1 +1 @@\n-x\n+not what is there"),
    ]
    github.on("GET", f"{PULL}/files", Answer(200, listed))
    here = {"a.py": "one\nthree\n", "copy.py": "b\n", "mode.sh": "x\n", "odd.py": "new\n"}
    there = {"a.py": "one\ntwo\n", "odd.py": "old\n"}

    def blobs(asked):
        found = {}
        for n, part in enumerate(asked.body["query"].split('expression: "')[1:]):
            commit, _, name = part.split('"')[0].partition(":")
            text = (here if commit == HEAD else there).get(name)
            binary = name.endswith(".bin")
            found[f"b{n}"] = (
                {"text": text, "isBinary": binary, "isTruncated": False, "byteSize": 9} if text or binary else None
            )
        return Answer(200, {"data": {"repository": found}})

    github.on("POST", "/graphql", blobs)
    found = forge.changed_files(CHANGE)
    assert not isinstance(found, Unknown)
    files = {file.path: file for file in found}
    assert files["a.py"].patch == "@@ -1,2 +1,2 @@\n one\n-two\n+three"
    assert (files["a.py"].before, files["a.py"].additions) == ("one\ntwo\n", 1)
    assert (files["copy.py"].status, files["copy.py"].previous_path, files["copy.py"].patch) == (
        "added",
        "",
        "@@ -0,0 +1 @@\n+b",
    )
    assert (files["mode.sh"].before, files["mode.sh"].content, files["mode.sh"].patch) == ("x\n", "x\n", None)
    assert (files["gone.bin"].binary, files["gone.bin"].content) == (True, None)
    assert files["odd.py"].before == "old\n", "hunks that lead nowhere are not trusted"


def test_texts_beyond_the_room_are_left_out_and_told(github, forge, monkeypatch):
    from shared.adapters.github.reviews import texts

    monkeypatch.setattr(texts, "MOST", 25)
    listed = [_entry(f"f{n}.py", "added", deletions=0, patch="@@ -0,0 +1 @@\n+0123456789") for n in range(4)]
    github.on("GET", f"{PULL}/files", Answer(200, listed))
    blob = {"text": "0123456789\n", "isBinary": False, "isTruncated": False, "byteSize": 11}
    github.on("POST", "/graphql", Answer(200, {"data": {"repository": {f"b{n}": blob for n in range(4)}}}))
    found = forge.changed_files(CHANGE)
    assert not isinstance(found, Unknown)
    assert [file.content is None for file in found] == [False, False, True, True]
    assert all(file.patch for file in found)


def test_trees_that_cannot_be_had_leave_the_list_unknown(github, forge):
    pages = itertools.count()

    def page(asked):
        next(pages)
        link = f'<{github.url}{PULL}/files?page=30>; rel="last"'
        number = next(iter([part for part in asked.query.split("&") if part.startswith("page=")]), "page=1")
        return Answer(
            200, [_entry(f"{number}-{n}.py", patch="@@ -1 +1 @@\n-a\n+b") for n in range(100)], {"Link": link}
        )

    github.on("GET", f"{PULL}/files", page)
    part = forge.changed_files(CHANGE)
    assert isinstance(part, Unknown)
    assert "3000 files and no more" in part.reason
    assert next(pages) == 30


def test_a_file_of_the_root_a_folder_and_a_link(github, forge):
    base = "/repos/contoso/desk/contents"
    github.on(
        "GET", f"{base}/a%20b/%C3%BC.py", Answer(200, {"type": "file", "encoding": "base64", "content": "eA==\n"})
    )
    github.on("GET", f"{base}/link", Answer(200, {"type": "symlink", "target": "x"}))
    assert forge.file_at(DESK, "a b/ü.py", "main") == b"x"
    assert forge.file_at(DESK, "link", "main") is None


def test_words_that_are_settled_already_are_left(github, forge):
    forge.resolve(REF, [OwnWord(id="review/1/T1", body="x", resolved=True)])
    assert github.asked == []
