"""Opaque global ids: base64url of ``Type:number``, without padding."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from loyalty.errors import BadInput

ROW_ID_MAX = 2**63 - 1
"""Largest row id; see ``loyalty.ids``."""

_TEXT_MAX = 128
_PLAIN = re.compile(r"([A-Z][A-Za-z0-9]{0,63}):(0|[1-9][0-9]{0,18})", re.ASCII)


def encode_id(kind: str, row_id: int) -> str:
    """Global id of a row; ``kind`` is the GraphQL type's name."""
    return urlsafe_b64encode(f"{kind}:{row_id}".encode()).rstrip(b"=").decode()


def decode_id(text: str, expected: str) -> int:
    """Row id of a global id.

    Raises:
        BadInput: not an id of this API, or one of another type than ``expected``.
    """
    match = _PLAIN.fullmatch(_decoded(text))
    if match is None or encode_id(match[1], int(match[2])) != text:
        raise BadInput(f"found id {text[:40]!r}, wanted an id of a {expected} from this API")
    if match[1] != expected:
        raise BadInput(f"found the id of a {match[1]}, wanted the id of a {expected}")
    row_id = int(match[2])
    if row_id > ROW_ID_MAX:
        raise BadInput(f"found id {text[:40]!r}, wanted an id of a {expected} from this API")
    return row_id


def _decoded(text: str) -> str:
    if len(text) > _TEXT_MAX:
        return ""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return raw.decode("ascii")
    except (UnicodeError, binascii.Error):
        return ""
