"""Which of two versions of a value may stand: the rule, once for Python and once for Redis."""

from dataclasses import dataclass
from typing import Final

VERSION_MAX: Final = 2**63 - 1

_PLAIN: Final = b"P"
_VALUE: Final = b"V"
_TOMBSTONE: Final = b"T"
_DIGITS: Final = 19

# ``may_replace`` for Redis, where reading and writing have to be one step. Lua counts in doubles,
# exact only to 2**53, so versions are compared as digits. Answers 1 when the record was stored.
WRITE_SCRIPT: Final = """\
local held = redis.call('GETRANGE', KEYS[1], 0, 19)
local kind, version = string.sub(held, 1, 1), string.sub(held, 2, 20)
local new = string.sub(ARGV[1], 2, 20)
if (kind == 'V' and version >= new) or (kind == 'T' and version > new) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Record:
    """What one key holds.

    Attributes:
        version: None for a plain value.
        value: None for a tombstone.
    """

    version: int | None
    value: bytes | None


def may_replace(held: Record | None, version: int) -> bool:
    """Whether a value or tombstone of ``version`` may take the place of what is held."""
    if held is None or held.version is None:
        return True
    if held.value is None:
        return held.version <= version
    return held.version < version


def checked(version: int) -> int:
    """The version itself.

    Raises:
        ValueError: outside 0 to 2**63 - 1.
    """
    if not 0 <= version <= VERSION_MAX:
        raise ValueError(f"version {version} found, 0 to {VERSION_MAX} expected")
    return version


def encoded(record: Record) -> bytes:
    """One byte of kind, for versioned kinds 19 digits of version, then the value."""
    if record.version is None:
        return _PLAIN + (record.value or b"")
    if record.value is None:
        return b"%c%0*d" % (_TOMBSTONE, _DIGITS, record.version)
    return b"%c%0*d%b" % (_VALUE, _DIGITS, record.version, record.value)


def decoded(stored: bytes | None) -> Record | None:
    """What ``encoded`` made; None for anything else, so that foreign bytes are a miss."""
    if not stored:
        return None
    kind = stored[:1]
    if kind == _PLAIN:
        return Record(None, stored[1:])
    digits = stored[1 : 1 + _DIGITS]
    if kind not in (_VALUE, _TOMBSTONE) or len(digits) != _DIGITS or not digits.isdigit():
        return None
    return Record(int(digits), stored[1 + _DIGITS :] if kind == _VALUE else None)
