"""Secrets derived from the server's one secret key, so that none of them is stored."""

import base64
import hashlib
import hmac


class SecretKey:
    """The server's key (``LOYALTY_SECRET_KEY``).

    Args:
        text: at least 32 characters.
    """

    def __init__(self, text: str) -> None:
        if len(text) < 32:
            raise ValueError(f"the secret key has {len(text)} characters, wanted 32 or more")
        self._key = hashlib.sha256(text.encode()).digest()

    def derive(self, *purpose: str) -> bytes:
        """32 bytes for one purpose; another purpose gives unrelated bytes."""
        # Lengths keep ("a", "bc") and ("ab", "c") apart.
        name = "".join(f"{len(part)}:{part}" for part in purpose)
        return hmac.digest(self._key, name.encode(), "sha256")

    def derive_text(self, *purpose: str) -> str:
        """The same as text, for secrets that people copy."""
        return base64.urlsafe_b64encode(self.derive(*purpose)).decode().rstrip("=")
