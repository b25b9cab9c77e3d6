"""What people read of an update: complete where it fits, within the forge's limit always, and harmless markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.pull_request import BranchChange
from shared.domain.scaffold_update import FileFate, FileMerge
from shared.projects.updates.comparing import Comparison
from shared.projects.updates.describing import is_ours, message, text

WHOLE = "https://doneright.example/api/projects/order-desk/scaffold-update"


def written(*files, limit=65_536):
    return text(
        Comparison(files, BranchChange()),
        version="1.1.0",
        base_version="1.0.0",
        branch="main",
        head="0123456789abcdef",
        whole=WHOLE,
        limit=limit,
    )


def a_file(path="a.txt", fate=FileFate.UPDATED, **more):
    return FileMerge(path=path, fate=fate, **more)


CONFLICT = a_file(
    "Dockerfile", FileFate.CONFLICT, team="+1 line, from line 3", template="+2 lines, from line 3", advice="Choose.",
    conflicts=(3, 9),
)  # fmt: skip
KEPT = a_file("logo.png", FileFate.KEPT, team="replaced it", template="replaced it", advice="Yours stays.")


def test_without_conflicts_it_is_ready():
    found = written(a_file(), a_file("b.txt", FileFate.ADDED))
    assert not found.draft
    assert found.title == "Update the scaffold to 1.1.0"
    assert "from version 1.0.0" in found.body
    assert "- a.txt: updated: you had not changed it" in found.body
    assert "- b.txt: added" in found.body
    assert WHOLE in found.body
    assert "Conflicts" not in found.body


def test_a_conflict_makes_it_a_draft_that_says_what_to_do():
    found = written(CONFLICT, KEPT, a_file())
    assert found.draft
    assert found.title == "Update the scaffold to 1.1.0: 2 conflicts to resolve"
    assert "| Dockerfile (lines 3, 9) | \\+1 line, from line 3 | \\+2 lines, from line 3 | Choose. |" in found.body
    assert "| logo.png | replaced it | replaced it | Yours stays. |" in found.body
    assert found.body.index("Conflicts") < found.body.index("Left as you have it") < found.body.index("Brought in")


def test_names_of_files_cannot_act():
    (row,) = [line for line in written(a_file("@mona|<b>x")).body.splitlines() if "mona" in line]
    assert "@mona" not in row
    assert "|" not in row.replace("\\|", "")
    assert "<b>" not in row.replace("\\<", "")


@pytest.mark.parametrize("limit", [4_000, 65_536])
@given(conflicts=st.integers(0, 120), kept=st.integers(0, 120), brought=st.integers(0, 300), length=st.integers(1, 120))
def test_it_fits_and_counts_what_it_leaves_out(limit, conflicts, kept, brought, length):
    files = [CONFLICT.model_copy(update={"path": f"c{n}" + "x" * length}) for n in range(conflicts)]
    files += [KEPT.model_copy(update={"path": f"k{n}" + "x" * length}) for n in range(kept)]
    files += [a_file(f"b{n}" + "x" * length) for n in range(brought)]
    found = written(*files, limit=limit)
    assert len(found.body) <= limit
    assert WHOLE in found.body
    shown = sum(line.startswith(("| c", "| k", "- b")) for line in found.body.splitlines())
    left_out = sum(int(line.split()[2]) for line in found.body.splitlines() if line.startswith("… and "))
    assert shown + left_out == len(files)
    if conflicts:
        assert "### Conflicts" in found.body


def test_our_commit_is_told_by_its_last_line_alone():
    ours = message("1.1.0", "1.0.0", "sha256:abc")
    assert is_ours(ours, "sha256:abc")
    assert not is_ours(ours, "sha256:abcd")
    assert not is_ours("Doneright-Scaffold: sha256:abcd", "sha256:abc")
    assert not is_ours("Merge sha256:abc", "sha256:abc")
