"""What a pull request changes and where it may be commented on: diffs as git makes them, forks, and lines."""

from __future__ import annotations

import base64

import pytest

from local.sandbox.github.diffs import compared, shown_lines

LONG = "".join(f"line {n}\n" for n in range(40))


def _put(http, repo, path, text, branch, sha=None):
    content = base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()
    body = {"message": f"Put {path}", "content": content, "branch": branch, **({"sha": sha} if sha else {})}
    answer = http.put(f"/repos/{repo.full_name}/contents/{path}", json=body)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()["content"]["sha"]


@pytest.fixture
def change(sandbox):
    """A repository with a pull request that renames, changes, and adds a binary."""
    repo = sandbox.repo()
    with sandbox.http() as http:
        old = _put(http, repo, "old.txt", LONG, "main")
        kept = _put(http, repo, "kept.txt", LONG, "main")
        repo.create_git_ref("refs/heads/f", repo.get_branch("main").commit.sha)
        repo.delete_file("old.txt", "Remove", old, branch="f")
        _put(http, repo, "new name.txt", LONG.replace("line 3\n", "line three\n"), "f")
        _put(http, repo, "kept.txt", LONG.replace("line 20\n", "line twenty"), "f", kept)
        _put(http, repo, "logo.png", b"\x89PNG\0", "f")
    return repo, repo.create_pull(base="main", head="f", title="T", body="")


def test_files_are_told_as_git_tells_them(change):
    _, pull = change
    files = {file.filename: file for file in pull.get_files()}
    assert set(files) == {"new name.txt", "kept.txt", "logo.png"}
    renamed = files["new name.txt"]
    assert (renamed.status, renamed.previous_filename, renamed.additions, renamed.deletions) == (
        "renamed",
        "old.txt",
        1,
        1,
    )
    assert (files["logo.png"].status, files["logo.png"].patch, files["logo.png"].changes) == ("added", None, 0)
    assert "new%20name.txt" in renamed.contents_url
    assert pull.head.sha in renamed.contents_url


def test_a_missing_line_end_is_told():
    assert (
        compared(b"a\nb", b"a\nc")[2]
        == "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file"
    )
    assert compared(b"a\r\n", b"a\n")[2] == "@@ -1 +1 @@\n-a\r\n+a"
    assert compared(b"\0", b"a") == (0, 0, None)
    added, removed, patch = compared(b"", b"x\n" * 600_000)
    assert (added, removed, patch) == (600_000, 0, None)


def test_lines_of_both_sides_are_known():
    patch = "@@ -1,2 +1,3 @@ def x\n a\n+b\n c\n@@ -9 +10,0 @@\n-z"
    assert shown_lines(patch) == (range(1, 4), range(10, 10))
    assert shown_lines(patch, "LEFT") == (range(1, 3), range(9, 10))


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        ({"path": "kept.txt", "line": 1}, "Line could not be resolved"),
        ({"path": "none.txt", "line": 1}, "Path could not be resolved"),
        ({"path": "kept.txt", "line": 20, "start_line": 1}, "Start line could not be resolved"),
        ({"path": "kept.txt", "line": 20, "start_line": 21}, "Start line could not be resolved"),
        ({"path": "kept.txt"}, "Line could not be resolved"),
    ],
)
def test_a_review_is_refused_whole_for_one_place_out_of_reach(sandbox, change, draft, words):
    repo, pull = change
    good = {"path": "kept.txt", "line": 21, "body": "Fine"}
    with sandbox.http() as http:
        body = {"event": "COMMENT", "body": "See", "comments": [good, {"body": "x", **draft}]}
        answer = http.post(f"/repos/{repo.full_name}/pulls/{pull.number}/reviews", json=body)
        assert (answer.status_code, answer.json()["errors"]) == (422, [words])
        other = {**body, "comments": [good], "commit_id": repo.get_branch("main").commit.sha}
        answer = http.post(f"/repos/{repo.full_name}/pulls/{pull.number}/reviews", json=other)
        assert answer.json()["errors"] == ["Commit could not be resolved"]
    assert pull.get_review_comments().totalCount == 0


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"path": "kept.txt", "line": 1}, "pull_request_review_thread.line"),
        ({"path": "none.txt", "line": 1}, "pull_request_review_thread.path"),
        ({"path": "kept.txt", "line": 21, "start_line": 1}, "pull_request_review_thread.start_line"),
        ({"path": "kept.txt", "line": 21, "start_line": 22}, "pull_request_review_thread.start_line"),
    ],
)
def test_a_comment_out_of_reach_names_the_field(sandbox, change, draft, field):
    repo, pull = change
    with sandbox.http() as http:
        body = {"body": "x", "commit_id": pull.head.sha, **draft}
        answer = http.post(f"/repos/{repo.full_name}/pulls/{pull.number}/comments", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
        good = {"body": "x", "path": "kept.txt", "line": 21, "start_line": 20, "commit_id": pull.head.sha}
        made = http.post(f"/repos/{repo.full_name}/pulls/{pull.number}/comments", json=good)
        assert (made.status_code, made.json()["start_line"]) == (201, 20)


def test_comments_in_the_code_are_edited_and_deleted(sandbox, change):
    repo, pull = change
    comment = pull.create_review_comment("One", repo.get_commit(pull.head.sha), "kept.txt", line=21)
    reply = pull.create_review_comment_reply(comment.id, "Two")
    comment.edit("Three")
    assert pull.get_review_comment(comment.id).body == "Three"
    with sandbox.http("eve-token") as http:
        address = f"/repos/{repo.full_name}/pulls/comments/{comment.id}"
        assert http.patch(address, json={"body": "Forged"}).status_code == 403
        assert http.delete(address).status_code == 403
    with sandbox.http() as http:
        assert http.patch(f"/repos/{repo.full_name}/pulls/comments/{comment.id}", json={"body": " "}).status_code == 422
        assert http.post(f"/repos/{repo.full_name}/pulls/{pull.number}/comments/{reply.id}/replies", json={"body": "x"}).status_code == 404  # fmt: skip
    reply.delete()
    comment.delete()
    assert pull.get_review_comments().totalCount == 0


def test_a_thread_follows_its_line_and_is_outdated_without_it(sandbox, change):
    repo, pull = change
    pull.create_review_comment("Here", repo.get_commit(pull.head.sha), "kept.txt", line=21)
    query = (
        'query($n: String!, $p: Int!) { repository(owner: "octo", name: $n) { pullRequest(number: $p) {'
        " reviewThreads(first: 9) { nodes { line originalLine isOutdated } } } } }"
    )

    def thread():
        with sandbox.http() as http:
            body = {"query": query, "variables": {"n": repo.name, "p": pull.number}}
            found = http.post("/graphql", json=body).json()
            return found["data"]["repository"]["pullRequest"]["reviewThreads"]["nodes"][0]

    assert thread() == {"line": 21, "originalLine": 21, "isOutdated": False}
    with sandbox.http() as http:
        text = LONG.replace("line 20\n", "line twenty")
        sha = http.get(f"/repos/{repo.full_name}/contents/kept.txt", params={"ref": "f"}).json()["sha"]
        sha = _put(http, repo, "kept.txt", "above\n" + text, "f", sha)
        assert thread() == {"line": 22, "originalLine": 21, "isOutdated": False}
        _put(http, repo, "kept.txt", LONG, "f", sha)
    assert thread() == {"line": None, "originalLine": 21, "isOutdated": True}


def test_a_fork_offers_its_branch(sandbox):
    repo = sandbox.repo()
    with sandbox.http("eve-token") as http:
        copied = http.post(f"/repos/{repo.full_name}/forks", json={})
        assert (copied.status_code, copied.json()["fork"], copied.json()["owner"]["login"]) == (202, True, "eve")
        assert http.post(f"/repos/{repo.full_name}/forks", json={}).json()["id"] == copied.json()["id"]
        assert [one["full_name"] for one in http.get(f"/repos/{repo.full_name}/forks").json()] == [f"eve/{repo.name}"]
        own = sandbox.github("eve-token").get_repo(f"eve/{repo.name}")
        own.create_git_ref("refs/heads/fix", own.get_branch("main").commit.sha)
        _put(http, own, "fix.txt", "fixed\n", "fix")
        body = {"title": "Fix", "head": "eve:fix", "base": "main"}
        pull = http.post(f"/repos/{repo.full_name}/pulls", json=body).json()
        assert (pull["head"]["repo"]["full_name"], pull["head"]["label"]) == (f"eve/{repo.name}", "eve:fix")
        assert http.post(f"/repos/{repo.full_name}/pulls", json=body).status_code == 422
        assert http.post(f"/repos/{repo.full_name}/pulls", json={**body, "head": "bob:fix"}).status_code == 422
        _put(http, own, "more.txt", "more\n", "fix")
        names = [file["filename"] for file in http.get(f"{pull['url']}/files").json()]
        assert names == ["fix.txt", "more.txt"]
    assert repo.get_pull(pull["number"]).merge().merged
    assert repo.get_contents("more.txt").decoded_content == b"more\n"
