"""`aiosqlc mcp`: let assistants call this project's queries over the Model Context Protocol."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from msgspec.structs import replace

from aiosqlc.analysis.grants import plain_or, statements
from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.policy import McpPolicy
from aiosqlc.config.project import Project
from aiosqlc.engines import engine_for
from aiosqlc.mcp.author import Author
from aiosqlc.mcp.project import Toolbox, entry_of, mistakes_in, needs_of, offers_in, toolbox_of
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project

_POLICY = """\
the configuration has no section `mcp`; the smallest one is
    mcp:
      database: ${MCP_DATABASE_URL}
      queries: [GetUser, "List*"]
"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `mcp`."""
    command.add_argument(
        "--author",
        action="store_true",
        help="offer tools for writing queries, instead of the project's queries",
    )
    command.add_argument("--list", action="store_true", help="print the tools and exit")
    command.add_argument(
        "--grants", metavar="ROLE", help="print the GRANT statements that the tools need and exit"
    )
    command.add_argument(
        "--http", metavar="HOST:PORT", help="serve HTTP at /mcp instead of standard input"
    )
    command.add_argument(
        "--tokens", metavar="PATH", type=Path, help="file with the tokens of the HTTP callers"
    )
    command.add_argument(
        "--audit",
        metavar="PATH",
        type=Path,
        help="append the audit log to this file (default: standard error)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve the tools until the client disconnects, or print the tools or the GRANT statements."""
    project = load(arguments)
    if project is None:
        return 2
    if arguments.author:
        return _serve_author(arguments, project)
    if project.mcp is None:
        sys.stderr.write(_POLICY)
        return 2
    entry = entry_of(project, project.mcp)
    if isinstance(entry, str):
        sys.stderr.write(f"{entry}\n")
        return 2
    (part,) = analyze_project(replace(project, sets=(entry,)))
    if part.failed:
        report(part.diagnostics, style_of(arguments, project.root))
        return 1
    offers = offers_in(part, project.mcp)
    mistakes = mistakes_in(offers, project, project.mcp)
    report(mistakes, style_of(arguments, project.root))
    if mistakes:
        return 2
    with toolbox_of(project, part, offers, project.mcp) as toolbox:
        if arguments.grants:
            return _print_grants(arguments.grants, part, toolbox)
        for refused in toolbox.refused:
            sys.stderr.write(f"not a tool: {refused.query.parsed.place}: {refused.why}\n")
        if arguments.list:
            return _print_tools(toolbox)
        if not toolbox.tools:
            sys.stderr.write("no query of this project can become a tool\n")
            return 1
        return _serve(arguments, project, project.mcp, part, toolbox)


def _serve_author(arguments: argparse.Namespace, project: Project) -> int:
    """Serve the tools that help an assistant to write queries for the project's first entry."""
    from aiosqlc.mcp.serving import serve_author  # needs the extra `mcp`
    from aiosqlc.vet import vet

    part = next(iter(analyze_project(project)), None)
    if part is None:
        return 2
    report(part.diagnostics, style_of(arguments, project.root))
    with engine_for(part.entry.engine) as engine:
        serve_author(Author(part, engine, vet), project.root.resolve().name)
    return 0


def _print_tools(toolbox: Toolbox) -> int:
    for tool in toolbox.tools.values():
        names = [name if name in tool.required else f"{name}?" for name in tool.hints]
        sys.stdout.write(f"{tool.name}({', '.join(names)})\n")
        for line in tool.description.splitlines():
            sys.stdout.write(f"    {line}\n")
    return 0


def _print_grants(role: str, part: Analysed, toolbox: Toolbox) -> int:
    """Print the GRANT statements for the database role under which the tools run."""
    with engine_for(part.entry.engine) as engine:
        needs = needs_of(engine, part, [tool.offer.query for tool in toolbox.tools.values()])
        quote = plain_or(engine.quote, needs.reserved)
    for line in statements(needs.rights, role, quote):
        sys.stdout.write(f"{line};\n")
    return 0


def _serve(
    arguments: argparse.Namespace,
    project: Project,
    policy: McpPolicy,
    part: Analysed,
    toolbox: Toolbox,
) -> int:
    """Connect to the database and serve the tools to assistants.

    If a setting is wrong, print an error message and return 2.
    """
    from aiosqlc.mcp.serving import Settings, SettingsError, serve  # needs the extra `mcp`

    with contextlib.ExitStack() as stack:
        audit = sys.stderr
        if arguments.audit:
            audit = stack.enter_context(arguments.audit.open("a", encoding="utf-8"))
        settings = Settings(policy, os.environ, arguments.http, arguments.tokens, audit)
        try:
            serve(settings, project.root.resolve().name, part, toolbox)
        except SettingsError as error:
            sys.stderr.write(f"{error}\n")
            return 2
    return 0
