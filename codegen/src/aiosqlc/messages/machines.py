"""Format diagnostics for machines: JSON, SARIF for code scanning, GitHub annotations."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.messages.render import Style, render_all
from aiosqlc.store.disk import repository_of

FORMATS = ("text", "json", "sarif", "github")


def format_diagnostics(diagnostics: Sequence[Diagnostic], style: Style, how: str) -> str:
    """Return diagnostics as text in the format `how`, which is one of `FORMATS`."""
    diagnostics = [item.located() for item in diagnostics]
    if how in {"sarif", "github"}:
        style = replace(style, root=_in_repository(style.root))
    if how == "json":
        return json.dumps([_json(item, style) for item in diagnostics], indent=2) + "\n"
    if how == "sarif":
        return json.dumps(_sarif(diagnostics, style), indent=2) + "\n"
    if how == "github":
        return "".join(_github(item, style) for item in diagnostics)
    return render_all(diagnostics, style)


def _in_repository(folder: Path) -> Path:
    """Return a folder's path relative to the top of the repository, as GitHub needs it."""
    top = repository_of(folder)
    return Path(os.path.relpath(folder, top)) if top else folder


def _place(label: Label, style: Style) -> dict[str, Any]:
    line, column = label.file.line_col(label.span.start)
    end_line, end_column = label.file.line_col(label.span.end)
    return {
        "file": style.shown(label.file.path),
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _json(item: Diagnostic, style: Style) -> dict[str, Any]:
    return {
        "code": item.code,
        "severity": item.severity.value,
        "message": item.message,
        "hint": item.hint,
        "notes": list(item.notes),
        "labels": [{**_place(label, style), "text": label.text} for label in item.labels],
    }


def _sarif(diagnostics: Sequence[Diagnostic], style: Style) -> dict[str, Any]:
    codes = sorted({item.code for item in diagnostics})
    driver = {
        "name": "aiosqlc",
        "rules": [{"id": code} for code in codes],
    }
    results = [
        {
            "ruleId": item.code,
            "level": "error" if item.severity is Severity.ERROR else "warning",
            "message": {"text": f"{item.message}. {item.hint}".strip()},
            "locations": [_sarif_location(label, style) for label in item.labels[:1]],
        }
        for item in diagnostics
    ]
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _sarif_location(label: Label, style: Style) -> dict[str, Any]:
    place = _place(label, style)
    region = {
        "startLine": place["line"],
        "startColumn": place["column"],
        "endLine": place["end_line"],
        "endColumn": place["end_column"],
    }
    return {
        "physicalLocation": {"artifactLocation": {"uri": place["file"]}, "region": region},
    }


def _github(item: Diagnostic, style: Style) -> str:
    level = "error" if item.severity is Severity.ERROR else "warning"
    where = ""
    if item.labels:
        place = _place(item.labels[0], style)
        file = _escaped(place["file"]).replace(":", "%3A").replace(",", "%2C")
        where = f" file={file},line={place['line']},col={place['column']},"
        where += f"title={item.code}"
    return f"::{level}{where}::{_escaped(f'{item.message}. {item.hint}'.strip())}\n"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
