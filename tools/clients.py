"""`python -m tools.clients`: generate typed clients in TypeScript and Python from `api/openapi`.

The clients are written to `.cache/clients` and type-checked there. The versions of the generators
are locked in `clients/`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from devstack.settings import ROOT

LOCKED = ROOT / "clients"
OUT = ROOT / ".cache" / "clients"
TYPESCRIPT = OUT / "typescript"
PYTHON = OUT / "python"
PACKAGE = PYTHON / "marketplace"
_BIN = PYTHON / ".venv" / "bin"
_UV = Path(sys.executable).parent / "uv"


def main() -> int:
    """Generate and check the clients in both languages; return the exit code."""
    if shutil.which("npm") is None:
        print("npm is not installed: run `make setup-system` as root on Debian", file=sys.stderr)
        return 1
    try:
        generate_typescript()
        check_typescript()
        generate_python()
        check_python()
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd[:4]))} … failed:", file=sys.stderr)
        print((error.stdout or "") + (error.stderr or ""), file=sys.stderr)
        return 1
    for folder in (TYPESCRIPT / "src", PACKAGE):
        print(f"wrote {folder.relative_to(ROOT)}")
    return 0


def generate_typescript() -> None:
    """Write the types of each service to `src/<service>.ts`."""
    TYPESCRIPT.mkdir(parents=True, exist_ok=True)
    for name in (".npmrc", "package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(LOCKED / "typescript" / name, TYPESCRIPT / name)
    if _is_new(LOCKED / "typescript" / "package-lock.json", TYPESCRIPT / ".installed"):
        # No package may run a script of its own while it is installed.
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=TYPESCRIPT)
        shutil.copy(LOCKED / "typescript" / "package-lock.json", TYPESCRIPT / ".installed")
    shutil.rmtree(TYPESCRIPT / "src", ignore_errors=True)
    for name, document in _documents():
        # What has a default may be left out of a body.
        _node(
            "openapi-typescript", document, "--default-non-nullable=false", "-o", f"src/{name}.ts"
        )


def check_typescript() -> None:
    """Type-check all files in `src`, and compile the files to `out`."""
    _node("tsc", "-p", ".")


def generate_python() -> None:
    """Write the client of each service to the package `marketplace.<service>`."""
    PYTHON.mkdir(parents=True, exist_ok=True)
    locked = LOCKED / "python" / "requirements.lock"
    if _is_new(locked, PYTHON / ".installed"):
        _run(_UV, "venv", "--quiet", "--clear", "--python", sys.executable, PYTHON / ".venv")
        _run(_UV, "pip", "sync", "--require-hashes", "--python", _BIN / "python", locked)
        shutil.copy(locked, PYTHON / ".installed")
    shutil.rmtree(PACKAGE, ignore_errors=True)
    PACKAGE.mkdir()
    (PACKAGE / "__init__.py").touch()
    (PACKAGE / "py.typed").touch()
    for name, document in _documents():
        _run(
            *(_BIN / "openapi-python-client", "generate", "--meta", "none", "--fail-on-warning"),
            *("--config", LOCKED / "python" / "generator.yaml"),
            *("--path", document, "--output-path", PACKAGE / name),
            cwd=PYTHON,
        )


def check_python(*more: Path) -> None:
    """Check the clients, and the `more` files that use them, with `mypy --strict`."""
    config = LOCKED / "python" / "mypy.ini"
    _run(_BIN / "mypy", "--config-file", config, PACKAGE, *more, cwd=PYTHON)


def python() -> Path:
    """Return the interpreter that has the dependencies of the Python clients."""
    return _BIN / "python"


def _documents() -> list[tuple[str, Path]]:
    found = sorted((ROOT / "api" / "openapi").glob("*.openapi.yaml"))
    return [(path.name.removesuffix(".openapi.yaml"), path) for path in found]


def _is_new(locked: Path, installed: Path) -> bool:
    return not installed.exists() or installed.read_bytes() != locked.read_bytes()


def _node(name: str, *args: str | Path) -> None:
    _run(TYPESCRIPT / "node_modules" / ".bin" / name, *args, cwd=TYPESCRIPT)


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)


if __name__ == "__main__":
    sys.exit(main())
