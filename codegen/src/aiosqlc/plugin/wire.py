"""Decode sqlc's plugin messages from protobuf to the structure of its JSON format."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from typing import Any


class WireError(ValueError):
    """Raised for bytes that are not a valid message."""


def decode_request(data: bytes) -> dict[str, Any]:
    """Return sqlc's request in the structure of its JSON format. Raises `WireError`."""
    from google.protobuf.json_format import MessageToDict
    from google.protobuf.message import DecodeError

    try:
        request = _class_of("Request").FromString(data)
    except DecodeError as error:
        raise WireError(str(error)) from error
    return MessageToDict(
        request, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def encode_response(files: Sequence[tuple[str, str]]) -> bytes:
    """Encode the plugin's response to sqlc: the names and contents of the generated files."""
    shown = [{"name": name, "contents": text.encode()} for name, text in files]
    encoded: bytes = _class_of("Response")(files=shown).SerializeToString()
    return encoded


def _class_of(message: str) -> Any:
    """Return the Python class of a message in `messages.proto`, compiled by `make proto`."""
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from google.protobuf.message_factory import GetMessages

    compiled = importlib.resources.files(__package__).joinpath("messages.binpb").read_bytes()
    return GetMessages(FileDescriptorSet.FromString(compiled).file)[f"plugin.{message}"]
