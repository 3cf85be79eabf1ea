"""Settings that cannot be, and what is said about them."""

from typing import Any

from loyalty.errors import BadInput


class BadSettings(BadInput):
    """Settings that no process can run with; the message names each."""


def setting_problems(error: Any) -> list[str]:
    """Each problem of pydantic's ``ValidationError`` as "LOYALTY_PORT: what is wanted"."""
    return [
        f"LOYALTY_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
        for problem in error.errors()
    ]
