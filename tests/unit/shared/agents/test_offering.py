from __future__ import annotations

from typing import Any

import pytest

from shared.agents.offering import SIGN, offer, proposed
from shared.agents.quality import analyse
from shared.domain.change import Change
from shared.domain.forge import RepositoryRef
from shared.domain.pull_request import BranchChange, PullRequestState
from shared.domain.review import AgentName, Opinion, OpinionKind
from shared.errors import ConflictError, RefusedError
from tests.fakes.changes import a_change, evidence, file
from tests.fakes.pull_requests import OfferingAzureDevOps, OfferingGitHub

REF = RepositoryRef(owner="contoso", name="desk")
CODE = "def half(n: int) -> int:\n    if n < 0:\n        raise ValueError('n')\n    return n // 2\n"
MORE = CODE + "\n\ndef double(n: int) -> int:\n    return n * 2\n"
PATH = "tests/unit/test_sums_half_proposed.py"
BRANCH = "doneright/tests-7"


class Place:
    """A repository with a change on a branch."""

    def __init__(self, forge: Any) -> None:
        self.forge = forge
        forge.create_repository(REF, description="", private=True)
        forge.commit_files(REF, "main", {"README.md": b"x\n"}, message="begin")
        self.head = self.push({"app/sums.py": CODE})

    def push(self, files: dict[str, str], branch: str = "feature/12-export") -> str:
        there = self.forge.branch_head(REF, branch)
        tree = self.forge.tree(REF, there) if there else {}
        made = {path: text.encode() for path, text in files.items()}
        self.head = self.forge.write_branch(
            REF,
            branch,
            BranchChange(
                added={path: text for path, text in made.items() if path not in tree},
                edited={path: text for path, text in made.items() if path in tree},
            ),
            onto=there or self.forge.branch_head(REF, "main"),
            replacing=there,
            message="feat: work of the team",
        )
        return self.head

    def change(self, **rest: Any) -> Change:
        return a_change(head=self.head, **rest)

    def shown(self) -> bytes | None:
        return self.forge.content(REF, PATH, BRANCH)


@pytest.fixture(params=[OfferingGitHub, OfferingAzureDevOps])
def place(request: pytest.FixtureRequest) -> Place:
    forge = request.param()
    if not hasattr(forge, "create_repository"):
        pytest.skip("makes no repositories")
    return Place(forge)


def opinions(text: str = CODE) -> tuple[Opinion, ...]:
    return analyse(evidence(file("app/sums.py", None, text)))


def test_proposed_tests_are_offered_into_the_changes_own_branch(place):
    offered = offer(place.forge, place.change(), opinions())
    assert (offered.branch, offered.files) == (BRANCH, (PATH,))
    assert b"def test_half_refuses" in place.shown()
    commit = place.forge.commit(REF, offered.commit)
    assert commit.parents == (place.head,)
    assert commit.message.endswith(SIGN)
    (pull,) = place.forge.pull_requests(REF, BRANCH)
    assert (pull.target, pull.draft, pull.number) == ("feature/12-export", True, offered.pull_request)
    assert f"`{PATH}`" in pull.body


def test_offering_again_changes_nothing(place):
    first = offer(place.forge, place.change(), opinions())
    before = place.forge.changes()
    assert offer(place.forge, place.change(), opinions()) == first
    assert [one for one in place.forge.changes() if one.startswith("write_")] == [
        one for one in before if one.startswith("write_")
    ]
    assert len(place.forge.pull_requests(REF, BRANCH)) == 1


def test_a_newer_head_moves_the_branch_on(place):
    first = offer(place.forge, place.change(), opinions())
    place.push({"app/sums.py": MORE})
    second = offer(place.forge, place.change(), opinions(MORE))
    assert second.commit != first.commit
    assert place.forge.commit(REF, second.commit).parents == (place.head,)
    assert len(second.files) == 2
    assert second.pull_request == first.pull_request


def test_a_branch_on_which_somebody_works_is_left_alone(place):
    offer(place.forge, place.change(), opinions())
    place.forge.team_commits(REF, {PATH: b"mine\n"}, BRANCH)
    with pytest.raises(RefusedError, match="somebody works on the branch"):
        offer(place.forge, place.change(), opinions(MORE))
    assert place.shown() == b"mine\n"


def test_tests_that_the_change_took_over_are_not_offered_again(place):
    place.push({PATH: proposed(opinions())[PATH]})
    with pytest.raises(RefusedError, match="has the proposed tests already"):
        offer(place.forge, place.change(), opinions())


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ({"fork": True}, "from a fork"),
        ({"state": PullRequestState.MERGED}, "is merged"),
        ({"state": PullRequestState.CLOSED}, "is closed"),
    ],
)
def test_forks_and_ended_changes_get_no_branch(place, rest, reason):
    with pytest.raises(RefusedError, match=reason):
        offer(place.forge, place.change(**rest), opinions())
    assert place.forge.branch_head(REF, BRANCH) is None


def test_nothing_proposed_is_nothing_offered(place):
    with pytest.raises(RefusedError, match="no tests are proposed"):
        offer(place.forge, place.change(), ())


def test_a_branch_that_moves_meanwhile_is_a_conflict(place, monkeypatch):
    monkeypatch.setattr(place.forge, "branch_head", lambda *_: None)
    place.forge.repo(REF).heads[BRANCH] = place.head
    with pytest.raises(ConflictError):
        offer(place.forge, place.change(), opinions())


@pytest.mark.parametrize(
    "rest",
    [
        {"source": "model"},
        {"kind": OpinionKind.CONCERN},
        {"patch": {".github/workflows/x.yml": "x"}},
        {"patch": {"tests/../app/x_proposed.py": "x"}},
        {"patch": {"tests/conftest.py": "x"}},
        {"patch": {"/tests/unit/test_x_proposed.py": "x"}},
    ],
)
def test_only_what_analysis_proposed_is_written(rest):
    usual = {
        "agent": AgentName.QUALITY,
        "kind": OpinionKind.TEST,
        "title": "xyz",
        "message": "xyz",
        "confidence": 1,
        "patch": {PATH: "x"},
    }
    assert proposed([Opinion.model_validate(usual)]) == {PATH: "x"}
    assert proposed([Opinion.model_validate(usual | rest)]) == {}
