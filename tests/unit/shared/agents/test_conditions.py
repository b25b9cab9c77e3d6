from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agents._conditions import Condition, conditions, holds, pools
from shared.agents._values import Names, constructor, domain_of, literal

NAMES = Names(constants={"LIMIT": 10, "KINDS": ("a", "b")})


def condition(text: str, *parameters: str) -> Condition:
    return Condition(ast.parse(text, mode="eval").body, 1, parameters or ("x",))


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("x > 3", 4, True),
        ("x > LIMIT", 10, False),
        ("0 < x <= LIMIT", 10, True),
        ("not x", "", True),
        ("not x.strip()", "  ", True),
        ("x is None", None, True),
        ("x is not None and len(x) > 2", "abc", True),
        ("x not in KINDS", "c", True),
        ("x in {'a', 'b'}", "a", True),
        ("x % 2 == 1", 3, True),
        ("-x < -3", 4, True),
        ("abs(x) > 3", -4, True),
        ("isinstance(x, (int, float))", 1.5, True),
        ("not isinstance(x, str)", "a", False),
        ("x.startswith('a')", "ab", True),
        ("x > 3", "text", None),
        ("x.run()", "a", None),
        ("unknown(x)", 1, None),
        ("x > other", 1, None),
        ("x / 0 > 1", 1, None),
        ("x * 10 ** 9", "a", None),
        ("'a' * x", 3, None),
        ("isinstance(x, Strange)", 3, None),
        ("__import__('os')", 1, None),
        ("x.__class__", 1, None),
        ("[y for y in x]", [1], None),
    ],
)
def test_conditions_are_evaluated_without_running_anything(text, value, expected):
    assert holds(condition(text), {"x": literal(value)}, NAMES) is expected


SOURCE = """
def act(a: int, b: str, c: list[int] | None = None) -> int:
    if a <= 0 or len(b) > 5:
        raise ValueError("x")
    elif c is not None and not c:
        raise KeyError("y")
    b = b.strip()
    if not b:
        raise TypeError("bound anew")
    if a > 7:
        return 1
    for one in c or ():
        if a > one:
            raise RuntimeError("inside a loop")
    return 2
"""


def test_only_conditions_on_arguments_as_they_were_given_count():
    node = ast.parse(SOURCE).body[0]
    assert isinstance(node, ast.FunctionDef)
    found = conditions(node, ["a", "b", "c"])
    assert [(one.text, one.error, one.parameters) for one in found] == [
        ("a <= 0", "ValueError", ("a",)),
        ("len(b) > 5", "ValueError", ("b",)),
        ("not (a <= 0 or len(b) > 5) and (c is not None and (not c))", "KeyError", ("a", "b", "c")),
        ("a > 7", "", ("a",)),
    ]


def test_a_raise_behind_another_way_is_none_of_its_condition():
    node = ast.parse(
        "def f(p):\n    if p <= 0:\n        if p == 0:\n            return 1\n        raise ValueError\n    return 2\n"
    ).body[0]
    assert isinstance(node, ast.FunctionDef)
    (one,) = conditions(node, ["p"])
    assert (one.error, one.exits, one.deeper) == ("", False, True)


def test_values_lie_on_both_sides_of_what_is_compared():
    found = [condition("len(x) > 3"), condition("x == 'red'")]
    codes = [one.code for one in pools({"x": domain_of("str", NAMES)}, found, NAMES)["x"]]
    assert {'"x" * 3', '"x" * 2', '"x" * 4', "'red'", "''"} <= set(codes)
    numbers = [one.value for one in pools({"x": None}, [condition("x > LIMIT")], NAMES)["x"]]
    assert numbers[0] == 1
    assert {9, 10, 11} <= set(numbers)
    assert pools({"x": None}, [], NAMES) == {"x": ()}


def test_lengths_and_figures_beyond_reason_are_not_tried():
    assert not [
        one
        for one in pools({"x": domain_of("str", NAMES)}, [condition("len(x) > 10 ** 9")], NAMES)["x"]
        if "*" in one.code
    ]
    assert [one.code for one in pools({"x": None}, [condition("x > 1e999")], NAMES)["x"]] == []


@pytest.mark.parametrize(
    ("annotation", "code"),
    [
        ("int", "1"),
        ("'int'", "1"),
        ("int | None", "1"),
        ("Optional[str]", "'text'"),
        ("Union[str, int]", "'text'"),
        ("list[int]", "[1]"),
        ("Sequence[str]", "['text']"),
        ("dict[str, int]", "{'text': 1}"),
        ("tuple[int, str]", "(1, 'text',)"),
        ("tuple[int, ...]", "(1,)"),
        ("set[str]", "{'text'}"),
        ("Literal['a', 'b']", "'a'"),
        ("Annotated[int, Field(gt=0)]", "1"),
        ("datetime.date", "datetime.date(2026, 3, 2)"),
        ("Path", 'pathlib.Path("a/b.txt")'),
        ("list[dict[str, list[int]]]", "[{'text': [1]}]"),
    ],
)
def test_annotations_become_values(annotation, code):
    found = domain_of(annotation, NAMES)
    assert found is not None
    assert found.usual[0].code == code


@pytest.mark.parametrize(
    "annotation",
    [
        "",
        "Request",
        "list[Request]",
        "dict[Request, int]",
        "dict[list[int], int]",
        "Callable[[int], str]",
        "x y",
        "None",
        "T",
        "set[list[int]]",
    ],
)
def test_what_nobody_can_make_is_none(annotation):
    found = domain_of(annotation, NAMES)
    assert found is None or not found.usual[0].known or annotation == "None"


@given(
    st.sampled_from(
        [
            "int",
            "str",
            "float",
            "bytes",
            "bool",
            "list[int]",
            "dict[str, int]",
            "tuple[int, ...]",
            "set[int]",
            "frozenset[str]",
            "int | None",
        ]
    )
)
@settings(deadline=None)
def test_the_code_of_a_known_value_makes_that_value(annotation):
    found = domain_of(annotation, NAMES)
    assert found is not None
    for one in (*found.usual, *found.borders):
        if one.known and not one.imports:
            assert eval(one.code) == one.value  # noqa: S307 - our own code


def test_classes_of_the_module_are_made_from_their_fields():
    tree = ast.parse(
        "@dataclass\nclass P:\n    x: int\n    y: str = ''\nclass E(Enum):\n    A = 1\nclass B(P):\n    pass\n"
        "class C:\n    def __init__(self, p: P, *, n: int) -> None: ...\nclass D:\n    def __init__(self, q): ...\n"
    )
    classes = {one.name: one for one in tree.body if isinstance(one, ast.ClassDef)}
    names = Names(classes=classes)
    assert [one.code for one in domain_of("P", names).usual] == ["module.P(x=1)"]
    assert [one.code for one in domain_of("E", names).usual] == ["module.E.A"]
    assert [one.code for one in domain_of("C", names).usual] == ["module.C(p=module.P(x=1), n=1)"]
    assert domain_of("B", names) is None
    assert constructor(classes["D"], names) is None
