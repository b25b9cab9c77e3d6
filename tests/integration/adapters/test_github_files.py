"""What a pull request of GitHub changes: every file, its hunks and both texts, whatever its kind and however many."""

import pytest

from shared.adapters.github.reviews import texts
from shared.domain.change import FileStatus, Unknown
from tests.integration.adapters.github_reviews import DESK, MAIN, known, world

LONG = "".join(f"line {n}\n" for n in range(70_000)).encode()


@pytest.fixture(scope="module")
def desk():
    with world() as made:
        yield made


@pytest.fixture(scope="module")
def every_kind(desk):
    branch = "feature/1-kinds"
    desk.commit(
        {
            "app.py": MAIN["app.py"].replace("Grüß dich".encode(), "Grüezi 👋".encode()),
            "old.py": None,
            "moved/new.py": MAIN["old.py"].replace(b"line 5\n", b"line five\n"),
            "gone.py": None,
            "crlf.txt": b"one\r\nzwei\r\nthree",
            "added.py": b"x = 1",
            "empty.txt": b"",
            "logo.png": b"\x89PNG\r\n\0\0" + bytes(range(256)),
            "large.txt": LONG,
            "latin.txt": b"gr\xfc\xdf\n",
            "with space/ü#?.txt": "ä\n".encode(),
        },
        branch,
    )
    ref = desk.pull(branch, "Kinds")
    looked = desk.app.look_at(ref)
    return looked.change, {file.path: file for file in known(desk.app.changed_files(looked.change))}


def test_every_file_is_told(every_kind):
    _, files = every_kind
    assert set(files) == {
        "app.py", "moved/new.py", "gone.py", "crlf.txt", "added.py", "empty.txt", "logo.png", "large.txt",
        "latin.txt", "with space/ü#?.txt",
    }  # fmt: skip


def test_a_changed_file_has_both_texts_in_any_script(every_kind):
    _, files = every_kind
    assert files["app.py"].status is FileStatus.MODIFIED
    assert files["app.py"].before == MAIN["app.py"].decode()
    assert "Grüezi 👋" in files["app.py"].content
    assert (files["app.py"].additions, files["app.py"].deletions) == (1, 1)
    assert files["app.py"].patch.startswith("@@ -1,")


def test_line_ends_stay(every_kind):
    _, files = every_kind
    assert (files["crlf.txt"].before, files["crlf.txt"].content) == (MAIN["crlf.txt"].decode(), "one\r\nzwei\r\nthree")


def test_a_renamed_file_names_what_it_was(every_kind):
    _, files = every_kind
    moved = files["moved/new.py"]
    assert (moved.status, moved.previous_path, moved.before) == (FileStatus.RENAMED, "old.py", MAIN["old.py"].decode())


def test_a_removed_file_keeps_its_text_before(every_kind):
    _, files = every_kind
    gone = files["gone.py"]
    assert (gone.status, gone.content, gone.before) == (FileStatus.REMOVED, None, MAIN["gone.py"].decode())


def test_an_added_file_has_no_text_before(every_kind):
    _, files = every_kind
    assert (files["added.py"].status, files["added.py"].content, files["added.py"].before) == (
        FileStatus.ADDED,
        "x = 1",
        None,
    )
    assert (files["empty.txt"].content, files["empty.txt"].binary) == ("", False)
    assert files["with space/ü#?.txt"].content == "ä\n"


def test_a_binary_file_is_told_as_such(every_kind):
    _, files = every_kind
    logo = files["logo.png"]
    assert (logo.binary, logo.patch, logo.content) == (True, None, None)


def test_a_text_too_large_is_left_out_and_told(every_kind):
    _, files = every_kind
    large = files["large.txt"]
    assert len(LONG) > texts.LARGEST
    assert (large.content, large.binary, large.additions) == (None, False, 70_000)


def test_a_head_that_moved_is_not_taken_for_the_one_asked(desk):
    branch = "feature/2-forced"
    desk.commit({"a.txt": b"a\n"}, branch)
    ref = desk.pull(branch, "Forced")
    change = desk.app.look_at(ref).change
    desk.commit({"a.txt": b"b\n"}, branch)
    part = desk.app.changed_files(change)
    assert isinstance(part, Unknown)
    assert "another commit" in part.reason


def test_a_hundred_files_take_two_calls_beside_those_for_alerts(desk):
    branch = "feature/3-hundred"
    desk.commit({f"many/f{n:03}.py": f"x = {n}\n".encode() for n in range(100)}, branch)
    change = desk.app.look_at(desk.pull(branch, "Hundred")).change
    before = desk.app.calls
    files = known(desk.app.changed_files(change))
    assert [file.content for file in files] == [f"x = {n}\n" for n in range(100)]
    desk.app.alerts(change)
    assert desk.app.calls - before == 2 + 3, "the alerts are asked for ahead, once"


def test_many_files_come_out_of_the_archive(desk):
    branch = "feature/4-many"
    desk.commit({f"lots/f{n:03}.py": f"y = {n}\n".encode() for n in range(texts.MOST_BATCHED + 1)}, branch)
    change = desk.app.look_at(desk.pull(branch, "Many")).change
    before = desk.app.calls
    files = known(desk.app.changed_files(change))
    assert [file.content for file in files] == [f"y = {n}\n" for n in range(texts.MOST_BATCHED + 1)]
    desk.app.alerts(change)
    assert desk.app.calls - before == 6 + 1 + 3


def test_more_than_are_listed_are_found_in_the_trees(desk):
    desk.commit({f"was/m{n}.py": b"m = %d\n" % n for n in range(3)}, "main", "More", by="ada")
    branch = "feature/5-endless"
    changes = {f"endless/f{n:04}.py": b"z = %d\n" % n for n in range(3_000)}
    changes |= {"was/m0.py": None, "was/m1.py": b"m = 'one'\n", "was/m2.py": None, "zz/m2.py": b"m = 2\n"}
    head = desk.commit(changes, branch)
    change = desk.app.look_at(desk.pull(branch, "Endless")).change
    assert change.head == head
    files = {file.path: file for file in known(desk.app.changed_files(change))}
    assert len(files) == 3_000 + 3
    assert files["was/m0.py"].status is FileStatus.REMOVED
    assert (files["was/m1.py"].before, files["was/m1.py"].content) == ("m = 1\n", "m = 'one'\n")
    assert files["was/m1.py"].patch == "@@ -1 +1 @@\n-m = 1\n+m = 'one'"
    assert (files["zz/m2.py"].status, files["zz/m2.py"].previous_path) == (FileStatus.RENAMED, "was/m2.py")
    nowhere = desk.app.changed_files(change.model_copy(update={"merge_base": ""}))
    assert isinstance(nowhere, Unknown)


def test_files_at_a_commit(desk):
    assert desk.app.file_at(DESK, "app.py", "main") == MAIN["app.py"]
    assert desk.app.file_at(DESK, "none.py", "main") is None
    assert desk.app.file_at(DESK, ".github", "main") is None
    assert desk.app.file_at(DESK, "app.py", "no-such-branch") is None
    big = b"x" * 1_100_000
    commit = desk.commit({"big.bin": big}, "big")
    assert desk.app.file_at(DESK, "big.bin", commit) == big
