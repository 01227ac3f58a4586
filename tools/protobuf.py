"""`python -m tools.protobuf [--check]`: generate the modules in lib/pb from proto/."""

from __future__ import annotations

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from lib.grpc.server import DESCRIPTORS

ROOT: Final = Path(__file__).resolve().parents[1]
PROTO: Final = ROOT / "proto"
OUT: Final = ROOT / "lib" / "pb"
# What sqlc and the compiler say to one another: the compiler takes the descriptors as they are.
PLUGIN: Final = ROOT / "codegen" / "src" / "aiosqlc" / "plugin" / "messages.proto"


def main() -> int:
    """Write lib/pb, or with `--check` list the differences.

    Return 0 for success, 1 for differences.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.protobuf", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if lib/pb is stale"
    )
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "pb"
        fresh.mkdir()
        try:
            generate(fresh)
            compile_protos(PLUGIN.parent, [PLUGIN.name], [f"--descriptor_set_out={folder}/plugin"])
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
        if not check:
            shutil.rmtree(OUT, ignore_errors=True)
            shutil.copytree(fresh, OUT)
            shutil.copy(f"{folder}/plugin", PLUGIN.with_suffix(".binpb"))
            return 0
        stale = [f"lib/pb/{path}" for path in differences(fresh, OUT)]
        if not filecmp.cmp(f"{folder}/plugin", PLUGIN.with_suffix(".binpb"), shallow=False):
            stale.append(PLUGIN.with_suffix(".binpb").relative_to(ROOT).as_posix())
    for path in stale:
        print(f"{path} is stale: run `make proto`", file=sys.stderr)
    return 1 if stale else 0


def generate(out: Path) -> None:
    """Compile every .proto into `out`: betterproto2 messages, descriptors and an `rpc.py`."""
    sources = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
    descriptors = out / DESCRIPTORS
    options = [
        f"--python_betterproto2_out={out}",
        "--python_betterproto2_opt=client_generation=none",
    ]
    options += [f"--descriptor_set_out={descriptors}", "--include_imports"]
    compile_protos(PROTO, sources, options)
    for file in FileDescriptorSet.FromString(descriptors.read_bytes()).file:
        if file.service:
            folder = out.joinpath(*file.package.split("."))
            (folder / "rpc.py").write_text(rpc_module(file))
    (out / "__init__.py").write_text('"""Generated from proto/ by `make proto`."""\n')


def compile_protos(folder: Path, sources: Sequence[str], options: Sequence[str]) -> None:
    """Run protobuf's compiler. Raises ValueError with the compiler's message."""
    # Its plugin is found beside the interpreter, whether or not its environment is activated.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    run = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", *options, *sources],
        check=False,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    if run.returncode != 0:
        raise ValueError(run.stderr.strip())


def differences(left: Path, right: Path) -> list[str]:
    """List the files that differ between two folders; compiled Python files are ignored."""

    def files(root: Path) -> set[str]:
        found = (p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        return {p.relative_to(root).as_posix() for p in found}

    either = sorted(files(left) | files(right))
    same, _, _ = filecmp.cmpfiles(left, right, either, shallow=False)
    return [path for path in either if path not in same]


# --- one module per package: descriptors, Protocol, binding, stub ---------------------------------


def rpc_module(file: FileDescriptorProto) -> str:
    """Return the module for the services of one .proto file: everything except the messages."""
    methods = [m for service in file.service for m in service.method]
    for method in methods:
        _refuse_what_we_do_not_speak(file, method)
    streams = any(m.server_streaming for m in methods)
    names = sorted({_message(t) for m in methods for t in (m.input_type, m.output_type)})
    kinds = [
        k for k, used in (("ServerStream", streams), ("Service", True), ("Unary", True)) if used
    ]
    head = [
        f"# Generated from proto/{file.name} by `make proto`. Edit the .proto, not this file.",
        f'"""The services of {file.package}: methods, handlers and stubs."""',
        "",
        "from __future__ import annotations",
        "",
        *(["from collections.abc import AsyncGenerator"] if streams else []),
        "from typing import Final, Protocol",
        "",
        "from lib.grpc.client import Client",
        f"from lib.grpc.methods import {', '.join(kinds)}",
        f"from lib.pb.{file.package} import (",
        *(f"    {name}," for name in names),
        ")",
    ]
    body = [line for service in file.service for line in _service(file, service)]
    return "\n".join([*head, *body]) + "\n"


def _service(file: FileDescriptorProto, service: ServiceDescriptorProto) -> list[str]:
    full = f"{file.package}.{service.name}"
    lines = [""]
    for m in service.method:
        kind = "ServerStream" if m.server_streaming else "Unary"
        once = m.options.idempotency_level == MethodOptions.IDEMPOTENCY_UNKNOWN
        lines += [
            f"{_constant(m)}: Final = {kind}(",
            f'    "{full}",',
            f'    "{m.name}",',
            f"    {_message(m.input_type)},",
            f"    {_message(m.output_type)},",
            *([] if once else ["    idempotent=True,"]),
            ")",
        ]
    lines += ["", "", f"class {service.name}Servicer(Protocol):"]
    lines += [f'    """The handlers of {full}."""']
    for m in service.method:
        lines += ["", f"    {_signature(m)}", "        ..."]
    binder = _snake(service.name)
    lines += ["", "", f"def {binder}(servicer: {service.name}Servicer) -> Service:"]
    lines += ['    """Bind each method to its handler."""', "    return Service("]
    lines += [f'        "{full}",', "        ("]
    lines += [
        f"            {_constant(m)}.bind(servicer.{_snake(m.name)})," for m in service.method
    ]
    lines += ["        ),", "    )", "", "", f"class {service.name}Stub:"]
    lines += [f'    """Call {full}. Failures raise AppError."""', ""]
    lines += ["    def __init__(self, client: Client) -> None:", "        self._client = client"]
    for m in service.method:
        kind, limit = ("stream", ", limit=limit") if m.server_streaming else ("unary", "")
        lines += ["", f"    {_signature(m, caller=True)}"]
        given = f"{_constant(m)}, request, seconds=seconds{limit}"
        lines += [f"        return await self._client.{kind}({given})"]
    return lines


def _signature(method: MethodDescriptorProto, *, caller: bool = False) -> str:
    result, start, extra = _message(method.output_type), "async def", ""
    if caller:
        extra = ", *, seconds: float"
    if method.server_streaming and caller:
        result, extra = f"list[{result}]", f"{extra}, limit: int"
    elif method.server_streaming:
        result, start = f"AsyncGenerator[{result}, None]", "def"
    request = f"request: {_message(method.input_type)}{extra}"
    return f"{start} {_snake(method.name)}(self, {request}) -> {result}:"


def _refuse_what_we_do_not_speak(file: FileDescriptorProto, method: MethodDescriptorProto) -> None:
    if method.client_streaming:
        raise ValueError(f"{file.name}: {method.name}: client streams are not supported")
    for name in (method.input_type, method.output_type):
        if name.rpartition(".")[0] != f".{file.package}":
            raise ValueError(f"{file.name}: {method.name}: {name} belongs to another package")


def _message(name: str) -> str:
    return name.rpartition(".")[2]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _constant(method: MethodDescriptorProto) -> str:
    return _snake(method.name).upper()


if __name__ == "__main__":
    sys.exit(main())
