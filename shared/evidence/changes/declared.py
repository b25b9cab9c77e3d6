"""What a source file declares: its functions and classes as a reader of the file would name them, whatever the language."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shared.domain.forge import Frozen


class Language(StrEnum):
    """Languages whose declarations are read."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"
    TYPESCRIPT = "typescript"


class DeclarationKind(StrEnum):
    """What is declared."""

    FUNCTION = "function"
    METHOD = "method"
    CLASS = "class"
    CONSTANT = "constant"
    """Only of JavaScript: something exported that is no function by its looks."""


class ParameterKind(StrEnum):
    """How an argument is given."""

    POSITIONAL = "positional"
    NORMAL = "normal"
    VARIADIC = "variadic"
    KEYWORD = "keyword"
    KEYWORDS = "keywords"


class Parameter(Frozen):
    """One parameter of a function."""

    name: str
    kind: ParameterKind = ParameterKind.NORMAL
    annotation: str = Field(default="", description="As written; empty: none.")
    default: str | None = Field(default=None, description="As written; None: it must be given.")

    @property
    def required(self) -> bool:
        """Whether a call without it is refused."""
        return self.default is None and self.kind not in {ParameterKind.VARIADIC, ParameterKind.KEYWORDS}


class Branch(Frozen):
    """One place where a function goes one way or another."""

    line: int = Field(ge=1)
    kind: str = Field(description="if, while, for, except, case, ifexp, assert, comprehension.")
    condition: str = Field(default="", description="As written, shortened; of `except` the exceptions.")


class Route(Frozen):
    """An HTTP route that a decorator binds to a function."""

    method: str = Field(description="GET, POST …; ANY where the decorator names none.")
    path: str

    @property
    def text(self) -> str:
        """``GET /tickets/{number}``."""
        return f"{self.method} {self.path}"


class Declaration(Frozen):
    """A function, method or class."""

    name: str = Field(description="Qualified within its file: `open_ticket`, `Desk.open`, `outer.<locals>.inner`.")
    kind: DeclarationKind
    signature: str = Field(
        description="`(number: int, *, dry: bool = False) -> Ticket`; of a class its bases and its annotated public fields."
    )
    line: int = Field(ge=1, description="Of the `def` or `class`.")
    start: int = Field(ge=1, description="Of the first decorator, else as `line`.")
    end: int = Field(ge=1)
    public: bool = Field(description="Importable by others by the language's convention.")
    parameters: tuple[Parameter, ...] = Field(default=(), description="Without `self` and `cls`.")
    returns: str = Field(default="", description="As annotated; empty: not.")
    decorators: tuple[str, ...] = Field(default=(), description="As written, without the `@`.")
    routes: tuple[Route, ...] = ()
    docstring: str = ""
    branches: tuple[Branch, ...] = Field(default=(), description="Of a function, without those of functions inside it.")
    raises: tuple[str, ...] = Field(default=(), description="Names of what it raises itself.")
    asynchronous: bool = False
    digest: str = Field(default="", description="Equal where nothing but layout, comments and docstring differ.")

    @property
    def callable(self) -> bool:
        """Whether it is a function or method."""
        return self.kind in {DeclarationKind.FUNCTION, DeclarationKind.METHOD}

    @property
    def typed(self) -> bool:
        """Whether every parameter and the result carry a type; ``__init__`` needs none for its result."""
        constructor = self.name.rsplit(".", 1)[-1] == "__init__" and bool(self.parameters)
        return all(one.annotation for one in self.parameters) and (bool(self.returns) or constructor)


class Declared(Frozen):
    """What one version of a file declares."""

    language: Language
    declarations: tuple[Declaration, ...] = Field(description="In the order of their lines.")
    blind: str = Field(default="", description="What such a reading cannot see.")
