"""Base64 as the signed formats write it: exactly one text for the same bytes."""

import base64
import binascii


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def from_base64(text: str) -> bytes:
    """Raises ValueError for anything but what `to_base64` writes: no changed character is overlooked."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as bad:
        raise ValueError(str(bad)) from bad
    if to_base64(data) != text:
        raise ValueError("not written as base64 is")
    return data
