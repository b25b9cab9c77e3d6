"""Only who holds a secret is believed, and nothing a sender writes makes the check itself fail."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.intake.signatures import azure_devops_secret_is_valid, github_signature_is_valid

OLD, NEW, UMLAUT = "old-secret-of-16", "new-secret-of-16", "größe-漢字-geheim"


def signed(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@given(st.binary(max_size=200), st.sampled_from([OLD, NEW, UMLAUT]))
def test_a_right_signature_is_valid_under_any_of_the_secrets(body, secret):
    assert github_signature_is_valid([OLD, NEW, UMLAUT], body, signed(secret, body))


def test_the_documented_example_holds():
    # https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
    header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert github_signature_is_valid(["It's a Secret to Everybody"], b"Hello, World!", header)


def test_case_and_blanks_of_the_digest_do_not_count():
    assert github_signature_is_valid([NEW], b"x", " ".join(["sha256=", signed(NEW, b"x")[7:].upper()]))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha1=" + "0" * 40,
        signed(NEW, b"x")[7:],
        signed("another-secret-16", b"x"),
        signed(NEW, b"y"),
        signed(NEW, b"x")[:-1],
        signed(NEW, b"x") + "0",
        "sha256=" + "é" * 64,
        "sha256=\udce9",
    ],
)
def test_everything_else_is_refused(header):
    assert not github_signature_is_valid([OLD, NEW], b"x", header)


def test_without_secrets_nothing_is_valid():
    assert not github_signature_is_valid([], b"x", signed("", b"x"))
    assert not azure_devops_secret_is_valid([], basic("", ""), "")
    assert not azure_devops_secret_is_valid([], basic("x", NEW), NEW)


@pytest.mark.parametrize("secret", [OLD, NEW, UMLAUT])
@pytest.mark.parametrize("user", ["", "doneright", "ü"])
def test_a_password_or_a_header_proves_azure_devops(secret, user):
    secrets = [OLD, NEW, UMLAUT]
    assert azure_devops_secret_is_valid(secrets, basic(user, secret), None)
    assert azure_devops_secret_is_valid(secrets, None, secret)
    assert azure_devops_secret_is_valid(secrets, basic(user, "wrong"), secret)
    assert azure_devops_secret_is_valid(secrets, basic(user, secret).replace("Basic", "basic"), "wrong")


def test_a_password_may_hold_colons():
    assert azure_devops_secret_is_valid(["a:b:c:d:e:f:g:h:i"], basic("user", "a:b:c:d:e:f:g:h:i"), None)


@pytest.mark.parametrize(
    ("authorization", "shared"),
    [
        (None, None),
        ("", ""),
        (basic("user", "wrong"), "wrong"),
        (basic(NEW, ""), None),
        ("Bearer " + NEW, None),
        ("Basic", None),
        ("Basic !!!", None),
        ("Basic é", None),
        ("Basic \udce9", "\udce9"),
        ("Basic " + base64.b64encode(b"\xff\xfe:" + NEW.encode()).decode(), None),
        ("Basic " + base64.b64encode(NEW.encode()).decode(), None),
    ],
)
def test_whatever_else_is_sent_is_refused_and_never_an_error(authorization, shared):
    assert not azure_devops_secret_is_valid([OLD, NEW], authorization, shared)


@given(st.text(max_size=60) | st.none(), st.text(max_size=60) | st.none())
def test_no_header_at_all_raises(authorization, shared):
    assert not azure_devops_secret_is_valid([OLD, NEW], f"Basic {authorization}", shared)
    assert not github_signature_is_valid([OLD], b"x", shared)
