"""A hook of the documentation site that adapts pages written for the repository."""

from __future__ import annotations

import re
from typing import Any

# A link out of docs, such as to the code or to a page about the platform.
_OUTSIDE = re.compile(r"\[(?P<text>[^\]]+)\]\((?:\.\./)+(?P<path>[^)]+)\)")
_ROW = re.compile(r"^\|.*$", re.MULTILINE)
_CODE = re.compile(r"`[^`]*`")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return a page in which links to other folders are plain text and code in tables is unescaped.

    In the repository's pages, a `|` in a table must be escaped. On the site, it must not be.
    """
    named = _OUTSIDE.sub(_named, markdown)
    return _ROW.sub(lambda row: _CODE.sub(_unescaped, row[0]), named)


def _named(link: re.Match[str]) -> str:
    shown = link["text"].strip("`")
    return link["text"] if link["path"].endswith(shown) else f"{link['text']} (`{link['path']}`)"


def _unescaped(code: re.Match[str]) -> str:
    return code[0].replace(r"\|", "|")
