"""Secrets in added lines are found, and never told."""

from __future__ import annotations

import pytest

from shared.domain.change import FileStatus
from shared.domain.evidence import Severity
from shared.evidence.apart import secrets as apart
from shared.evidence.scanning import ScanLimits, secrets
from tests.fakes.changes import file

pytestmark = pytest.mark.usefixtures("here")
AWS = "AKIA" + "Q3EGUXQ7NTL2ZBVP"
GITHUB = "ghp_" + "q8" * 18
PASSWORD = "tr0ub4dor&3xyz"
RANDOM = "Zx9Qp2Lm7Rt4Vb8Nc3Kd6Hf1Jg5Ws0Ye"
BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"

SHAPES = {
    "AWS Access Key": AWS,
    "GitHub Token": GITHUB,
    "GitHub Fine-grained Token": "github_pat_" + "11ABCDEFG0" * 8,
    "Google API Key": "AIza" + "Sy4B" * 8 + "xyz",
    "Azure DevOps Token": "a1B2" * 19 + "AZDO" + "1x2Y",
    "Slack Token": "xoxb-" + "123456789012-123456789012-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7",
    "Stripe Access Key": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
    "PyPI Token": "pypi-AgEIcHlwaS5vcmc" + "CJDg4" * 20,
}


PATHS = ["app.py", "config.yaml", "notes.md", "tests/test_x.py", "package-lock.json", "a.lock", "a.css", "Dockerfile"]


def test_a_shape_is_found_wherever_it_stands(job, found, written) -> None:
    text = "one\n" + "".join(f"# {value} here\n" for value in SHAPES.values())
    scans = secrets.scan(job(*(file(path, "one\n", text) for path in PATHS)))
    told = {(one.path, one.line, one.rule) for one in found(scans) if one.severity is Severity.CRITICAL}
    assert told >= {(path, line, kind) for path in PATHS for line, kind in enumerate(SHAPES, 2)}
    assert not any(value in written(scans) for value in SHAPES.values())


def test_every_detector_that_is_named_is_loaded_and_sees(tmp_path) -> None:
    version, look = apart.begin()
    assert version
    (tmp_path / "text0.py").write_text("".join(f"# {value}\n" for value in SHAPES.values()))
    told = {each["kind"] for each in look(tmp_path, "text0.py")["found"]}
    assert told >= set(SHAPES)


def test_only_added_lines_count(job, found) -> None:
    before = f"key = '{AWS}'\n" + "x = 1\n" * 9
    assert found(secrets.scan(job(file("a.py", before, before + "y = 2\n")))) == []
    moved = found(secrets.scan(job(file("a.py", "x = 1\n" * 9, before))))
    assert [one.line for one in moved] == [1]


def test_a_removed_secret_is_none(job, found, reasons) -> None:
    scans = secrets.scan(job(file("a.py", f"key = '{AWS}'\n", None), file("b.py", f"k = '{AWS}'\nx\n", "x\n")))
    assert found(scans) == [] and reasons(scans) == []


def test_a_password_beside_its_name_is_guessed(job, found, written) -> None:
    scans = secrets.scan(job(file("app.py", None, f"password = '{PASSWORD}'\n")))
    assert [(one.rule, one.severity) for one in found(scans)] == [("Secret Keyword", Severity.HIGH)]
    assert PASSWORD not in written(scans)


def test_randomness_is_guessed_also_in_tests(job, found, written) -> None:
    scans = secrets.scan(job(file("tests/test_a.py", None, f"seed = '{RANDOM}'\n")))
    assert [one.rule for one in found(scans)] == ["Base64 High Entropy String"]
    assert RANDOM not in written(scans)


NO_SECRETS = [
    "password = os.environ['PASSWORD']",
    "password = get_password('x')",
    "token_secret = 'contoso-github'",
    "secret_scanning = 'enabled'",
    "password = '${PASSWORD}'",
    "password = '<your password>'",
    f"integrity = 'sha512-{RANDOM * 2}'",
    "commit = 'af474bc05f8b8a2d763ff6788a7e10ba124b6a71'",
    "id = '123e4567-e89b-12d3-a456-426614174000'",
    "-----BEGIN RSA PRIVATE KEY-----",
    "connection = 'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='",
]


def test_what_is_no_secret_is_not_found(job, found) -> None:
    files = [file(f"app{number}.py", None, f"{line}\n") for number, line in enumerate(NO_SECRETS)]
    assert found(secrets.scan(job(*files))) == []


def test_a_private_key_with_its_body_is_found(job, found, written) -> None:
    text = f"-----BEGIN PRIVATE KEY-----\n{BODY}\n-----END PRIVATE KEY-----\n"
    scans = secrets.scan(job(file("key.pem", None, text)))
    assert "Private Key" in [one.rule for one in found(scans)]
    assert BODY not in written(scans)


def test_passwords_of_samples_are_guessed_less_closely(job, found) -> None:
    text = f"password = '{PASSWORD}'\nurl = 'https://user:secret@host/x'\n"
    assert found(secrets.scan(job(file("tests/test_a.py", None, text), file("docs/a.md", None, text)))) == []
    assert len(found(secrets.scan(job(file("app.py", None, text))))) == 2


def test_a_comment_excuses_nothing(job, found) -> None:
    comments = ["  # pragma: allowlist secret", "  # pragma: whitelist secret", "  # nosec", "  # noqa: S105"]
    files = [file(f"a{number}.py", None, f"key = '{AWS}'{comment}\n") for number, comment in enumerate(comments)]
    assert len(found(secrets.scan(job(*files)))) == len(comments)


def test_a_secret_in_a_comment_of_yaml_is_found(job, found) -> None:
    assert [one.line for one in found(secrets.scan(job(file("a.yaml", None, f"a: 1\n# {AWS}\nb: 2\n"))))] == [2]


def test_a_lone_carriage_return_hides_nothing(job, found) -> None:
    scans = secrets.scan(job(file("a.py", "x\n", f"x\ny = 1\rz = '{AWS}'\n")))
    assert [one.line for one in found(scans)] == [2]


def test_a_very_long_line_is_looked_at_by_shape(job, found) -> None:
    line = "x" * 20_000 + f" {AWS} " + "y" * 20_000
    assert [one.rule for one in found(secrets.scan(job(file("a.min.js", None, line))))] == ["AWS Access Key"]


def test_the_text_may_be_missing_while_the_patch_is_there(job, found, reasons) -> None:
    scans = secrets.scan(job(file("a.py", "one\n", f"one\n{AWS}\n", content=None)))
    assert [one.line for one in found(scans)] == [2]
    assert reasons(scans) == []


def test_what_could_not_be_looked_at_is_told_beside_what_was_found(job, found, reasons) -> None:
    scans = secrets.scan(job(file("a.py", None, AWS), file("b.py", None, "x", content=None, patch=None)))
    assert len(found(scans)) == 1
    assert len(reasons(scans)) == 1 and "b.py" in reasons(scans)[0]


def test_media_hold_none_and_other_binary_files_are_told(job, found, reasons) -> None:
    media = file("logo.png", None, "", binary=True, content=None, patch=None)
    assert reasons(secrets.scan(job(media))) == []
    hidden = file("settings.py", "x", "y", binary=True, content=None, patch=None, additions=0, deletions=0)
    scans = secrets.scan(job(media, hidden))
    assert "settings.py" in reasons(scans)[0]
    assert found(scans) == []


def test_a_change_without_files_was_looked_at(job, reasons) -> None:
    (only,) = secrets.scan(job())
    assert only.findings == () and only.figures == {"files": 0, "binary_files": 0}


def test_fingerprints_stay_when_lines_move_and_tell_nothing_without_the_key(job, found) -> None:
    one = found(secrets.scan(job(file("a.py", None, AWS))))[0]
    moved = found(secrets.scan(job(file("a.py", None, "\n\n" + AWS))))[0]
    elsewhere = found(secrets.scan(job(file("b.py", None, AWS))))[0]
    other = found(secrets.scan(job(file("a.py", None, AWS[:-1] + "X"))))[0]
    assert one.fingerprint == moved.fingerprint
    assert len({one.fingerprint, elsewhere.fingerprint, other.fingerprint}) == 3


def test_a_renaming_alone_brings_no_secret(job, found) -> None:
    text = f"{AWS}\n"
    scans = secrets.scan(job(file("b.py", text, text, previous_path="a.py", status=FileStatus.RENAMED)))
    assert found(scans) == []


def test_a_large_lock_file_is_looked_at_and_a_larger_text_is_told(job, found, reasons) -> None:
    limits = ScanLimits(file_bytes=1000)
    long = "x\n" * 2500 + AWS
    scans = secrets.scan(job(file("package-lock.json", None, long), file("a.txt", None, long), limits=limits))
    assert [one.path for one in found(scans)] == ["package-lock.json"]
    assert "a.txt" in reasons(scans)[0] and "4000" in reasons(scans)[0]


def test_a_line_of_a_megabyte_full_of_addresses_is_read(job, found) -> None:
    line = "https://example.com/some/path?x=1;" * 30_000 + AWS
    assert [one.rule for one in found(secrets.scan(job(file("app.min.js", None, line))))] == ["AWS Access Key"]


def test_a_token_of_npm_is_found_where_it_is_used(job, found) -> None:
    line = "//registry.example/:_authToken=npm_" + "a1B2c3D4e5" * 4
    assert "NPM tokens" in [one.rule for one in found(secrets.scan(job(file(".npmrc", None, line))))]


def test_a_template_is_read_as_what_it_makes(job, found) -> None:
    text = "SECRET_KEY = APP.secret_key.get_secret_value()\n"
    assert found(secrets.scan(job(file("src/[= name =]/settings.py.jinja", None, text)))) == []
    real = "SECRET_KEY = 'q8fK2vXz7Lm'\n"
    assert len(found(secrets.scan(job(file("src/settings.py.jinja", None, real), file("app.env", None, real))))) == 2
