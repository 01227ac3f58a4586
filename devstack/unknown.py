"""Find names in `.env` that nothing reads. Most such names are misspelled."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

# The page of settings names each one; `make check` compares it with the code.
_SETTING: Final = re.compile(r"^\| `((?:<SVC>_)?[A-Z][A-Z0-9_]*)` \|", re.MULTILINE)
# What other programs read from the same file, or from the environment that it adds to.
_OF_OTHERS: Final = ("COMPOSE_", "DOCKER_", "PYTHON", "OTEL_", "AWS_", "UV_", "PIP_", "SSL_")


def known_names(page: Path, services: Iterable[str]) -> set[str]:
    """Return every setting of the settings page; names with `<SVC>` appear once per service."""
    names = set(_SETTING.findall(page.read_text(encoding="utf-8")))
    every = {name for name in names if name.startswith("<SVC>_")}
    own = {
        name.replace("<SVC>", service.upper().replace("-", "_"))
        for name in every
        for service in services
    }
    return (names - every) | own


def warnings(names: Iterable[str], known: set[str]) -> Iterator[str]:
    """Yield a sentence for each unknown name, with the most similar known name."""
    for name in names:
        if name in known or name.startswith(_OF_OTHERS):
            continue
        near = difflib.get_close_matches(name.upper(), sorted(known), n=1)
        hint = f"did you mean {near[0]}?" if near else "see docs/settings.md"
        yield f".env: nothing reads {name}: {hint}"
