"""Short free text that a caller leaves with an act."""

from loyalty.errors import BadInput

NOTE_MAX = 200
"""Longest text, in characters."""


def note(text: str | None, *path: str) -> str | None:
    """The text, None for none.

    Raises:
        BadInput: too long, or not printable; ``field`` is ``path``.
    """
    if not text:
        return None
    if len(text) > NOTE_MAX or not text.isprintable():
        raise BadInput(
            f"found {path[-1]} {text[:40]!r} of {len(text)} characters, wanted at most {NOTE_MAX} "
            "printable ones",
            field=path,
        )
    return text
