"""Create a service from the template in `tools/scaffold/template`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import jinja2

from lib.auth.permissions import FILE as PERMISSIONS
from tools.scaffold import steps
from tools.scaffold.tree import all_or_nothing, changed
from tools.scaffold.wanted import Wanted, check_words

TEMPLATE: Final = Path(__file__).with_name("template")
_EVENTS: Final = {
    "postgres": "sql/shared/schema/0001_events",
    "mysql": "sql/outbox/schema/0001_outbox",
}
_PROBE: Final = "zzprobe"


def create(root: Path, wanted: Wanted) -> list[str]:
    """Write a service and its generated files, or change nothing; return a line for each file.

    An error leaves every file unchanged.

    Raises:
        ScaffoldError: if its name hides another name, or if a command fails on the new files.
    """
    probe = Wanted(_PROBE, wanted.engine, grpc=wanted.grpc, port=1, grpc_port=1)
    check_words(wanted, (text for path, text in rendered(probe) if path.endswith(".py")))
    with all_or_nothing(root) as before:
        written = []
        for path, text in rendered(wanted):
            written.append(root / path)
            written[-1].parent.mkdir(parents=True, exist_ok=True)
            written[-1].write_text(text, encoding="utf-8")
        _copy_events(root, wanted)
        _permit(root, wanted)
        sources = [str(path) for path in written]
        steps.run(root, "aiosqlc", "generate", "-f", f"sql/{wanted.name}/sqlc.yaml")
        if any(name.endswith(".proto") for name in sources):
            steps.run(root, "tools.protobuf")
        steps.tidy(root, written)
        steps.follow(root, wanted.name)
        return changed(root, before)


def rendered(wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Yield the path in the repository, and the text, of each file of a service."""
    environment = jinja2.Environment(  # noqa: S701 - source code, not HTML
        loader=jinja2.FileSystemLoader(TEMPLATE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    parts = ["common", wanted.engine, *(["grpc"] if wanted.grpc else [])]
    words = wanted.words
    for part in parts:
        for path in sorted((TEMPLATE / part).rglob("*.j2")):
            place = path.relative_to(TEMPLATE / part).with_suffix("").as_posix()
            place = place.replace("NAMES", str(words["names"])).replace("NAME", wanted.name)
            template = environment.get_template(path.relative_to(TEMPLATE).as_posix())
            yield place, template.render(words)


def _copy_events(root: Path, wanted: Wanted) -> None:
    """Copy the migrations that create the tables for events, which every service has."""
    folder = root / "migrations" / wanted.name
    both = wanted.engine == "mysql"
    for engine in ("postgres", "mysql") if both else ("postgres",):
        shared = _EVENTS[engine]
        for kind in (".sql", ".rollback.sql"):
            name = f"0002{Path(shared).name.removeprefix('0001')}{kind}"
            to = (folder / engine if both else folder) / name
            shutil.copyfile(root / f"{shared}{kind}", to)


def _permit(root: Path, wanted: Wanted) -> None:
    """Declare the permission that callers need to write to the service."""
    names = wanted.words["names"]
    block = (
        f'\n["{names}:write"]\n'
        f'description = "Create, change and delete {names}."\n'
        'roles = ["ADMIN", "STAFF"]\n'
    )
    file = root / PERMISSIONS.relative_to(PERMISSIONS.parents[1])
    file.write_text(file.read_text(encoding="utf-8") + block, encoding="utf-8")
