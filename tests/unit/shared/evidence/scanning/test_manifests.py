"""Files that name dependencies are read exactly, or refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evidence.scanning import manifests
from shared.evidence.scanning.manifests import KINDS, UnreadableError, kind_of_manifest, read

UV = """version = 1
[[package]]
name = "flask"
version = "2.0.0"
source = { registry = "https://pypi.example/simple" }

[[package]]
name = "mine"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "Typing_Extensions"
version = "4.1.0"
source = { registry = "https://pypi.example/simple" }
"""
POETRY = """[[package]]
name = "flask"
version = "2.0.0"

[[package]]
name = "forked"
version = "1.0"
[package.source]
type = "git"
url = "https://git.example/x"

[[package]]
name = "private"
version = "3"
[package.source]
type = "legacy"
url = "https://pypi.example"
"""
CARGO = """[[package]]
name = "mine"
version = "0.1.0"

[[package]]
name = "serde"
version = "1.0.1"
source = "registry+https://index.example"
"""
NPM = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "mine", "version": "1.0.0"},
        "node_modules/lodash": {"version": "4.17.20"},
        "node_modules/@angular/core": {"version": "1.0.0"},
        "node_modules/a/node_modules/lodash": {"version": "3.0.0"},
        "node_modules/alias": {"name": "real", "version": "2.0.0"},
        "node_modules/linked": {"link": True, "resolved": "packages/linked"},
        "packages/linked": {"version": "1.0.0"},
    },
}
NPM_1 = {
    "lockfileVersion": 1,
    "dependencies": {
        "lodash": {"version": "4.17.20", "dependencies": {"deep": {"version": "1.0.0"}}},
        "git": {"version": "git+ssh://git@git.example/x"},
    },
}
PIPFILE = {
    "default": {"flask": {"version": "==2.0.0"}, "git": {"git": "https://x"}},
    "develop": {"pytest": {"version": "==7.0"}},
}
PYPROJECT = """[build-system]
requires = ["hatchling"]
[project]
dependencies = ["flask==2.0.0", "requests>=2; python_version > '3'"]
[project.optional-dependencies]
dev = ["pytest==7.0"]
[dependency-groups]
more = ["ruff", {include-group = "x"}]
[tool.poetry.dependencies]
python = "^3.13"
django = "^5"
"""
REQUIREMENTS = """# comment
-r base.txt
--index-url https://pypi.example/simple
Flask[async]==2.0.0 ; python_version > "3" \\
    --hash=sha256:abc \\
    --hash=sha256:def  # via x
requests>=2
urllib3 === 1.26.4
wild==1.*
-e ./mine
./local.whl
pkg @ https://example/x.zip
pyyaml==5.3 # why
two==1,>=0
"""


def purls(path: str, text: str) -> list[tuple[str, int | None]]:
    kind = kind_of_manifest(path)
    assert kind is not None
    return [(one.purl, one.line) for one in read(kind, text).packages]


def open_of(path: str, text: str) -> tuple[str, ...]:
    kind = kind_of_manifest(path)
    assert kind is not None
    return read(kind, text).open


def test_requirements() -> None:
    assert purls("a/requirements-dev.txt", REQUIREMENTS) == [
        ("pkg:pypi/flask@2.0.0", 4),
        ("pkg:pypi/urllib3@1.26.4", 8),
        ("pkg:pypi/pyyaml@5.3", 13),
    ]
    told = open_of("requirements/dev.txt", REQUIREMENTS)
    assert told == ("requests>=2", "wild==1.*", "-e ./mine", "./local.whl", "pkg @ https://example/x.zip", "two==1,>=0")


def test_a_requirement_that_goes_on_to_nothing() -> None:
    assert purls("requirements.txt", "flask==1 \\") == [("pkg:pypi/flask@1", 1)]
    assert purls("requirements.txt", "flask==1\r\nrich==2\r\n") == [("pkg:pypi/flask@1", 1), ("pkg:pypi/rich@2", 2)]


def test_pyproject() -> None:
    assert purls("pyproject.toml", PYPROJECT) == [("pkg:pypi/flask@2.0.0", 4), ("pkg:pypi/pytest@7.0", 6)]
    assert open_of("pyproject.toml", PYPROJECT) == (
        "requests>=2; python_version > '3'",
        "ruff",
        "hatchling",
        "django ^5",
    )


def test_lock_files_in_toml() -> None:
    assert purls("uv.lock", UV) == [("pkg:pypi/flask@2.0.0", 3), ("pkg:pypi/typing-extensions@4.1.0", 13)]
    assert purls("x/poetry.lock", POETRY) == [("pkg:pypi/flask@2.0.0", 2), ("pkg:pypi/private@3", 13)]
    assert purls("Cargo.lock", CARGO) == [("pkg:cargo/serde@1.0.1", 6)]


def test_lock_files_in_json() -> None:
    assert purls("package-lock.json", json.dumps(NPM, indent=2)) == [
        ("pkg:npm/lodash@4.17.20", 8),
        ("pkg:npm/%40angular/core@1.0.0", 11),
        ("pkg:npm/lodash@3.0.0", 14),
        ("pkg:npm/real@2.0.0", 17),
    ]
    assert [purl for purl, _ in purls("npm-shrinkwrap.json", json.dumps(NPM_1))] == [
        "pkg:npm/lodash@4.17.20",
        "pkg:npm/deep@1.0.0",
    ]
    assert [purl for purl, _ in purls("Pipfile.lock", json.dumps(PIPFILE))] == [
        "pkg:pypi/flask@2.0.0",
        "pkg:pypi/pytest@7.0",
    ]
    assert open_of("Pipfile.lock", json.dumps(PIPFILE)) == ("git",)


def test_package_json_leaves_all_open() -> None:
    assert open_of("package.json", '{"dependencies": {"a": "^1"}, "devDependencies": {"b": "2.0.0"}}') == (
        "a ^1",
        "b 2.0.0",
    )
    assert open_of("package.json", '{"scripts": {}}') == ()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("package-lock.json", "{"), ("package-lock.json", "[]"), ("package-lock.json", "{}"), ("package-lock.json", '{"packages": []}'),
        ("package-lock.json", '{"packages": {"node_modules/x": 7}}'), ("package-lock.json", '{"packages": {"node_modules/": {"version": "1"}}}'),
        ("package-lock.json", '{"packages": {"node_modules/x": {"version": 7}}}'), ("package-lock.json", "[" * 200_000),
        ("uv.lock", "[[package]]\nversion = '1'\n"), ("uv.lock", "not toml"), ("uv.lock", "package = 7"), ("Cargo.lock", "package = [7]"),
        ("pyproject.toml", "project = 7"), ("pyproject.toml", "[project]\ndependencies = [7]"), ("Pipfile.lock", '{"default": []}'),
        ("Pipfile.lock", '{"default": {"a": "b"}}'), ("package.json", "7"), ("package.json", '{"dependencies": ["x"]}'),
        ("yarn.lock", ""), ("pom.xml", "<project/>"), ("setup.py", "setup()"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(path, text) -> None:
    kind = kind_of_manifest(path)
    assert kind is not None
    with pytest.raises(UnreadableError):
        read(kind, text)


def test_a_lock_file_of_too_much_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(manifests, "MOST_PACKAGES", 1)
    with pytest.raises(UnreadableError, match="more than 1 packages"):
        purls("uv.lock", UV)
    monkeypatch.setattr(manifests, "MOST_TEXT", 10)
    with pytest.raises(UnreadableError, match="longer than 10"):
        purls("uv.lock", UV)


def test_what_gates_take_for_a_manifest_is_known_here() -> None:
    from shared.gates._concerns import MANIFESTS

    for pattern in MANIFESTS:
        path = pattern.replace("**/", "").replace("y*ml", "yml").replace("*.lock", "any.lock").replace("*", "x")
        assert kind_of_manifest(path), path
        assert kind_of_manifest(f"deep/er/{path}"), path


@pytest.mark.parametrize(
    "path", ["README.md", "requirements.md", "src/app.py", "package.json.bak", "Cargo.lock/x", "../x"]
)
def test_other_files_are_none(path) -> None:
    assert kind_of_manifest(path) is None


READABLE = [kind for kind in KINDS if kind.read is not None]


@given(kind=st.sampled_from(READABLE), text=st.text(max_size=200))
def test_any_text_is_read_or_refused(kind, text) -> None:
    try:
        read(kind, text)
    except UnreadableError as error:
        assert error.reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "packages",
                    "dependencies",
                    "node_modules/a",
                    "a",
                    "version",
                    "link",
                    "default",
                    "lockfileVersion",
                    "name",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(name=st.sampled_from(["package-lock.json", "Pipfile.lock", "package.json"]), value=JSON)
def test_any_json_is_read_or_refused(name, value) -> None:
    kind = kind_of_manifest(name)
    assert kind is not None
    try:
        told = read(kind, json.dumps(value))
    except UnreadableError:
        return
    assert all(one.purl.startswith("pkg:") and one.version for one in told.packages)


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
VERSIONS = st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True)


@given(st.dictionaries(NAMES, VERSIONS, max_size=10))
def test_every_pin_of_requirements_is_asked_about(pins) -> None:
    text = "".join(f"{name}=={version}\n" for name, version in pins.items())
    assert purls("requirements.txt", text) == [
        (f"pkg:pypi/{name}@{version}", number) for number, (name, version) in enumerate(pins.items(), 1)
    ]
