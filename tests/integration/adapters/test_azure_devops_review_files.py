"""Changed files of pull requests of Azure Repos on the simulator: every kind, hunks, limits, pages, archives cut up."""

import random
from itertools import count

import pytest

from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.reviews import files as module
from shared.domain.change import FileStatus, Unknown
from shared.evidence.changes.lines import added
from tests.integration.adapters.azure_reviews import desk

NUMBERS = count(1)


@pytest.fixture(scope="module")
def place():
    with desk() as made:
        yield made


@pytest.fixture
def branch():
    return f"feature/{next(NUMBERS)}"


def changed(place, branch, changes, **options):
    place.push(branch, changes, **options)
    looked = place.look(place.open(branch))
    return place.forge.changed_files(looked.change)


def by_path(files):
    assert not isinstance(files, Unknown), files
    return {file.path: file for file in files}


def test_every_kind_of_change_is_told(place, branch):
    files = by_path(
        changed(
            place,
            branch,
            {
                "src/app.py": b"def one():\n    return 2\n",
                "new/file.txt": "é😀\n".encode(),
                "old.txt": None,
                "READ.md": ("README.md", None),
                "logo.png": bytes(range(256)),
            },
        )
    )
    assert set(files) == {"src/app.py", "new/file.txt", "old.txt", "READ.md", "logo.png"}
    edited, new = files["src/app.py"], files["new/file.txt"]
    assert (edited.status, edited.additions, edited.deletions) == (FileStatus.MODIFIED, 1, 1)
    assert edited.patch == "@@ -1,2 +1,2 @@\n def one():\n-    return 1\n+    return 2"
    assert (edited.before, edited.content) == ("def one():\n    return 1\n", "def one():\n    return 2\n")
    assert (new.status, new.before, new.content, new.additions) == (FileStatus.ADDED, None, "é😀\n", 1)
    assert [(line.number, line.text) for line in added(new)] == [(1, "é😀")]
    old, renamed, binary = files["old.txt"], files["READ.md"], files["logo.png"]
    assert (old.status, old.before, old.content, old.deletions) == (FileStatus.REMOVED, "old\n", None, 1)
    assert (renamed.status, renamed.previous_path, renamed.patch) == (FileStatus.RENAMED, "README.md", "")
    assert (binary.binary, binary.patch, binary.content) == (True, None, None)


def test_a_renamed_file_that_was_edited_has_its_hunks(place, branch):
    start = place.push(branch, {"long.txt": b"".join(b"%d\n" % n for n in range(20))})
    place.push("main", {"long.txt": b"".join(b"%d\n" % n for n in range(20))})
    del start
    other = f"{branch}-2"
    (file,) = changed(
        place, other, {"short.txt": ("long.txt", b"".join(b"%d\n" % n for n in range(19)))}, onto=place.head("main")
    )
    assert (file.status, file.path, file.previous_path) == (FileStatus.RENAMED, "short.txt", "long.txt")
    assert (file.additions, file.deletions, file.before is not None) == (0, 1, True)


def test_only_the_newest_push_counts_and_the_target_does_not(place, branch):
    place.push(branch, {"mine.txt": b"1\n", "gone.txt": b"1\n"})
    change = place.open(branch)
    place.push(branch, {"mine.txt": b"2\n", "gone.txt": None})
    place.push("main", {"theirs.txt": b"1\n"})
    (file,) = place.forge.changed_files(place.look(change).change)
    assert (file.path, file.content, file.status) == ("mine.txt", "2\n", FileStatus.ADDED)


def test_a_large_text_is_left_out_and_its_lines_counted(place, branch):
    text = b"".join(b"%06d\n" % n for n in range(80_000))
    place.push("main", {"large.txt": text})
    head = place.head("main")
    (file,) = changed(place, branch, {"large.txt": text + b"one\ntwo\n"}, onto=head)
    assert (file.patch, file.content, file.before, file.binary) == (None, None, None, False)
    assert (file.additions, file.deletions) == (2, 0)


def test_texts_beyond_the_limit_of_all_are_left_out_and_their_lines_counted(place, branch, monkeypatch):
    monkeypatch.setattr(module, "ALL_TEXTS", 25)
    files = by_path(changed(place, branch, {f"{n}.txt": b"0123456789\n" for n in range(4)}))
    assert [files[f"{n}.txt"].content is None for n in range(4)] == [False, False, True, True]
    assert [files[f"{n}.txt"].patch is None for n in range(4)] == [False, False, True, True]
    assert [files[f"{n}.txt"].additions for n in range(4)] == [1, 1, 1, 1]


def test_an_archive_that_is_too_large_is_asked_for_in_parts(place, branch, monkeypatch):
    monkeypatch.setattr(module, "_ARCHIVE", 40_000)
    noise = random.Random(7)
    files = {f"{n}.bin": noise.randbytes(15_000) for n in range(3)} | {"huge.bin": noise.randbytes(90_000)}
    before = place.forge.calls
    found = by_path(changed(place, branch, {**files, "small.txt": b"x\n"}))
    assert place.forge.calls - before > 15
    assert found["small.txt"].content == "x\n"
    assert [found[f"{n}.bin"].binary for n in range(3)] == [True, True, True]
    huge = found["huge.bin"]
    assert (huge.content, huge.patch, huge.status) == (None, None, FileStatus.ADDED)


def test_pages_and_archives_of_many_files_are_put_together(place, branch, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 40)
    monkeypatch.setattr(module, "FILES_AT_ONCE", 50)
    wanted = {f"many/{n:03}.txt": b"%d\n" % n for n in range(101)}
    place.push(branch, dict(wanted))
    looked = place.look(place.open(branch))
    before = place.forge.calls
    found = by_path(place.forge.changed_files(looked.change))
    assert place.forge.calls - before == 3 + 3
    other = place.sandbox.forge()
    other.head_of(looked.change.ref)
    before = other.calls
    assert by_path(other.changed_files(looked.change)) == found
    assert other.calls - before == 3 + 3
    assert {path: file.content.encode() for path, file in found.items()} == wanted


def test_three_thousand_files_are_told_whole(place, branch):
    wanted = {f"big/{n:04}.txt": b"%d\n" % n for n in range(3_000)}
    found = changed(place, branch, wanted)
    assert len(found) == 3_000
    assert sum(file.additions for file in found) == 3_000


def test_a_list_that_breaks_off_or_lacks_texts_is_unknown(place, branch, monkeypatch):
    place.push(branch, {"a.txt": b"1\n"})
    change = place.look(place.open(branch)).change
    forge = place.sandbox.forge()
    page = forge._entry_page
    monkeypatch.setattr(forge, "_entry_page", lambda *args: {**page(*args), "nextSkip": args[2] or 1})
    found = forge.changed_files(change)
    assert isinstance(found, Unknown)
    assert "breaks off" in found.reason
    monkeypatch.setattr(forge, "_entry_page", _refusing)
    assert forge.changed_files(change) == Unknown(reason="gone")
    monkeypatch.setattr(forge, "_entry_page", page)
    monkeypatch.setattr(forge, "_blobs", lambda *args: b"PK\5\6" + b"\0" * 18)
    found = forge.changed_files(change)
    assert isinstance(found, Unknown)
    assert "left 1 of 1 texts out" in found.reason
    monkeypatch.setattr(forge, "_blobs", lambda *args: b"no archive")
    assert isinstance(forge.changed_files(change), Unknown)


def _refusing(*args):
    raise NotFoundError("gone", "look elsewhere")


def test_a_blob_that_is_not_there_costs_only_its_own_file(place, branch, monkeypatch):
    place.push(branch, {"a.txt": b"1\n", "sub": b"2\n"})
    change = place.look(place.open(branch)).change
    forge = place.sandbox.forge()
    page = forge._entry_page

    def with_a_stranger(*args):
        found = page(*args)
        for entry in found["changeEntries"]:
            if entry["item"]["path"] == "/sub":
                entry["item"]["objectId"] = "1" * 40
        return found

    monkeypatch.setattr(forge, "_entry_page", with_a_stranger)
    found = by_path(forge.changed_files(change))
    assert (found["a.txt"].content, found["sub"].content) == ("1\n", None)


def test_folders_submodules_and_other_ends_of_renamings_are_no_files(place, branch, monkeypatch):
    place.push(branch, {"a.txt": b"1\n"})
    change = place.look(place.open(branch)).change
    forge = place.sandbox.forge()
    page = forge._entry_page
    others = [
        {"changeType": "edit", "item": {"path": "/docs", "isFolder": True, "objectId": "2" * 40}},
        {"changeType": "add", "item": {"path": "/docs", "gitObjectType": "tree", "objectId": "2" * 40}},
        {"changeType": "add", "item": {"path": "/lib", "gitObjectType": "commit", "objectId": "2" * 40}},
        {"changeType": "delete, sourceRename", "item": {"path": "/b.txt", "objectId": ""}},
    ]

    def with_others(*args):
        found = page(*args)
        return {**found, "changeEntries": [*found["changeEntries"], *others]}

    monkeypatch.setattr(forge, "_entry_page", with_others)
    assert set(by_path(forge.changed_files(change))) == {"a.txt"}
