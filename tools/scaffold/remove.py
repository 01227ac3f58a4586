"""Remove a service: its folders, and references to it in the rest of the repository."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from devstack.settings import plural_of, service_names
from tools.scaffold import pages, permissions, steps
from tools.scaffold.marks import without
from tools.scaffold.tree import all_or_nothing, changed, files, prune
from tools.scaffold.wanted import ScaffoldError

_OWN: Final = (
    "services/{0}", "sql/{0}", "migrations/{0}", "tests/services/{0}", "proto/{0}", "lib/pb/{0}",
    "bench/{0}", "docs/{0}.md", "api/swagger/{0}.swagger.yaml", "api/openapi/{0}.openapi.yaml",
    "docs/curl/{0}.md", "tests/e2e/test_{0}.py", "tests/contract/test_{0}_engines.py",
)  # fmt: skip
_CODE: Final = {".py", ".j2", ".sql", ".toml", ".yml", ".yaml", ".sh", ".md", ""}


def remove(root: Path, name: str) -> list[str]:
    """Remove a service or change nothing; return a line for each changed file.

    An error leaves every file unchanged.

    Raises:
        ScaffoldError: if there is no such service, another service needs it, or a command fails.
    """
    if name not in service_names(root):
        raise ScaffoldError(f"{name} is not one of: {' '.join(service_names(root))}")
    config = (root / "services" / name / "config.py").read_text(encoding="utf-8")
    if "issues_tokens = True" in config:
        raise ScaffoldError(f"{name} cannot be removed, because every service needs its tokens")
    with all_or_nothing(root) as before:
        rpc = (root / "proto" / name).exists()
        _delete_own(root, name)
        touched = _take_out_marked(root, name)
        if needs := sorted(_needs(root, name)):
            raise ScaffoldError(
                f"{name} cannot be removed: {', '.join(' '.join(need) for need in needs)}; mark "
                f"the code to remove with `# with {name}` in services/{needs[0][0]}"
            )
        _delete_tests(root, name)
        permissions.take_away(root, (name, plural_of(name)))
        steps.tidy(root, touched)
        if rpc:
            steps.run(root, "tools.protobuf")
        steps.follow(root)
        pages.unlink(root, [path for path in before if not path.exists()])
        return changed(root, before)


def _delete_own(root: Path, name: str) -> None:
    for place in _OWN:
        path = root / place.format(name)
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
            prune(path.parent)


def _take_out_marked(root: Path, name: str) -> list[Path]:
    """Delete the code that is marked for the service; return the changed Python files."""
    found = []
    for path in list(files(root)):
        if path.suffix in _CODE and "template" not in path.parts:
            text = path.read_text(encoding="utf-8")
            try:
                left = without(text, name, python=path.suffix == ".py")
            except ValueError as error:
                raise ScaffoldError(f"{path.relative_to(root)}: {error}") from None
            if left != text:
                path.write_text(left, encoding="utf-8")
                found.append(path)
    return found


def _needs(root: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield each service that needs the service `name`, and the reason."""
    calls = re.compile(rf"^    {name}_(?:url|grpc_address):", re.MULTILINE)
    consumes = re.compile(rf'^    "[\w-]+": "{name}",', re.MULTILINE)
    for other in service_names(root):
        folder = root / "services" / other
        if calls.search((folder / "config.py").read_text(encoding="utf-8")):
            yield other, "calls it"
        elif consumes.search((folder / "app.py").read_text(encoding="utf-8")):
            yield other, "consumes its events"


def _delete_tests(root: Path, name: str) -> None:
    """Delete tests and test helpers that import removed modules."""
    gone = {f"services.{name}", f"tests.services.{name}", f"bench.{name}", f"lib.pb.{name}"}
    modules = {path: _imports(path) for path in sorted(root.glob("tests/**/*.py"))}
    modules |= {path: _imports(path) for path in sorted(root.glob("bench/**/*.py"))}
    while about := [path for path, names in modules.items() if _any_of(names, gone)]:
        for path in about:
            del modules[path]
            path.unlink()
            gone.add(".".join(path.relative_to(root).with_suffix("").parts))


def _any_of(names: set[str], gone: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for name in names for one in gone)


def _imports(path: Path) -> set[str]:
    """Return the imports of a module; `from a import b` counts as `a.b` and `a`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return found
