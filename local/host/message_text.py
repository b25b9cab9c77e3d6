"""Decides how a queue message is written on the wire, and guarantees that what was encoded is decoded as it was."""

import base64
import binascii

from local.host.settings import MessageEncoding


def encode_text(message: str | bytes, encoding: MessageEncoding) -> str:
    """The message text as it goes on the wire.

    Raises:
        ValueError: bytes that are not UTF-8 cannot travel unencoded.
    """
    if encoding is MessageEncoding.BASE64:
        return base64.b64encode(message if isinstance(message, bytes) else message.encode()).decode("ascii")
    return message.decode("utf-8") if isinstance(message, bytes) else message


def decode_text(text: str, encoding: MessageEncoding) -> str | bytes:
    """The message a wire text stands for: text where it is UTF-8, else bytes.

    Raises:
        ValueError: the text is not base64 although the app says messages are.
    """
    if encoding is MessageEncoding.NONE:
        return text
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64: {error}") from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content
