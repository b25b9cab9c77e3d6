"""A stack is known everywhere or nowhere: to requests, to the form people fill in, to copier, and to these tests."""

import ast
from pathlib import Path

import pytest
import yaml

from shared.domain.project import Stack
from shared.projects.scaffold import LAYERS, SCAFFOLDS, request_form

HERE = Path(__file__).parent
TEMPLATE = yaml.safe_load((SCAFFOLDS / "copier.yml").read_text(encoding="utf-8"))


def test_every_stack_that_can_be_asked_for_has_layers() -> None:
    assert list(LAYERS) == list(Stack), "a stack of shared/domain/project.py needs its line in LAYERS, and the reverse"
    for stack, layers in LAYERS.items():
        assert (layers[0], layers[-1]) == ("base", stack.value), (
            "what all have comes first, the stack's own overlay last"
        )


def test_every_folder_is_a_layer_of_some_stack() -> None:
    folders = {path.name for path in SCAFFOLDS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {layer for layers in LAYERS.values() for layer in layers}


def test_copier_is_told_every_stack_and_layer() -> None:
    assert TEMPLATE["stack"]["choices"] == [stack.value for stack in Stack]
    assert set(TEMPLATE["layer"]["choices"]) == {layer for layers in LAYERS.values() for layer in layers}


def test_the_request_form_offers_every_stack() -> None:
    fields = {field["id"]: field for field in yaml.safe_load(request_form())["body"] if "id" in field}
    assert [option.lower() for option in fields["stack"]["attributes"]["options"]] == [stack.value for stack in Stack]


@pytest.mark.parametrize("stack", Stack)
def test_an_overlay_holds_the_stacks_own_application_and_its_tests(stack: Stack) -> None:
    overlay = SCAFFOLDS / stack.value
    for folder in ("src", "tests"):
        assert [path for path in (overlay / folder).rglob("*") if path.is_file()], f"{overlay / folder} is empty"
    assert [path for path in overlay.iterdir() if path.name.startswith(("pyproject.toml", "package.json"))]


@pytest.mark.parametrize("stack", Stack)
def test_every_stack_is_installed_and_tested_for_real(stack: Stack) -> None:
    """The slow matrix names Python stacks by their layers, and each other stack in a file of its own."""
    if "python" in LAYERS[stack]:
        slow = HERE / "test_generated_project.py"
        assert "PYTHON_STACKS" in slow.read_text(encoding="utf-8")
        return
    slow = HERE / f"test_generated_{stack.value}_project.py"
    assert slow.is_file(), f"write {slow.name}: it generates a project, and runs its setup, gates and tests"
    used = [
        node.value for node in ast.walk(ast.parse(slow.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    ]
    assert stack.value in used
