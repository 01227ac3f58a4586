"""lib/pb matches proto/, and the wire format of older clients stays the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from lib.pb import point as older
from lib.pb.point.rpc import GET_USER_LIST_POINTS, GET_USER_POINTS
from tools import protobuf


def test_the_committed_messages_of_sqlcs_plugins_are_what_their_proto_file_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["protobuf", "--check"])
    assert protobuf.main() == 0
    monkeypatch.setattr(protobuf, "PLUGIN", tmp_path / "messages.proto")
    monkeypatch.setattr(protobuf, "ROOT", tmp_path)
    (tmp_path / "messages.proto").write_text('syntax = "proto3";\nmessage Other {}\n')
    (tmp_path / "messages.binpb").write_bytes(b"")
    assert protobuf.main() == 1
    assert "messages.binpb is stale: run `make proto`" in capsys.readouterr().err


def test_a_changed_missing_or_left_over_file_is_named(tmp_path: Path) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    for folder, files in ((left, {"a": "1", "b": "1"}), (right, {"b": "2", "c": "1"})):
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    assert protobuf.differences(left, right) == ["a", "b", "c"]


def test_an_error_in_a_proto_file_is_the_compilers_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.proto").write_text('syntax = "proto3";\nmessage Broken {\n  strin a = 1;\n}\n')
    monkeypatch.setattr(protobuf, "PROTO", tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ValueError, match=r'bad\.proto:3:3: "strin" is not defined'):
        protobuf.generate(out)


def test_a_client_stream_is_refused_by_name() -> None:
    file = FileDescriptorProto(name="x.proto", package="x")
    file.service.add(name="S").method.add(
        name="Upload", input_type=".x.A", output_type=".x.B", client_streaming=True
    )
    with pytest.raises(ValueError, match=r"x\.proto: Upload: client streams are not supported"):
        protobuf.rpc_module(file)


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (older.PointRequest(user_id="ab"), b"\x0a\x02ab"),
        (older.PointReply(user_point="23"), b"\x0a\x0223"),
        (older.UserListRequest(user_ids=["a", "b"]), b"\x0a\x01a\x0a\x01b"),
        (older.UserListPointResponse(user_points={"a": 7}), b"\x0a\x05\x0a\x01a\x10\x07"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_older_clients_find_every_field_where_it_was(message: object, wire: bytes) -> None:
    assert bytes(message) == wire  # type: ignore[call-overload] # every message turns into bytes


def test_older_clients_find_both_methods_where_they_were() -> None:
    assert GET_USER_POINTS.path == "/point.PointServer/GetUserPoints"
    assert GET_USER_LIST_POINTS.path == "/point.PointServer/GetUserListPoints"
