from __future__ import annotations

import ast

import pytest

from shared.agents._splitting import LARGE, Seam, split
from shared.agents.development import analyse
from shared.domain.change import ChangedFile, FileStatus
from shared.domain.review import Opinion, OpinionKind
from tests.fakes.changes import UNKNOWN, commit, evidence, file


def module(path: str, lines: int, *imports: str) -> ChangedFile:
    body = "".join(f"_VALUE_{number} = {number}\n" for number in range(lines - len(imports)))
    return file(path, None, "".join(f"{one}\n" for one in imports) + body)


def of(opinions: tuple[Opinion, ...], kind: OpinionKind) -> list[Opinion]:
    return [one for one in opinions if one.kind is kind]


def test_commits_that_share_no_file_are_the_surest_seam():
    files = (module("app/a.py", 300), module("app/b.py", 300, "from app import a"), module("docs/a.md", 10))
    commits = (commit("feat: a", "app/a.py", "docs/a.md", id="1" * 40), commit("feat: b", "app/b.py", id="2" * 40))
    (one,) = of(analyse(evidence(*files, commits=commits)), OpinionKind.SPLIT)
    assert one.confidence == 0.9
    assert "1. **app/**: 310 lines in 2 files\n" in one.message
    assert "2. **app/**: 300 lines in 1 files, after 1\n" in one.message
    assert f"`git cherry-pick {'1' * 12}`" in one.message


@pytest.mark.parametrize(
    "commits",
    [
        UNKNOWN,
        (),
        (commit("feat: a", "cart/a.py"), commit("feat: b", paths=None)),
        (commit("feat: all", "cart/a.py", "mail/b.py"),),
        (commit("feat: a", "cart/a.py", "mail/b.py"), commit("feat: b", "mail/b.py", "cart/a.py")),
        (commit("feat: a", "cart/a.py"),),
    ],
)
def test_without_such_commits_parts_that_need_nothing_of_each_other_are_the_seam(commits):
    files = (module("cart/a.py", 300), module("mail/b.py", 300))
    (one,) = of(analyse(evidence(*files, commits=commits)), OpinionKind.SPLIT)
    assert one.confidence == 0.8
    assert "need nothing of each other" in one.message
    assert "`cart/a.py`" in one.message
    assert "`mail/b.py`" in one.message


def test_tests_and_documents_go_with_the_code_they_are_for():
    files = (
        module("cart/price.py", 300),
        module("mail/send.py", 300),
        module("tests/unit/test_price.py", 50, "from cart.price import x"),
        module("tests/unit/test_send.py", 50),
        module("mail/README.md", 10),
    )
    found = split(files, ())
    assert found is not None
    assert [set(one.paths) for one in found.parts] == [
        {"cart/price.py", "tests/unit/test_price.py"},
        {"mail/send.py", "tests/unit/test_send.py", "mail/README.md"},
    ]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("app/web/page.py", "from app.core.model import x"),
        ("app/web/page.py", "import app.core.model"),
        ("app/web/page.py", "from ..core import model"),
        ("app/web/page.py", "from app.core import model as m"),
    ],
)
def test_folders_are_brought_in_the_order_of_what_they_need(path, line):
    files = (module(path, 300, line), module("app/core/model.py", 300))
    found = split(files, ())
    assert found is not None
    assert found.seam is Seam.FOLDERS
    assert [one.paths for one in found.parts] == [("app/core/model.py",), (path,)]
    assert [one.needs for one in found.parts] == [(), (1,)]


def test_scripts_are_followed_by_their_imports():
    files = (
        file("web/page/index.ts", None, 'import { x } from "../core/model.js";\n' + "const a = 1;\n" * 300),
        file("web/core/model.ts", None, "export const x = 1;\n" * 300),
    )
    found = split(files, ())
    assert found is not None
    assert [one.paths for one in found.parts] == [("web/core/model.ts",), ("web/page/index.ts",)]


def test_folders_that_need_each_other_stay_together():
    files = (
        module("app/a/x.py", 300, "from app.b.y import z"),
        module("app/b/y.py", 300, "from app.a.x import z"),
        module("app/c/w.py", 300, "from app.a.x import z"),
    )
    found = split(files, ())
    assert found is not None
    assert [set(one.paths) for one in found.parts] == [{"app/a/x.py", "app/b/y.py"}, {"app/c/w.py"}]


def test_a_large_change_without_a_seam_gets_no_advice():
    assert split((module("app/a.py", 900),), ()) is None
    assert of(analyse(evidence(module("app/a.py", 900))), OpinionKind.SPLIT) == []


@pytest.mark.parametrize(
    "files",
    [
        (module("cart/a.py", LARGE // 2), module("mail/b.py", LARGE // 2)),
        (module("cart/a.py", 10), file("uv.lock", None, "x\n" * 5000), module("mail/b.py", 10)),
        (module("cart/a.py", 10), file("a.png", None, None, status=FileStatus.ADDED, binary=True, additions=9999), module("mail/b.py", 10)),
    ],
)  # fmt: skip
def test_a_change_that_is_not_large_is_left_whole(files):
    assert of(analyse(evidence(*files)), OpinionKind.SPLIT) == []


def test_many_small_parts_become_few():
    files = tuple(module(f"part{number}/a.py", 60) for number in range(20))
    found = split(files, ())
    assert found is not None
    assert 2 <= len(found.parts) <= 6
    assert sorted(path for part in found.parts for path in part.paths) == sorted(one.path for one in files)


def test_the_same_change_is_always_cut_the_same_way():
    files = tuple(module(f"part{number % 7}/m{number}.py", 50) for number in range(30))
    assert split(files, ()) == split(tuple(reversed(files)), ())


CODE = """\
def price(
    amount: int,
    rate: float = 0.5,
) -> float:
    # what a customer pays
    if amount <= 0:
        raise ValueError("above 0")
    return amount * rate


class Desk:
    def openTicket(self, number: int) -> None:
        self.number = number

    def close(self): return 1


def _hidden(x):
    return x
"""


def test_public_functions_without_a_docstring_get_a_draft_that_fits():
    found = {one.title.partition(" ")[0]: one for one in analyse(evidence(file("app/desk.py", None, CODE)))}
    assert set(found) == {"price", "Desk", "Desk.openTicket", "Desk.close"}
    one = found["price"]
    assert (one.line, one.end_line) == (1, 4)
    assert one.suggestion is not None
    lines = CODE.split("\n")
    whole = "\n".join([*lines[: one.line - 1], one.suggestion, *lines[one.end_line :]])
    said = ast.get_docstring(ast.parse(whole).body[0])
    assert said is not None
    assert said.startswith("Price.\n")
    assert "amount: int." in said
    assert "rate: float; 0.5 unless given." in said
    assert "ValueError: if `amount <= 0`." in said
    method = found["Desk.openTicket"]
    assert method.suggestion is not None
    assert '        """Open ticket.' in method.suggestion
    # Its body stands in the line of its head, so no line can be put between.
    assert found["Desk.close"].suggestion is None
    assert found["Desk"].suggestion is None


@pytest.mark.parametrize(
    "changed",
    [
        file("app/a.py", None, 'def f(x):\n    """Say."""\n    return x\n'),
        file("app/a.py", "def f(x):\n    return x\n", "def f(x):\n    return x + 1\n"),
        file("app/a.py", "def f(x):\n    return x\n", None),
        file("tests/test_a.py", None, "def test_f():\n    assert 1\n"),
        file("app/a.py", None, "class _A:\n    def __init__(self):\n        pass\n"),
        file("app/a.py", None, "def broken(:\n"),
        file("web/a.ts", None, "export function f() {}\n"),
    ],
)
def test_what_needs_no_docstring_gets_none(changed):
    assert analyse(evidence(changed)) == ()


def test_a_changed_signature_asks_for_one_again():
    (one,) = analyse(evidence(file("app/a.py", "def f(x):\n    return x\n", "def f(x, y):\n    return x\n")))
    assert "called differently now" in one.message


@pytest.mark.parametrize(
    ("path", "line", "name"),
    [
        ("app/a.py", 'KEY = os.environ["SHOP_KEY"]', "setting SHOP_KEY"),
        ("app/a.py", "KEY = os.getenv('SHOP_KEY', '')", "setting SHOP_KEY"),
        ("web/a.ts", "const key = process.env.SHOP_KEY", "setting SHOP_KEY"),
        ("app/a.py", 'parser.add_argument("-n", "--dry-run")', "option --dry-run"),
    ],
)
def test_new_settings_and_options_ask_for_words(path, line, name):
    (one,) = analyse(evidence(file(path, None, f"{line}\n")))
    assert one.title == f"The {name} is not documented"
    assert (one.path, one.line) == (path, 1)


def test_what_a_document_of_the_change_names_is_documented():
    code = file("app/a.py", None, 'KEY = os.environ["SHOP_KEY"]\n')
    assert analyse(evidence(code, file("docs/settings.md", None, "`SHOP_KEY`: the key.\n"))) == ()
    assert len(analyse(evidence(code, file("docs/settings.md", None, "`SHOP_KEYS`: the keys.\n")))) == 1


def test_a_setting_that_only_moved_is_not_new():
    line = 'KEY = os.environ["SHOP_KEY"]\n'
    assert analyse(evidence(file("app/a.py", f"{line}x = 1\n", f"x = 1\n{line}"))) == ()


def test_a_new_route_asks_for_words():
    code = '@app.get("/orders")\ndef orders() -> int:\n    """Say."""\n    return 1\n'
    (one,) = analyse(evidence(file("app/a.py", None, code)))
    assert one.title == "The route /orders is not documented"
    assert analyse(evidence(file("app/a.py", None, code), file("docs/api.md", None, "GET /orders lists them\n"))) == ()


def test_unknown_files_say_nothing():
    assert analyse(evidence(files=UNKNOWN, commits=UNKNOWN)) == ()
