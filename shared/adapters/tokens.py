"""Decides what can be a token, the same for both forges, before one reaches a header."""

from __future__ import annotations

from pydantic import SecretStr


def usable_token(token: SecretStr) -> SecretStr:
    """``token`` without the blanks around it, such as a file's last line end; raises ``ValueError`` for no token."""
    text = token.get_secret_value().strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("holds no token: expected printable ASCII characters without blanks")
    return SecretStr(text)
