"""`aiosqlc plugin`: generate code as a process plugin of sqlc, from a request on standard input."""

from __future__ import annotations

import argparse
import base64
import json
import sys
from typing import Any

from aiosqlc.plugin import (
    RequestError,
    WireError,
    decode_request,
    encode_response,
    generate_from_request,
)


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001  # all commands have this parameter
    """Read sqlc's GenerateRequest and write a GenerateResponse, in protobuf or in JSON."""
    data = sys.stdin.buffer.read()
    in_json = data[:1] == b"{"  # a protobuf message cannot start with a brace
    try:
        request: dict[str, Any] = json.loads(data) if in_json else decode_request(data)
    except (UnicodeDecodeError, json.JSONDecodeError, WireError) as error:
        return _not_a_request(str(error))
    if not request.get("settings"):
        return _not_a_request("`aiosqlc plugin` has no options")
    try:
        files = [(file.path.as_posix(), file.text) for file in generate_from_request(request)]
    except RequestError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(_json(files) if in_json else encode_response(files))
    return 0


def _not_a_request(why: str) -> int:
    sys.stderr.write(
        "expected an sqlc request on standard input, in protobuf or JSON: set this command in"
        f" sqlc.yaml, under `plugins:` ({why})\n"
    )
    return 2


def _json(files: list[tuple[str, str]]) -> bytes:
    response = {
        "files": [
            {"name": name, "contents": base64.b64encode(text.encode()).decode()}
            for name, text in files
        ]
    }
    return json.dumps(response).encode() + b"\n"
