"""What a change does to functions and classes is told from their texts before and at the head."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.change import Unknown
from shared.evidence.changes.declared import Declaration, ParameterKind
from shared.evidence.changes.functions import Move, Touched, declared, language_of, touched
from tests.fakes.changes import file

DESK = '''import app

@app.get("/tickets/{n}")
async def ticket(n: int) -> str:
    """A ticket."""
    if n < 0:
        raise ValueError("no")
    return "a"

class Desk(Base):
    size: int = 3
    _seen: int = 0

    def open(self, first, *, second=1):
        return [each for each in first if each > second]

    def _hidden(self):
        pass
'''


def of(path: str, source: str) -> dict[str, Declaration]:
    found = declared(path, source)
    assert not isinstance(found, Unknown), found.reason
    return {one.name: one for one in found.declarations}


def moves(path: str, before: str | None, after: str | None) -> dict[str, Touched]:
    found = touched(file(path, before, after))
    assert not isinstance(found, Unknown), found.reason
    return {one.name: one for one in found.touched}


def test_a_function_is_told_with_all_that_a_reader_asks() -> None:
    ticket = of("src/desk.py", DESK)["ticket"]
    assert ticket.signature == "(n: int) -> str"
    assert (ticket.start, ticket.line, ticket.end) == (3, 4, 8)
    assert [route.text for route in ticket.routes] == ["GET /tickets/{n}"]
    assert ticket.docstring == "A ticket."
    assert [(branch.kind, branch.condition) for branch in ticket.branches] == [("if", "n < 0")]
    assert ticket.raises == ("ValueError",)
    assert ticket.asynchronous
    assert ticket.public
    assert ticket.typed


def test_methods_leave_out_self_and_are_private_by_their_underscore() -> None:
    found = of("src/desk.py", DESK)
    opened = found["Desk.open"]
    assert [(one.name, one.kind, one.default) for one in opened.parameters] == [
        ("first", ParameterKind.NORMAL, None),
        ("second", ParameterKind.KEYWORD, "1"),
    ]
    assert not opened.typed
    assert not found["Desk._hidden"].public
    assert found["Desk"].signature == "(Base) {size: int = 3}"


@pytest.mark.parametrize(
    ("path", "source", "public"),
    [
        ("src/a.py", "def one(): ...", True),
        ("src/_a.py", "def one(): ...", False),
        ("src/__init__.py", "def one(): ...", True),
        ("src/a.py", "__all__ = ['other']\ndef one(): ...", False),
        ("src/a.py", "__all__ = ['one']\ndef one(): ...", True),
        ("src/a.py", "if x:\n    def one(): ...", True),
    ],
)
def test_public_is_what_the_conventions_say(path: str, source: str, public: bool) -> None:
    assert of(path, source)["one"].public is public


def test_a_function_within_a_function_is_nobodys_to_call() -> None:
    inner = of("a.py", "def outer():\n    def inner():\n        if 1: pass\n    return inner\n")
    assert not inner["outer.<locals>.inner"].public
    assert inner["outer"].branches == ()


@pytest.mark.parametrize(
    ("decorator", "routes"),
    [
        ('@app.route("/a", methods=["POST", "PUT"])', ["POST /a", "PUT /a"]),
        ('@bp.route(route="a/{b}", methods=[HttpMethod.GET])', ["GET /a/{b}"]),
        ('@app.route("a")', ["ANY /a"]),
        ('@router.delete("/a")', ["DELETE /a"]),
        ("@router.get(PATH)", []),
        ('@cached("/a")', []),
    ],
)
def test_routes_are_read_from_decorators(decorator: str, routes: list[str]) -> None:
    assert [route.text for route in of("a.py", f"{decorator}\ndef one(): ...")["one"].routes] == routes


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("while", "while a: pass"),
        ("for", "for x in a: pass"),
        ("except", "try: pass\n    except KeyError: pass"),
        ("case", "match a:\n        case 1: pass"),
        ("ifexp", "return 1 if a else 2"),
        ("assert", "assert a"),
        ("comprehension", "return [x for x in a if x]"),
    ],
)
def test_branches_of_every_kind_are_told(kind: str, body: str) -> None:
    assert [branch.kind for branch in of("a.py", f"def one(a):\n    {body}\n")["one"].branches] == [kind]


def test_what_is_added_removed_and_changed_is_told_apart() -> None:
    before = "def kept():\n    return 1\n\ndef gone():\n    pass\n\ndef other(a):\n    return a\n\ndef body():\n    return 1\n"
    after = "def kept():\n    return 1\n\ndef new():\n    pass\n\ndef other(a, b):\n    return a\n\ndef body():\n    return 2\n"
    found = moves("a.py", before, after)
    assert {name: one.move for name, one in found.items()} == {
        "new": Move.ADDED, "gone": Move.REMOVED, "other": Move.SIGNATURE, "body": Move.BODY,
    }  # fmt: skip
    assert found["body"].lines == (11,)
    assert {name for name, one in found.items() if one.breaks} == {"gone", "other"}


@pytest.mark.parametrize(
    "after",
    [
        "def one(a):\n    # why\n    return  a\n",
        'def one(a):\n    """Says."""\n    return a\n',
        "\n\ndef one(a): return a\n",
    ],
)
def test_layout_comments_and_docstrings_change_nothing(after: str) -> None:
    assert moves("a.py", "def one(a):\n    return a\n", after) == {}


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ("(a)", "(a, b=1)", False),
        ("(a)", "(a, *rest)", False),
        ("(a)", "(a, *, b)", True),
        ("(a, b)", "(b, a)", True),
        ("(a)", "(other)", True),
        ("(a=1)", "(a)", True),
        ("(a)", "(a=1)", False),
        ("(a: int)", "(a: str)", False),
    ],
)
def test_a_signature_breaks_callers_when_it_asks_for_more(before: str, after: str, breaks: bool) -> None:
    found = moves("a.py", f"def one{before}: pass\n", f"def one{after}: pass\n")
    assert found["one"].move is Move.SIGNATURE
    assert found["one"].breaks is breaks


def test_a_route_that_is_gone_breaks_its_callers() -> None:
    found = moves("a.py", '@app.get("/a")\ndef one(): pass\n', '@app.get("/b")\ndef one(): pass\n')
    assert found["one"].breaks


def test_lines_belong_to_the_innermost_and_the_rest_lie_outside() -> None:
    before = "class Desk:\n    def open(self):\n        return 1\n"
    after = "X = 1\n\nclass Desk:\n    size = 2\n\n    def open(self):\n        return 3\n"
    found = touched(file("a.py", before, after))
    assert not isinstance(found, Unknown)
    assert found.outside == (1, 2)
    assert {one.name: one.lines for one in found.touched} == {"Desk": (4, 5), "Desk.open": (7,)}


def test_a_name_declared_twice_is_compared_turn_by_turn() -> None:
    twice = "class A:\n    @property\n    def x(self): return 1\n    @x.setter\n    def x(self, v): {}\n"
    found = touched(file("a.py", twice.format("pass"), twice.format("print(v)")))
    assert not isinstance(found, Unknown)
    assert [(one.name, one.move, one.declaration.decorators) for one in found.touched] == [
        ("A.x", Move.BODY, ("x.setter",))
    ]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def x(:\n", "line 1: invalid syntax"),
        ("x = 1\0", "null bytes"),
        ("x = " + "(" * 5000, "parse"),
        ("x=" + "-" * 90000 + "1", "parse"),
    ],
)
def test_a_file_that_does_not_parse_says_so(source: str, reason: str) -> None:
    found = declared("src/a.py", source)
    assert isinstance(found, Unknown)
    assert "src/a.py" in found.reason
    assert reason in found.reason


def test_a_file_nobody_writes_by_hand_is_not_read() -> None:
    assert isinstance(declared("a.py", "#" * (1024 * 1024 + 1)), Unknown)
    assert isinstance(declared("a.ts", "/" * (1024 * 1024 + 1)), Unknown)


def test_other_languages_are_not_supported() -> None:
    found = declared("a.go", "func a() {}")
    assert isinstance(found, Unknown)
    assert not found.supported
    assert language_of("a.PY") == "python"


def test_what_was_before_is_made_of_the_head_and_the_diff() -> None:
    whole = file("a.py", "def one(a):\n    return a\n\ndef two():\n    pass\n", "def one(a, b):\n    return a\n")
    found = touched(whole.model_copy(update={"before": None}))
    assert found == touched(whole)
    found = touched(whole.model_copy(update={"content": None}))
    assert found == touched(whole)


@pytest.mark.parametrize(
    "update",
    [
        {"before": None, "patch": None},
        {"content": None, "patch": None},
        {"before": None, "patch": "@@ -1 +1 @@\n-x\n+y"},
    ],
)
def test_a_version_that_could_not_be_had_is_no_empty_file(update: dict[str, str | None]) -> None:
    whole = file("a.py", "def one(): return 1\n", "def one(): return 2\n")
    assert isinstance(touched(whole.model_copy(update=update)), Unknown)


def test_a_removed_file_takes_its_functions_with_it() -> None:
    found = moves("a.py", "def one(): pass\n", None)
    assert found["one"].move is Move.REMOVED


def test_an_added_file_may_have_its_diff_alone() -> None:
    whole = file("a.py", None, "def one():\n    pass\n").model_copy(update={"content": None})
    found = touched(whole)
    assert not isinstance(found, Unknown)
    assert found.touched[0].lines == (1, 2)


def test_a_version_before_that_did_not_parse_leaves_the_answer_open() -> None:
    assert isinstance(touched(file("a.py", "def x(:\n", "def x(): pass\n")), Unknown)


EXPORTS = """/* export function no() {} */
export default function handler(req, res) {
  return 1;
}
export const add = (a: number, b = 2): number => {
  return "}" + a + b;
};
export const MOST = 3;
export class Desk {
  open() { }
}
export { one, two as three };
app.get('/x/:id', async (req, res) => {
  res.json(1);
});
module.exports.foo = function (a) { return a }
function local() {}
"""


def test_exports_of_javascript_are_told_with_their_lines() -> None:
    found = of("src/a.ts", EXPORTS)
    assert {name: (str(one.kind), one.signature, one.start, one.end) for name, one in found.items()} == {
        "handler": ("function", "(req, res)", 2, 4),
        "add": ("function", "(a: number, b = 2)", 5, 7),
        "MOST": ("constant", "", 8, 8),
        "Desk": ("class", "", 9, 11),
        "one": ("constant", "", 12, 12),
        "three": ("constant", "", 12, 12),
        "GET /x/:id": ("function", "GET /x/:id", 13, 15),
        "foo": ("function", "(a)", 16, 16),
    }


def test_the_reading_of_javascript_says_what_it_cannot_see() -> None:
    found = touched(file("a.js", None, "export const a = 1;\n"))
    assert not isinstance(found, Unknown)
    assert "parser" in found.blind


def test_a_changed_export_is_told() -> None:
    found = moves("a.ts", "export function one(a) {\n  return 1;\n}\n", "export function one(a, b) {\n  return 1;\n}\n")
    assert found["one"].move is Move.SIGNATURE


@given(st.text(alphabet="expordfuncti classt(){}[]=>;:,'\"`\n/*.$_1", max_size=300))
def test_any_text_is_read_as_javascript_within_its_lines(source: str) -> None:
    found = declared("a.js", source)
    assert not isinstance(found, Unknown)
    most = source.count("\n") + 1
    assert all(1 <= one.start <= one.end <= most for one in found.declarations)


@given(st.text(max_size=200))
def test_any_text_is_read_as_python_or_said_not_to_parse(source: str) -> None:
    found = declared("a.py", source)
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        assert isinstance(found, Unknown)
    else:
        assert not isinstance(found, Unknown)


def test_what_is_never_closed_ends_on_its_line() -> None:
    assert (of("a.ts", "export function a(\n" * 3)["a"].start, of("a.ts", "export const b = (\n1\n")["b"].end) == (3, 1)


def test_a_file_of_thousands_of_exports_says_so() -> None:
    found = declared("a.ts", "export const a = 1;\n" * 2_001)
    assert isinstance(found, Unknown)
    assert "2000" in found.reason
