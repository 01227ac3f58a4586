"""`aiosqlc plugin`: a code generator of sqlc, called with its request on standard input."""

from __future__ import annotations

import argparse
import base64
import json
import sys

from aiosqlc.plugin import RequestError, generate_from_request


def run(arguments: argparse.Namespace) -> int:  # noqa: ARG001  # every command takes them
    """Read sqlc's CodeGenRequest, write its CodeGenResponse, both as JSON."""
    try:
        request = json.loads(sys.stdin.buffer.read().decode())
    except (UnicodeDecodeError, json.JSONDecodeError):
        sys.stderr.write(
            "expected sqlc's request as JSON: set `format: json` below `process:` in sqlc.yaml\n"
        )
        return 2
    try:
        files = generate_from_request(request)
    except RequestError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    response = {
        "files": [
            {
                "name": file.path.as_posix(),
                "contents": base64.b64encode(file.text.encode()).decode(),
            }
            for file in files
        ]
    }
    sys.stdout.write(json.dumps(response) + "\n")
    return 0
