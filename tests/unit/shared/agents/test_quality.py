from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.agents.quality import analyse, planned_cases, proposals
from shared.domain.change import ChangeEvidence, FileStatus
from shared.domain.evidence import CaseResult, EvidenceFormat, Outcome
from shared.domain.review import OpinionKind
from shared.domain.test_case import CaseNature
from tests.fakes.changes import EARLIER, HEAD, UNKNOWN, a_report, evidence, file, reported

PRICES = """\
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

LIMIT = 100


class OrderError(ValueError):
    pass


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Line:
    article: str
    quantity: int
    size: Size


def price(amount: Decimal, quantity: int, code: str = "", *, member: bool = False) -> Decimal:
    if amount <= 0 or quantity < 1:
        raise OrderError("amount and quantity are above 0")
    if quantity > LIMIT:
        raise ValueError(f"{LIMIT} are the most")
    if len(code) > 8:
        raise ValueError("the code is too long")
    if member:
        return amount * quantity / 2
    return amount * quantity


def weight(line: Line, /, *, packed: bool) -> float:
    if line is None:
        raise TypeError("no line")
    return line.quantity * (1.5 if packed else 1)


def names(lines: list[str]):
    for one in lines:
        yield one.strip()


async def later(text: str) -> str:
    if not text.strip():
        raise ValueError("nothing to say")
    return text.upper()


class Desk:
    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, number: int, note: str | None = None) -> str:
        if note is not None and not note.strip():
            raise ValueError("a note says something")
        return f"{self.name} {number} {note or ''}"

    @staticmethod
    def shut(reason: str) -> None:
        if reason not in ("done", "sold"):
            raise KeyError(reason)
"""
MEAN = "def mean(values: list[float]) -> float:\n    return sum(values) / len(values)\n"


def patches(seen: ChangeEvidence) -> dict[str, str]:
    return {path: text for one in analyse(seen) for path, text in one.patch.items()}


def run(folder: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """pytest in a folder of its own, with nothing of this repository in reach."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--import-mode=importlib",
         "-c", "/dev/null", "--rootdir", str(folder), str(folder / "tests")],
        cwd=folder, capture_output=True, text=True, check=False, timeout=100,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def test_proposed_tests_run_and_pass_against_the_package_they_were_drawn_from(tmp_path):
    seen = evidence(file("src/shop/prices.py", None, PRICES))
    made = patches(seen)
    assert set(made) == {
        f"tests/unit/test_prices_{name}_proposed.py"
        for name in ("price", "weight", "names", "later", "desk_open", "desk_shut")
    }
    done = run(tmp_path, {"src/shop/__init__.py": "", "src/shop/prices.py": PRICES, **made})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout.splitlines()[-1]
    passed = [line for line in done.stdout.splitlines() if line.startswith("PASSED")]
    assert len(passed) > 30
    assert any("test_price_refuses[quantity > LIMIT" in line for line in passed)
    assert any("test_later_refuses[not text.strip" in line for line in passed)
    assert any("test_desk_shut_refuses" in line for line in passed)


def test_proposed_tests_fail_when_a_refusal_is_taken_out(tmp_path):
    made = patches(evidence(file("src/shop/prices.py", None, PRICES)))
    broken = PRICES.replace("if quantity > LIMIT:", "if quantity > LIMIT + 1:")
    assert broken != PRICES
    done = run(tmp_path, {"src/shop/__init__.py": "", "src/shop/prices.py": broken, **made})
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert "quantity > LIMIT with quantity 101" in done.stdout


def test_a_proposed_edge_case_shows_a_crash_that_nobody_meant(tmp_path):
    made = patches(evidence(file("src/shop/figures.py", None, MEAN)))
    done = run(tmp_path, {"src/shop/__init__.py": "", "src/shop/figures.py": MEAN, **made})
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "test_mean_holds_at_its_limits[values empty list]" in done.stdout


def test_what_returns_before_a_refusal_is_no_case_of_it(tmp_path):
    text = (
        "def size(n: int) -> int:\n    if n == 0:\n        return 0\n    if n < 1:\n        raise ValueError('n')\n"
        "    elif n > 9:\n        return 9\n    elif n != 5:\n        raise KeyError('n')\n    return n\n"
    )
    made = patches(evidence(file("src/shop/sizes.py", None, text)))
    (one,) = made.values()
    assert "n == 0" not in one.partition("test_size_refuses")[0].rpartition("test_size_answers")[2]
    done = run(tmp_path, {"src/shop/__init__.py": "", "src/shop/sizes.py": text, **made})
    assert done.returncode == 0, done.stdout
    assert "test_size_refuses[n < 1 with n negative]" in done.stdout


def test_every_nature_is_told_with_its_data():
    (one,) = [
        one for one in analyse(evidence(file("src/shop/prices.py", None, PRICES))) if one.title.startswith("price ")
    ]
    assert one.kind is OpinionKind.TEST
    assert (one.path, one.line) == ("src/shop/prices.py", 24)
    assert one.title == "price lacks positive and negative and edge cases"
    assert "positive: when member" in one.message
    assert "negative: len(code) > 8 with code length 9 raises ValueError" in one.message
    assert "edge: quantity 100" in one.message


TESTED = """\
import pytest

from shop.figures import mean


def test_mean_of_two():
    assert mean([1, 3]) == 2


def test_mean_of_an_empty_list_is_refused():
    with pytest.raises(ZeroDivisionError):
        mean([])
"""


@pytest.mark.parametrize(
    ("tests", "natures"),
    [
        ("", "positive and negative and edge"),
        (TESTED, "edge"),
        (TESTED.replace("assert mean([1, 3]) == 2", "mean([1, 3])"), "positive and edge"),
        (TESTED.replace("mean", "median"), "positive and negative and edge"),
    ],
)
def test_only_what_the_tests_in_the_change_do_not_show_is_proposed(tests, natures):
    files = [file("src/shop/figures.py", None, MEAN)]
    if tests:
        files.append(file("tests/unit/test_figures.py", None, tests))
    (one,) = analyse(evidence(*files))
    assert one.title == f"mean lacks {natures} cases"


def test_a_function_whose_tests_show_everything_is_left_alone():
    more = TESTED + "\n\ndef test_mean_of_a_single_value():\n    assert mean([4]) == 4\n"
    assert analyse(evidence(file("src/shop/figures.py", None, MEAN), file("tests/test_figures.py", None, more))) == ()


@pytest.mark.parametrize(
    "body",
    [
        "    subprocess.run([name], check=True)\n",
        "    with open(name) as one:\n        return one.read()\n",
        "    path.unlink()\n",
    ],
)
def test_what_reaches_outside_gets_words_and_no_test(body):
    text = f"def act(name: str) -> str:\n    if not name:\n        raise ValueError\n{body}"
    (one,) = analyse(evidence(file("app/act.py", None, text)))
    assert one.patch == {}
    assert "reaches outside" in one.message
    assert "negative: not name with name empty text raises ValueError" in one.message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def act(client):\n    if client.ready:\n        return 1\n    return 2\n", "what `client` may be"),
        ("@command\ndef act(name: str) -> str:\n    return name\n", "`@command` may make something else of it"),
        ("class Desk(Base):\n    def act(self, name: str) -> str:\n        return name\n", "how a `Desk` is made"),
        ("async def act(name: str):\n    yield name\n", "piece by piece"),
    ],
)
def test_what_cannot_be_told_by_reading_is_said(text, why):
    (one,) = analyse(evidence(file("app/act.py", None, text)))
    assert one.patch == {}
    assert why in one.message
    assert one.confidence == 0.5


@pytest.mark.parametrize("path", ["scripts/do-it.py", "app/1st.py"])
def test_a_module_that_cannot_be_imported_by_name_gets_no_test(path):
    (one,) = analyse(evidence(file(path, None, MEAN)))
    assert one.patch == {}


@pytest.mark.parametrize(
    "changed",
    [
        file("app/act.py", None, "def _hidden(x: int) -> int:\n    return x\n"),
        file("app/act.py", None, "class A:\n    def __len__(self) -> int:\n        return 1\n"),
        file("app/act.py", None, "class A:\n    @property\n    def x(self) -> int:\n        return 1\n"),
        file("app/act.py", "def f(x: int) -> int:\n    return x\n", "# said\ndef f(x: int) -> int:\n    return x\n"),
        file("app/act.py", "def f(x: int) -> int:\n    return x\n", None),
        file("app/act.py", None, "def broken(:\n"),
        file("app/act.py", None, None, status=FileStatus.ADDED, patch=None, binary=True),
        file("web/act.ts", None, "export function f(x: number) { return x }\n"),
        file("tests/test_act.py", None, "def test_f():\n    assert True\n"),
    ],
)
def test_what_asks_for_no_test_gets_none(changed):
    assert analyse(evidence(changed)) == ()


def test_unknown_files_and_reports_are_no_reason_to_fail():
    assert analyse(evidence(files=UNKNOWN, reports=UNKNOWN, earlier_reports=UNKNOWN)) == ()


def test_a_signature_cannot_write_code_into_a_test():
    text = 'def f(x: "int\\"]); import os; os.system(\'x\') #" = 1) -> int:\n    return x\n\n\ndef g(x: str = \'"""\\n\') -> str:\n    if x == \'"""\':\n        raise ValueError\n    return x\n'
    made = patches(evidence(file("app/act.py", None, text)))
    assert made
    for one in made.values():
        compile(one, "made", "exec")
        assert "import os" not in one


def test_proposals_are_the_same_every_time():
    seen = evidence(file("src/shop/prices.py", None, PRICES))
    assert patches(seen) == patches(seen)
    assert [path for path, _ in proposals(seen)] == ["src/shop/prices.py"] * 6


def test_cases_for_a_test_plan_keep_their_keys_when_lines_move():
    before = planned_cases(evidence(file("src/shop/prices.py", None, PRICES)), requirement=12)
    after = planned_cases(evidence(file("src/shop/prices.py", None, "import os\n\n" + PRICES)))
    assert [one.key for one in before] == [one.key for one in after]
    assert len({one.key for one in before}) == len(before)
    assert {one.nature for one in before} == set(CaseNature)
    refused = next(one for one in before if "quantity > LIMIT" in one.title)
    assert "quantity = 101" in refused.steps[0].action
    assert refused.steps[0].expected == "It is refused with ValueError"
    assert refused.requirement == 12
    assert refused.automated_by == "tests/unit/test_prices_price_proposed.py"


def run_of(commit: str, *cases: CaseResult, digest: str = ""):
    return reported(a_report(EvidenceFormat.JUNIT, tests=cases), commit=commit, digest=digest)


PASSED = CaseResult(suite="s", name="t", outcome=Outcome.PASSED)
FAILED = CaseResult(suite="s", name="t", outcome=Outcome.FAILED)
SKIPPED = CaseResult(suite="s", name="t", outcome=Outcome.SKIPPED)
FLAKY = CaseResult(suite="s", name="t", outcome=Outcome.PASSED, retries=2)


@pytest.mark.parametrize(
    ("latest", "earlier", "why"),
    [
        ((run_of(HEAD, FLAKY),), (), "failed and passed after 2 retries within one run"),
        ((run_of(HEAD, CaseResult(suite="s", name="t", flaky=True)),), (), "failed and passed within one run"),
        ((run_of(HEAD, PASSED, digest="sha256:1"), run_of(HEAD, FAILED, digest="sha256:2")), (), "passed and failed on the same commit"),
        ((run_of(HEAD, PASSED),), (run_of(EARLIER, FAILED), run_of("f6" * 20, PASSED)), "turned 2 times"),
    ],
)  # fmt: skip
def test_flaky_tests_are_told_with_what_speaks_for_it(latest, earlier, why):
    (one,) = analyse(evidence(reports=latest, earlier_reports=earlier))
    assert one.kind is OpinionKind.CONCERN
    assert one.title == "t is flaky"
    assert why in one.message


@pytest.mark.parametrize(
    ("latest", "earlier"),
    [
        ((run_of(HEAD, PASSED),), (run_of(EARLIER, FAILED),)),
        ((run_of(HEAD, PASSED),), (run_of(EARLIER, SKIPPED), run_of("f6" * 20, PASSED))),
        ((run_of(HEAD, FAILED),), (run_of(EARLIER, FAILED), run_of("f6" * 20, FAILED))),
        ((run_of(HEAD, PASSED),), (run_of(EARLIER, CaseResult(suite="other", name="t", outcome=Outcome.FAILED)),)),
        ((run_of(HEAD),), ()),
    ],
)
def test_a_test_that_was_mended_or_skipped_is_not_flaky(latest, earlier):
    assert analyse(evidence(reports=latest, earlier_reports=earlier)) == ()
