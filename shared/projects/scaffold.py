"""Render a new repository's first files from the packaged templates: the same inputs always give the same bytes.

The templates are a copier template (`shared/scaffolds/copier.yml`), yet they are rendered here with copier's Jinja
environment and settings instead of with `copier.run_copy`. Measured on two cores: a copier run costs 0.28 s to import
and about 0.1 s a layer, writes to disk, and calls git when there is one; this takes some tens of milliseconds, writes
nothing and starts nothing. A test renders with copier itself and compares every byte, so the templates stay usable
with `copier copy`.
"""

import functools
import hashlib
import keyword
import re
import sys
import unicodedata
from collections.abc import Mapping
from itertools import count
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Self
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.domain import shapes
from shared.domain.project import Process, Stack, Visibility, slug_of

TEMPLATE_VERSION = "1.3.0"
"""Version of the packaged templates; changes whenever any rendered byte does (semantic versioning)."""

SCAFFOLDS = Path(__file__).resolve().parent.parent / "scaffolds"
REQUEST_FORM = PurePosixPath(".github/ISSUE_TEMPLATE/new-project.yml")
"""Where the request form lies in the base layer, and in every repository rendered for GitHub."""

_SUFFIX = ".jinja"
_SUMMARY_LENGTH = 200
_DEPLOYMENT_KEY_LENGTH = 20  # with a slug before it, a namespace has at most 63 characters
_SLUG_LENGTH = 40  # chart and release names share 63 characters of a DNS label with suffixes of their own


LAYERS: Mapping[Stack, tuple[str, ...]] = MappingProxyType(
    {
        Stack.FASTAPI: ("base", "python", "fastapi"),
        Stack.FLASK: ("base", "python", "wsgi", "flask"),
        Stack.DJANGO: ("base", "python", "wsgi", "django"),
        Stack.REACT: ("base", "node", "react"),
    }
)
"""Folders of the template by stack, first to last; a later layer's file replaces an earlier one's."""

# A project of such a name would install or import itself instead of the library its scaffold needs.
_LIBRARIES = frozenset(
    """annotated-doc annotated-types anyio asgiref bandit blinker certifi click coverage dj-database-url django
    django-stubs django-stubs-ext fastapi flask googleapis-common-protos gunicorn h11 hatchling httpcore httpcore2
    httpx httpx2 idna iniconfig itsdangerous jinja2 librt markupsafe mypy mypy-extensions opentelemetry
    opentelemetry-api opentelemetry-exporter-otlp-proto-http opentelemetry-sdk packaging pathspec pip pip-audit
    pip-tools pluggy pre-commit protobuf psycopg psycopg-binary pydantic pydantic-core pydantic-settings pygments
    pytest pytest-cov pytest-django python-dotenv requests ruff setuptools sqlparse starlette tests truststore
    types-gunicorn types-pyyaml typing-extensions typing-inspection urllib3 uvicorn werkzeug wheel""".split()  # noqa: SIM905 - a list would be one name a line
)


def _printable(text: str) -> str:
    # Zero-width joiners shape emoji and Persian; every other format character can make text read as what it is not.
    for position, character in enumerate(text):
        category = unicodedata.category(character)
        if character == "\n" or character in "\u200c\u200d":
            continue
        if category in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}:
            raise ValueError(
                f"holds the unprintable character U+{ord(character):04X} at position {position + 1}: remove it"
            )
    return text


def _single_line(text: str) -> str:
    collapsed = " ".join(text.split())
    if not collapsed:
        raise ValueError("is empty: give it at least one letter")
    return _printable(collapsed)


def _paragraphs(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.replace("\r\n", "\n").split("\n"))
    return _printable("\n".join(lines).strip())


def _slug(slug: str) -> str:
    if slug in _LIBRARIES:
        raise ValueError(f"{slug!r} is a library the project itself needs: for example {slug}-app")
    return slug


def is_usable_package_name(name: str) -> bool:
    """Whether Python code can import `name` without hiding a keyword, the standard library or a scaffold's library."""
    return (
        re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None
        and not keyword.iskeyword(name)
        and not keyword.issoftkeyword(name)
        and name not in sys.stdlib_module_names
        and name.replace("_", "-") not in _LIBRARIES
    )


def _package_name(name: str) -> str:
    if not is_usable_package_name(name):
        raise ValueError(
            f"{name!r} cannot be a Python package here (lower-case identifier, no keyword, no standard library module): "
            "for example order_desk"
        )
    return name


def slug_for(project_name: str) -> str:
    """A name for URLs, images and charts made from a display name: `Größe & Maß` becomes `grosse-mass`.

    At most 40 characters of `a-z0-9-`, starting with a letter (RFC 1035 label). A name without one Latin letter or digit
    becomes `project-` and eight hex digits of its SHA-256, so that it stays the same at every call.
    """
    latin = unicodedata.normalize("NFKD", project_name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", latin.lower()).strip("-")
    if not slug:
        return "project-" + hashlib.sha256(project_name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    if slug[0].isdigit():
        slug = f"project-{slug}"
    slug = slug[:_SLUG_LENGTH].rstrip("-")
    return f"{slug}-app" if slug in _LIBRARIES else slug


def package_name_for(slug: str) -> str:
    """The import name of a slug: `order-desk` becomes `order_desk`, and `json` (taken) becomes `json_app`."""
    name = slug.replace("-", "_")
    return name if is_usable_package_name(name) else f"{name}_app"


def _percent_encoded(url: object) -> object:
    # What is encoded already stays; an `@` is encoded so that the pattern refuses credentials in the host part.
    return quote(url, safe="/:%") if isinstance(url, str) else url


_ForgeUrl = Annotated[
    str,
    BeforeValidator(_percent_encoded),
    Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*/?$", max_length=500),
]


class ScaffoldInputs(BaseModel):
    """Everything a render depends on. Text is normalised and refused when unprintable, so templates can trust it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project_name: Annotated[str, Field(max_length=100), AfterValidator(_single_line)]
    slug: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=_SLUG_LENGTH), AfterValidator(_slug)
    ]
    package_name: Annotated[str, Field(max_length=_SLUG_LENGTH + 4), AfterValidator(_package_name)]
    description: Annotated[str, Field(max_length=4000), AfterValidator(_paragraphs)] = ""
    owner: Annotated[
        str,
        Field(
            description="GitHub login, organisation/team, or e-mail address, as CODEOWNERS takes them",
            pattern=r"^([A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?"
            r"|[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)$",
            max_length=254,
        ),
    ]
    stack: Stack
    python_version: Annotated[str, Field(pattern=r"^3\.1[2-4]$")] = "3.13"
    year: Annotated[int, Field(ge=2000, le=9999, description="Year of the request, for the notices")]
    process: Process = Process.AGILE
    github_url: Annotated[
        _ForgeUrl | None, Field(description="Repository page; without it no GitHub files are rendered")
    ] = None
    azure_devops_url: Annotated[
        _ForgeUrl | None, Field(description="Repository page; without it no Azure DevOps files are rendered")
    ] = None
    environments: Annotated[
        tuple[Annotated[str, Field(pattern=shapes.ENVIRONMENT.pattern, max_length=100)], ...],
        Field(max_length=10, description="Where it is deployed, first to last, by the names that the forges have"),
    ] = ("staging", "production")
    visibility: Visibility = Visibility.PRIVATE
    template_version: str = TEMPLATE_VERSION

    @model_validator(mode="after")
    def _renderable(self) -> Self:
        if self.github_url is None and self.azure_devops_url is None:
            raise ValueError("no forge: give github_url, azure_devops_url or both")
        if self.template_version != TEMPLATE_VERSION:
            raise ValueError(
                f"template_version {self.template_version} is not packaged here: render with {TEMPLATE_VERSION}, "
                "or take the older render from its artifact"
            )
        if self.stack not in LAYERS:
            raise ValueError(f"no templates for {self.stack} yet: choose one of {', '.join(LAYERS)}")
        return self

    @property
    def summary(self) -> str:
        """The description in one line of at most 200 characters; the display name when there is no description."""
        line = " ".join(self.description.split()) or self.project_name
        return line if len(line) <= _SUMMARY_LENGTH else line[: _SUMMARY_LENGTH - 1].rstrip() + "…"

    @property
    def deployments(self) -> list[dict[str, str]]:
        """One an environment, first to last: ``name`` on the forges, ``key`` in files, jobs and namespaces (at most 20 of
        ``a-z0-9-``, no two alike), ``variable`` with its address, and the file of ``settings`` it takes.

        The last one is where people depend on the service, so it takes the production values; the others take staging's.
        """
        found: list[dict[str, str]] = []
        for place, name in enumerate(self.environments, start=1):
            slug = slug_of(name)
            key = slug[:_DEPLOYMENT_KEY_LENGTH].strip("-")
            taken = {other["key"] for other in found}
            if key in taken:
                stem = key[: _DEPLOYMENT_KEY_LENGTH - 2].rstrip("-")
                key = next(free for number in count(2) if (free := f"{stem}-{number}") not in taken)
            settings = "production" if place == len(self.environments) else "staging"
            variable = f"{slug.upper().replace('-', '_')}_BASE_URL"
            found.append({"name": name, "key": key, "variable": variable, "settings": settings})
        return found

    def answers(self) -> dict[str, Any]:
        """The answers to the template's questions, as `copier copy --data-file` would take them."""
        answers = {key: "" if value is None else value for key, value in self.model_dump(mode="json").items()}
        return answers | {"summary": self.summary, "deployments": self.deployments}


class Scaffold(BaseModel):
    """The files of a new repository, by POSIX path."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    files: Annotated[Mapping[str, bytes], AfterValidator(MappingProxyType)]
    executable: frozenset[str]
    digest: str
    """Lower-case hex SHA-256 over path, NUL, git mode, NUL and content of each file, by path."""
    template_version: str


def digest_of(files: Mapping[str, bytes], executable: frozenset[str]) -> str:
    """SHA-256 (hex) over every file's path, NUL, git mode (100644 or 100755), NUL and content, sorted by path."""
    state = hashlib.sha256()
    for path in sorted(files):
        mode = b"100755" if path in executable else b"100644"
        state.update(path.encode() + b"\0" + mode + b"\0" + files[path])
    return state.hexdigest()


@functools.cache
def _settings() -> dict[str, Any]:
    from shared.definitions.reading import trusted  # noqa: PLC0415 - cold start

    settings: dict[str, Any] = trusted((SCAFFOLDS / "copier.yml").read_text(encoding="utf-8"))
    return settings


@functools.cache
def _environment() -> Any:
    import jinja2  # noqa: PLC0415 - cold start
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415

    options = {**_settings()["_envops"], "undefined": jinja2.StrictUndefined}
    return SandboxedEnvironment(extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"], **options)


@functools.cache
def _compiled(text: str) -> Any:
    return _environment().from_string(text)


@functools.cache
def _sources(layer: str) -> tuple[tuple[str, bytes], ...]:
    root = SCAFFOLDS / layer
    return tuple(
        (path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(root.rglob("*")) if path.is_file()
    )


def _context(inputs: ScaffoldInputs) -> dict[str, Any]:
    context = inputs.answers()
    for question, details in _settings().items():
        # copier computes a question that is never asked from the answers before it.
        if not question.startswith("_") and details.get("when") is False:
            context[question] = _compiled(details["default"]).render(context)
    return context


def render(inputs: ScaffoldInputs) -> Scaffold:
    """Render the repository of `inputs`; pure but for reading the packaged templates.

    Text answers are quoted by the template for the format they land in. Files that start with `#!` are executable,
    whatever mode the packaging left on the template.

    Raises:
        jinja2.TemplateError: a packaged template is broken (a defect of ours, never of the inputs).
    """
    import pathspec  # noqa: PLC0415 - cold start

    context = _context(inputs)
    patterns = [_compiled(pattern).render(context) for pattern in _settings()["_exclude"]]
    excluded = pathspec.PathSpec.from_lines("gitignore", patterns)
    files: dict[str, bytes] = {}
    for layer in LAYERS[inputs.stack]:
        for source, content in _sources(layer):
            path = _compiled(source.removesuffix(_SUFFIX)).render(context)
            if excluded.match_file(path):
                continue
            files[path] = _compiled(content.decode()).render(context).encode() if source.endswith(_SUFFIX) else content
    ordered = {path: files[path] for path in sorted(files)}
    executable = frozenset(path for path, content in ordered.items() if content.startswith(b"#!"))
    return Scaffold(
        files=ordered,
        executable=executable,
        digest=digest_of(ordered, executable),
        template_version=inputs.template_version,
    )


def request_form() -> bytes:
    """The issue form (YAML) by which a project is asked for, as the base layer ships it."""
    return (SCAFFOLDS / "base" / REQUEST_FORM).read_bytes()
