"""Convert each diagnostic of the compiler to one diagnostic of the editor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.lsp.known import absolute
from aiosqlc.lsp.places import span_range, uri_of

_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}
_NOWHERE = types.Range(types.Position(0, 0), types.Position(0, 0))
SOURCE = "aiosqlc"


def by_file(
    found: Iterable[Diagnostic], config: Path, codec: PositionCodec
) -> dict[str, list[types.Diagnostic]]:
    """Return the diagnostics by file; the configuration file gets those without a position.

    The `data` of a diagnostic is the hint, from which the server derives quick fixes.
    """
    result: defaultdict[str, list[types.Diagnostic]] = defaultdict(list)
    for item in (item.located() for item in found):
        path = item.labels[0].file.path if item.labels else Path(config.name)
        result[absolute(config.parent, path)].append(_shown(item, config.parent, codec))
    return dict(result)


def _shown(item: Diagnostic, root: Path, codec: PositionCodec) -> types.Diagnostic:
    first = item.labels[0] if item.labels else None
    text = [item.message]
    text += [first.text] if first and first.text else []
    text += [f"note: {note}" for note in item.notes]
    text += [f"hint: {item.hint}"] if item.hint else []
    return types.Diagnostic(
        range=span_range(codec, first.file, first.span) if first else _NOWHERE,
        message="\n".join(text),
        severity=_SEVERITIES[item.severity],
        code=item.code,
        source=SOURCE,
        related_information=[_related(label, root, codec) for label in item.labels[1:]] or None,
        data={"hint": item.hint},
    )


def _related(label: Label, root: Path, codec: PositionCodec) -> types.DiagnosticRelatedInformation:
    where = types.Location(
        uri_of(Path(absolute(root, label.file.path))), span_range(codec, label.file, label.span)
    )
    return types.DiagnosticRelatedInformation(where, label.text or "see here")
