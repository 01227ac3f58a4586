"""Signing keys of access tokens: the first key signs, all keys are published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from lib.auth import SigningKey
from lib.auth.keys import MAX_KEYS

_PEM: Final = re.compile(r"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)


def read_signing_keys(text: str) -> tuple[SigningKey, ...]:
    """Return the keys in `text`: consecutive PEM blocks, or the path of a file with them.

    Raises:
        ValueError: if there is no key, there are too many keys, or a key is not an Ed25519 key.
    """
    # A line of an environment file has no line breaks; `\\n` stands for them there.
    pem = text.replace("\\n", "\n")
    if "-----BEGIN" not in pem:
        try:
            pem = Path(pem.strip()).read_text()
        except (OSError, ValueError):
            raise ValueError("is neither a PEM nor the path of a readable file") from None
    keys = tuple(SigningKey.from_pem(block) for block in _PEM.findall(pem))
    if not 0 < len(keys) <= MAX_KEYS:
        raise ValueError(f"has {len(keys)} keys; give 1 to {MAX_KEYS} keys")
    return keys
