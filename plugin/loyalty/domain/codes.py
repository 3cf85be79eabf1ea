"""Codes that people type: how they are brought into one form."""

import re

CODE_MAX = 64
"""Longest code, in characters."""

_COUPON = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,63}", re.ASCII)
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Digits and letters that are not taken for each other; 32, so a character is five bits."""
GIFT_CODE_LENGTH = 16
"""Characters of a gift card's code: 80 bits, past guessing."""


def normalised(code: str) -> str:
    """A code as it is compared: without spaces around it, in upper case."""
    return code.strip().upper()


def is_coupon_code(code: str) -> bool:
    """Whether a normalised code may be a coupon's."""
    return _COUPON.fullmatch(code) is not None


def gift_code(raw: bytes) -> str:
    """A gift card's code of 10 bytes, without the dashes it is shown with."""
    number = int.from_bytes(raw[:10], "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))


def shown_gift_code(code: str) -> str:
    """In groups of four, as people read it."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def bare_gift_code(code: str) -> str | None:
    """The code without the dashes and spaces people put in; None for what cannot be one."""
    bare = normalised(code).replace("-", "").replace(" ", "")
    is_one = len(bare) == GIFT_CODE_LENGTH and set(bare) <= set(ALPHABET)
    return bare if is_one else None
