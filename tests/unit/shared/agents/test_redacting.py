from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.agents.redacting import entropy, redact

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\nq83hf7Gh2\n-----END RSA PRIVATE KEY-----"
"""Made up."""


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key = 'ghp_0123456789abcdefghijklmnopqrstuvwxyzAB'", "ghp_0123456789"),
        ("github_pat_11ABCDEFG0abcdefghijklm_nopqrstuvwxyz", "nopqrstuvwxyz"),
        ("AWS = AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ('password = "hunter2!"', "hunter2!"),
        ("db_password: 'correct horse'", "correct horse"),
        ('config["api_key"] = "abc-def-1"', "abc-def-1"),
        ('{"client_secret": "s3cr3t"}', "s3cr3t"),
        ("const apiToken = `tok-1234`", "tok-1234"),
        ("SECRET_KEY=abcdef123", "abcdef123"),
        ("export DB_PASSWORD=abcdef123", "abcdef123"),
        ("    12 + DB_PASSWORD=abcdef123", "abcdef123"),
        ("url = https://mira:pa55word@db.example/x", "pa55word"),
        ("postgres://u:p%40ss@host/db", "p%40ss"),
        ("Authorization: Bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("AccountKey=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4;EndpointSuffix=x", "Zm9vYmFyYmF6cXV4"),
        ("Server=x;Password=sw0rdfish;", "sw0rdfish"),
        ("https://x.blob.example/c?sv=1&sig=abcdEFGH1234%2Bijkl", "abcdEFGH1234"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "eyJzdWIi"),
        (PEM, "MIIEpAIBAAKCAQEA7bq"),
        ("     1 + " + PEM.replace("\n", "\n     2 + "), "q83hf7Gh2"),
        (PEM.split("-----END", maxsplit=1)[0], "q83hf7Gh2"),
        ("sk-proj-abcdefghijklmnopqrstuv", "abcdefghijklmnopqrstuv"),
        ("blob = 'kJ8s0dLq2PzXv7RtYw3mNbCfGhUe5AiO'", "kJ8s0dLq2PzXv7RtYw3mNbCfGhUe5AiO"),
        ("x" * 76, "never"),
        ("xoxb-" + "123456789012-123456789012-abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
    ],
)
def test_secrets_are_taken_out(text, secret):
    assert secret not in redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def token(self) -> str:",
        "token = get_token()",
        "password = os.environ['DB_PASSWORD']",
        "if password is None:",
        "commit a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "from shared.evidence.changes.conventional import ConventionalCommit",
        "https://example.com/path?page=2",
        "tests/unit/test_a_very_long_name_of_a_module_that_says_what_it_does.py",
        "This_is_a_long_identifier_of_words_joined",
    ],
)
def test_ordinary_code_stays_as_it_is(text):
    done = redact(text)
    assert done.text == text
    assert done.count == 0


def test_what_was_taken_out_is_counted_by_kind():
    done = redact('password = "hunter2"\ntoken = "tok-99"\nAKIAIOSFODNN7EXAMPLE')
    assert (sorted(done.kinds.values()), done.count) == ([1, 2], 3)
    assert done.text.count("[REDACTED:") == 3


def test_the_name_and_the_place_stay():
    assert redact('a = 1\npassword = "hunter2"\nb = 2').text == 'a = 1\npassword = "[REDACTED:named secret]"\nb = 2'


def test_known_values_are_taken_out_wherever_they_stand():
    done = redact("the key is blue-horse, blue-horse", known=("blue-horse", "abc", ""))
    assert "blue-horse" not in done.text
    assert done.kinds == {"known secret": 2}


@given(st.text(max_size=300))
@settings(deadline=None)
def test_redacting_twice_takes_out_nothing_more(text):
    once = redact(text)
    assert redact(once.text).text == once.text


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=36, max_size=36))
@settings(deadline=None)
def test_a_github_token_never_gets_through(token):
    assert f"ghp_{token}" not in redact(f"x = call('ghp_{token}')").text


def test_entropy_is_of_characters():
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "-----BEGIN PRIVATE KEY-----" * 3_000,
        "password=" * 10_000,
        "://a:" * 10_000,
        "eyJ" * 20_000,
        '"' * 50_000,
    ],
)
@pytest.mark.timeout(30)
def test_hostile_text_is_answered_without_end_of_backtracking(text):
    done = redact(text)
    assert done.text == text or done.count
