"""Compile one text with queries to a package that imports no other generated package."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from aiosqlc.analysis.checks import check_commands, without_ignored
from aiosqlc.analysis.hints import apply_hints
from aiosqlc.analysis.passes import in_passes
from aiosqlc.analysis.port import Analyze
from aiosqlc.analysis.tenants import check_tenants
from aiosqlc.config.project import Project, PythonTarget, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.emit.format import format_together
from aiosqlc.ir import Analysis, Catalog, ParsedQuery, Rendered
from aiosqlc.lock.document import Known
from aiosqlc.lock.reading import known_of
from aiosqlc.parse.queries import parse_files
from aiosqlc.pipeline.analysed import Inputs, options_of
from aiosqlc.pipeline.internal import surviving
from aiosqlc.pipeline.printing import Compiled, print_set
from aiosqlc.pipeline.reuse import analyze_changed
from aiosqlc.plan.model import PyModule
from aiosqlc.source import SourceFile

_GENERATE = re.compile(r"`aiosqlc generate(?P<arguments>[^`\n]*)`")


class Alone(Struct, frozen=True):
    """A compiled package in memory. If the diagnostics include errors, there are no files.

    `module` has the functions. `header` is the first line for a file that is written by hand.
    `known` are results that the next compilation may reuse.
    """

    analysis: Analysis
    diagnostics: tuple[Diagnostic, ...]
    module: PyModule | None = None
    header: str = ""
    into: Compiled = field(default_factory=Compiled)
    known: Known | None = None

    @property
    def failed(self) -> bool:
        """Return whether one of the diagnostics is an error."""
        return any(item.severity is Severity.ERROR for item in self.diagnostics)

    def files(self, command: str, *more: Rendered) -> tuple[Rendered, ...]:
        """Return the package's files and those in `more`, formatted, with `command` in line 1.

        Arguments of `generate` in a first line are kept, unless `command` has arguments itself.
        """
        if self.failed:
            return ()
        self.into.add(list(more), self.into.folders[0])

        def named(found: re.Match[str]) -> str:
            return f"`aiosqlc {command}{'' if ' ' in command else found['arguments']}`"

        return tuple(
            replace(file, text=_GENERATE.sub(named, file.text, count=1))
            for file in format_together(self.into.files, self.into.near)
        )


def compile_alone(
    project: Project,
    entry: QuerySet,
    python: PythonTarget,
    inputs: Inputs,
    source: SourceFile,
    analyze: Analyze,
    library: Sequence[SourceFile] = (),
    known: Known | None = None,
) -> Alone:
    """Compile the queries in `source` for the schema of an entry, with the settings `python`.

    The queries may include the fragments of the files in `library`. Only queries without a result
    in `known` are analysed.
    """
    queries, mistakes = parse_files([source], entry.engine, library=library)
    outcome = analyze_changed(
        entry,
        inputs.schema,
        queries,
        options_of(entry, inputs.shims),
        known if entry.schema else None,
        surviving(in_passes(analyze, entry.engine)),
    )
    known = known_of(outcome.locked) if outcome.locked else known
    analysis, mistaken = apply_hints(outcome.analysis)
    mistaken += [_not_in_a_file(query) for query in queries if query.channel]
    problems = [*mistakes, *outcome.diagnostics, *mistaken, *check_commands(analysis.queries)]
    problems += check_tenants(analysis.queries, entry.tenant)
    said = without_ignored(problems, queries)
    if _has_error(said):
        return Alone(analysis, tuple(said), known=known)
    into = Compiled()
    print_set(project, replace(entry, python=python, json=None), analysis, into)
    said += into.diagnostics
    if _has_error(said):
        return Alone(analysis, tuple(said), into=into, known=known)
    [planned] = into.planned.values()
    module = next((module for module in planned.modules if module.functions), None)
    header = into.files[-1].text.partition("\n")[0]
    return Alone(analysis, tuple(said), module, header, into, known)


def _not_in_a_file(channel: ParsedQuery) -> Diagnostic:
    return Diagnostic(
        "E150",
        f"the channel `{channel.channel}` is not declared in a query file",
        (Label(channel.file, channel.name_span),),
        "move the `notify` line to a file of `queries`",
    )


def nothing(problems: Sequence[Diagnostic]) -> Alone:
    """Return the result for inputs that cannot be compiled."""
    return Alone(Analysis(Catalog()), tuple(problems))


def settings_alone(python: PythonTarget, out: Path) -> PythonTarget:
    """Return settings for a package in the folder `out` that imports no other package."""
    return replace(
        python, out=out, package="", beside=(), executor="", emit_class=False,
        emit_protocol=False, emit_exceptions=False, emit_helpers=False, readers=False,
        same_as="", contract=None,
    )  # fmt: skip


def _has_error(problems: Sequence[Diagnostic]) -> bool:
    return any(item.severity is Severity.ERROR for item in problems)
