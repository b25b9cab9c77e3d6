"""Templates, constraints and precedence of ASP.NET routing."""

from typing import Any

import pytest

from local.host.app import Function, IndexingError, Trigger
from local.host.routes import Router


def function(name: str, route: str | None = None, methods: list[str] | None = None) -> Function:
    binding: dict[str, Any] = {"type": "httpTrigger", "name": "req"}
    if route is not None:
        binding["route"] = route
    if methods is not None:
        binding["methods"] = methods
    return Function(
        name=name,
        function_id=name,
        directory="",
        trigger=Trigger.HTTP,
        trigger_name="req",
        binding=binding,
        outputs={},
        client_inputs=(),
        bindings=(binding,),
        is_async=True,
        delivers=False,
    )


def found(router: Router, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    match = router.find(path, method)
    return None if match is None else (match[0].function.name, match[1])


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("items/{id}", "/api/items/7", {"id": "7"}),
        ("items/{id}", "/API/Items/Seven", {"id": "Seven"}),
        ("items/{id}", "/api/items/7/", {"id": "7"}),
        ("items/{id}", "/api/items", None),
        ("items/{id}", "/api/items/7/8", None),
        ("items/{id:int}", "/api/items/-7", {"id": "-7"}),
        ("items/{id:int}", "/api/items/9999999999", None),
        ("items/{id:long}", "/api/items/9999999999", {"id": "9999999999"}),
        ("items/{id:int:min(3)}", "/api/items/2", None),
        ("items/{id:range(1,9)}", "/api/items/9", {"id": "9"}),
        (
            "items/{id:guid}",
            "/api/items/0af76519-16cd-43dd-8448-eb211c80319c",
            {"id": "0af76519-16cd-43dd-8448-eb211c80319c"},
        ),
        ("items/{id:guid}", "/api/items/7", None),
        ("items/{id:bool}", "/api/items/True", {"id": "True"}),
        ("items/{id:alpha}", "/api/items/a1", None),
        ("items/{id:length(2,3)}", "/api/items/abcd", None),
        ("items/{id:maxlength(3)}", "/api/items/abc", {"id": "abc"}),
        ("items/{id:datetime}", "/api/items/2026-01-31", {"id": "2026-01-31"}),
        ("items/{id:double}", "/api/items/1.5e3", {"id": "1.5e3"}),
        ("items/{id:regex(^a\\d{{2}}$)}", "/api/items/a12", {"id": "a12"}),
        ("items/{id:regex(^a\\d{{2}}$)}", "/api/items/a123", None),
        ("items/{id?}", "/api/items", {}),
        ("items/{id:int?}", "/api/items/x", None),
        ("items/{id=5}", "/api/items", {"id": "5"}),
        ("files/{*path}", "/api/files/a/b", {"path": "a/b"}),
        ("files/{*path}", "/api/files", {}),
        ("v{major}.json", "/api/v3.json", {"major": "3"}),
        ("{a}-{b}", "/api/x-y", {"a": "x", "b": "y"}),
        (None, "/api/plain", {}),
    ],
)
def test_templates(template: str | None, path: str, values: dict[str, str] | None) -> None:
    result = found(Router([function("plain", template)], "api"), path)
    assert (result[1] if result else None) == values


def test_literal_beats_constraint_beats_parameter_beats_catch_all() -> None:
    router = Router(
        [function("all", "{*rest}"), function("any", "{x}"), function("number", "{x:int}"), function("word", "word")],
        "api",
    )
    assert found(router, "/api/word") == ("word", {})
    assert found(router, "/api/12") == ("number", {"x": "12"})
    assert found(router, "/api/other") == ("any", {"x": "other"})
    assert found(router, "/api/a/b") == ("all", {"rest": "a/b"})


def test_methods_choose_among_functions_of_one_template() -> None:
    router = Router([function("read", "x", ["GET"]), function("write", "x", ["POST"])], "")
    assert found(router, "/x", "POST") == ("write", {})
    assert found(router, "/x", "DELETE") is None


@pytest.mark.parametrize("template", ["{", "a/{id:colour}", "a/{id:min(x)}", "a/{id:regex(()}", "a}b"])
def test_what_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(IndexingError, match="function f: route"):
        Router([function("f", template)], "api")
