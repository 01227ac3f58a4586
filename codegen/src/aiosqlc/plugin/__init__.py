"""Generate code from sqlc's analysis: read sqlc's request, and return the generated files."""

from aiosqlc.plugin.generate import generate_from_request
from aiosqlc.plugin.request import RequestError
from aiosqlc.plugin.wire import WireError, decode_request, encode_response

__all__ = [
    "RequestError",
    "WireError",
    "decode_request",
    "encode_response",
    "generate_from_request",
]
