"""The fate of each file: what a team did is never lost, and what the template changed is never forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.blobs import blob_sha
from shared.domain.pull_request import TreeFile
from shared.domain.scaffold_update import FileFate
from shared.projects.bundle import Bundle
from shared.projects.updates.comparing import compare
from shared.projects.updates.merging import Names

NAMES = Names(team=b"team", base=b"old", template=b"new")
TEN = b"".join(b"%d\n" % n for n in range(10))
LINK = "120000"


class Team:
    """A repository's files, with a count of what was read."""

    def __init__(self, files, modes=None):
        self.files = {path: content for path, content in files.items() if content is not None}
        self.modes = modes or {}
        self.read_digests = []

    @property
    def tree(self):
        return {
            path: TreeFile(digest=blob_sha(content), mode=self.modes.get(path, "100644"))
            for path, content in self.files.items()
        }

    def read(self, digest):
        self.read_digests.append(digest)
        return next(content for content in self.files.values() if blob_sha(content) == digest)


def bundle(files, executable=()):
    return Bundle({path: content for path, content in files.items() if content is not None}, frozenset(executable))


def fate_of(old, team, new, path="f.txt", **options):
    """The one file's fate and what is written; ``None`` where nothing is told."""
    side = Team({path: team})
    found = compare(bundle({path: old}), bundle({path: new}), side.tree, side.read, NAMES, **options)
    assert len(found.files) <= 1
    written = {**found.change.added, **found.change.edited}.get(path)
    return (found.files[0].fate if found.files else None), written, path in found.change.removed


@pytest.mark.parametrize(
    ("old", "team", "new", "fate", "written", "removed"),
    [
        pytest.param(b"1\n", b"1\n", b"2\n", FileFate.UPDATED, b"2\n", False, id="unchanged by the team"),
        pytest.param(b"1\n", b"9\n", b"1\n", None, None, False, id="changed by the team only"),
        pytest.param(b"1\n", b"2\n", b"2\n", None, None, False, id="both the same"),
        pytest.param(b"1\n", None, b"2\n", FileFate.KEPT, None, False, id="deleted by the team stays deleted"),
        pytest.param(b"1\n", None, None, None, None, False, id="gone on both sides"),
        pytest.param(None, None, b"2\n", FileFate.ADDED, b"2\n", False, id="new in the template"),
        pytest.param(None, b"2\n", b"2\n", None, None, False, id="new on both sides, equal"),
        pytest.param(None, b"9\n", b"2\n", FileFate.KEPT, None, False, id="new on both sides, different"),
        pytest.param(b"1\n", b"1\n", None, FileFate.REMOVED, None, True, id="removed in the template, untouched"),
        pytest.param(b"1\n", b"9\n", None, FileFate.KEPT, None, False, id="removed in the template, changed by the team"),
        pytest.param(b"\0a", b"\0b", b"\0c", FileFate.KEPT, None, False, id="binary changed by both"),
        pytest.param(b"\0a", b"\0a", b"\0c", FileFate.UPDATED, b"\0c", False, id="binary changed by the template"),
        pytest.param(
            TEN, b"a\n" + TEN, TEN + b"z\n", FileFate.MERGED, b"a\n" + TEN + b"z\n", False, id="different lines"
        ),
        pytest.param(TEN, b"a\n" + TEN, TEN, None, None, False, id="the template is as it was"),
        pytest.param(b"1\n2\n", b"1\r\n2\r\n", b"1\n2\n3\n", FileFate.MERGED, b"1\r\n2\r\n3\r\n", False, id="CRLF"),
    ],
)  # fmt: skip
def test_every_fate(old, team, new, fate, written, removed):
    assert fate_of(old, team, new) == (fate, written, removed)


def test_a_conflict_is_marked_and_told():
    side = Team({"f.txt": b"1\nmine\n3\n"})
    found = compare(bundle({"f.txt": b"1\n2\n3\n"}), bundle({"f.txt": b"1\ntheirs\n3\n"}), side.tree, side.read, NAMES)
    (file,) = found.files
    assert (file.fate, file.conflicts) == (FileFate.CONFLICT, (2,))
    assert "from line 2" in file.team
    assert "from line 2" in file.template
    assert "remove the markers" in file.advice
    assert found.marked
    assert b"<<<<<<< team\nmine\n||||||| old\n2\n=======\ntheirs\n>>>>>>> new\n" in found.change.edited["f.txt"]


@pytest.mark.parametrize("team", [b"9\n", None, b"\0b"])
def test_what_is_kept_is_explained(team):
    side = Team({"f.txt": team})
    new = b"\0c" if team == b"\0b" else None if team else b"2\n"
    (file,) = compare(
        bundle({"f.txt": b"\0a" if team == b"\0b" else b"1\n"}), bundle({"f.txt": new}), side.tree, side.read, NAMES
    ).files
    assert file.fate is FileFate.KEPT
    assert file.team
    assert file.template
    assert file.advice


def test_a_move_is_a_removal_and_an_addition():
    side = Team({"a.txt": b"1\n"})
    found = compare(bundle({"a.txt": b"1\n"}), bundle({"b.txt": b"1\n"}), side.tree, side.read, NAMES)
    assert {file.path: file.fate for file in found.files} == {"a.txt": FileFate.REMOVED, "b.txt": FileFate.ADDED}
    assert side.read_digests == []


def test_a_new_file_gives_way_to_what_stands_in_its_place():
    side = Team({"docs": b"a file\n", "ops/run/x": b"1\n"})
    found = compare(
        bundle({}), bundle({"docs/index.md": b"1\n", "ops/run": b"2\n", "ok": b"3\n"}), side.tree, side.read, NAMES
    )
    assert {file.path: file.fate for file in found.files} == {
        "docs/index.md": FileFate.KEPT, "ops/run": FileFate.KEPT, "ok": FileFate.ADDED,
    }  # fmt: skip
    assert set(found.change.added) == {"ok"}


def test_a_file_of_the_template_may_become_a_folder():
    side = Team({"docs": b"1\n"})
    found = compare(bundle({"docs": b"1\n"}), bundle({"docs/index.md": b"1\n"}), side.tree, side.read, NAMES)
    assert set(found.change.added) == {"docs/index.md"}
    assert found.change.removed == {"docs"}


def test_a_link_of_the_team_is_left_alone():
    side = Team({"f.txt": b"elsewhere"}, {"f.txt": LINK})
    found = compare(bundle({"f.txt": b"elsewhere"}), bundle({"f.txt": b"2\n"}), side.tree, side.read, NAMES)
    assert [file.fate for file in found.files] == [FileFate.KEPT]
    gone = compare(bundle({"f.txt": b"elsewhere"}), bundle({}), side.tree, side.read, NAMES)
    assert [file.fate for file in gone.files] == [FileFate.KEPT]


class TestModes:
    """Who changed whether a file may be run has it."""

    def run(self, before, team, after, *, contents=(b"1\n", b"1\n", b"1\n"), with_modes=True):
        side = Team({"run": contents[1]}, {"run": "100755" if team else "100644"})
        old = bundle({"run": contents[0]}, ["run"] if before else [])
        new = bundle({"run": contents[2]}, ["run"] if after else [])
        found = compare(old, new, side.tree, side.read, NAMES, with_modes=with_modes)
        if not found.change:
            return None
        assert set(found.change.edited) == {"run"}
        return "run" in found.change.executable

    def test_the_templates_change_counts_where_the_team_made_none(self):
        assert self.run(False, False, True) is True
        assert self.run(True, True, False) is False

    def test_the_teams_change_stays(self):
        assert self.run(False, True, False) is None
        assert self.run(False, True, False, contents=(b"1\n", b"1\n", b"2\n")) is True
        assert self.run(True, False, True, contents=(b"1\n", b"1\n", b"2\n")) is False

    def test_modes_and_content_are_merged_apart(self):
        assert self.run(False, False, True, contents=(TEN, b"a\n" + TEN, TEN + b"z\n")) is True
        assert self.run(False, False, True, contents=(b"1\n", b"9\n", b"1\n")) is True
        assert self.run(False, False, True, contents=(b"1\n", b"2\n", b"2\n")) is True

    def test_a_forge_without_modes_is_asked_for_none(self):
        assert self.run(False, False, True, with_modes=False) is None


PATHS = st.sampled_from(["a", "b", "c/d", "c/e"])
FILES = st.dictionaries(PATHS, st.sampled_from([b"1\n2\n3\n", b"1\n2\n", b"9\n2\n3\n", b"\0"]))


@given(FILES, FILES, FILES)
def test_nothing_a_team_did_is_lost(old, team, new):
    side = Team(team)
    found = compare(bundle(old), bundle(new), side.tree, side.read, NAMES)
    change = found.change
    after = {path: content for path, content in team.items() if path not in change.removed}
    after |= {**change.added, **change.edited}
    for path, content in team.items():
        touched = old.get(path) != content
        if touched and after.get(path) != content:
            assert path in after
            fate = next(file.fate for file in found.files if file.path == path)
            assert fate in {FileFate.MERGED, FileFate.CONFLICT}
    for path in old.keys() - team.keys():
        assert path not in after, "what the team deleted stays deleted"
    assert not change.added.keys() & team.keys()
    assert change.edited.keys() <= team.keys()
    assert change.removed <= team.keys()


@given(FILES, FILES, FILES)
def test_an_update_that_was_merged_leaves_nothing_to_bring(old, team, new):
    side = Team(team)
    change = compare(bundle(old), bundle(new), side.tree, side.read, NAMES).change
    after = {path: content for path, content in team.items() if path not in change.removed}
    merged = Team(after | {**change.added, **change.edited})
    assert not compare(bundle(new), bundle(new), merged.tree, merged.read, NAMES).change


@given(FILES, FILES)
def test_without_a_team_the_update_is_the_template(old, new):
    side = Team(old)
    change = compare(bundle(old), bundle(new), side.tree, side.read, NAMES).change
    after = {path: content for path, content in old.items() if path not in change.removed}
    assert after | {**change.added, **change.edited} == new
    assert side.read_digests == []
