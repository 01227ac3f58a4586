"""Convert sqlc's request to the files to write."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from aiosqlc.config.project import ModelKind, Project, PythonTarget
from aiosqlc.diagnostics import Severity
from aiosqlc.emit.format import format_all
from aiosqlc.emit.package import print_package
from aiosqlc.ir import Rendered
from aiosqlc.messages.render import render_all
from aiosqlc.plan.module import plan_modules
from aiosqlc.plugin.request import Json, RequestError, analysis_of
from aiosqlc.source import SourceFile, Span

# The command that regenerates a file, for its first line.
_OURS, _SQLCS = "`aiosqlc generate -f sqlc.yaml`", "`sqlc generate`"
_OPTIONS: dict[str, type] = {
    "package": str,
    "models": str,
    "executor": str,
    "emit_class": bool,
    "emit_protocol": bool,
}


def generate_from_request(request: Json) -> list[Rendered]:
    """Return the files with paths relative to the plugin's `out` folder.

    Raises `RequestError` for unknown options and for names that Python cannot represent.
    """
    target = _target(request)
    modules, found = plan_modules(target, analysis_of(request))
    problems = [item for item in found if item.severity is Severity.ERROR]
    if problems:
        raise RequestError(render_all(problems))
    project = Project(SourceFile(Path("sqlc.yaml"), ""), Path())
    files = format_all(print_package(project, target, modules), Path())
    return [replace(file, text=file.text.replace(_OURS, _SQLCS, 1)) for file in files]


def _target(request: Json) -> PythonTarget:
    options = _options(request)
    for name, value in options.items():
        if name not in _OPTIONS:
            message = f"unknown option `{name}`; the options are {', '.join(sorted(_OPTIONS))}"
            raise RequestError(message)
        if not isinstance(value, _OPTIONS[name]):
            kind = "text" if _OPTIONS[name] is str else "true or false"
            message = f"option `{name}` is {kind}"
            raise RequestError(message)
    models = str(options.pop("models", "dataclass"))
    if models not in set(ModelKind):
        message = f"option `models` cannot be `{models}`; the values are {', '.join(ModelKind)}"
        raise RequestError(message)
    return PythonTarget(out=Path(), span=Span(0, 0), models=ModelKind(models), **options)


def _options(request: Json) -> dict[str, Any]:
    """Read the plugin's options: JSON, which is encoded as base64 in sqlc's JSON format."""
    raw = request.get("plugin_options") or "{}"
    try:
        text = raw if raw.lstrip().startswith("{") else base64.b64decode(raw).decode()
        options = json.loads(text or "{}")
    except (ValueError, AttributeError) as error:
        message = f"the plugin's options are not JSON: {error}"
        raise RequestError(message) from error
    return dict(options) if isinstance(options, dict) else {}
