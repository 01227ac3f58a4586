"""A user's mistake on the command line is reported in one sentence, without a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiosqlc.cli.main import main

FULL = Path("/dev/full")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert main(["init", str(tmp_path / "shop")]) == 0
    return tmp_path / "shop"


def run(*words: str | Path, output: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    """Run the command in its own process, which writes its output only at the end."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-m", "aiosqlc", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [["--version"], ["vet", "--list"], ["--help"]])
def test_who_has_read_enough_is_not_told_of_it(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run(*words, output=writing)
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 0


def test_what_is_found_counts_even_if_nobody_reads_it(project: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run("check", "-f", project, output=writing)  # nothing is generated yet
    finally:
        os.close(writing)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("words", [["--version"], ["vet", "--list"]])
def test_a_full_disk_is_named(words: list[str]) -> None:
    with FULL.open("w") as full:
        done = run(*words, output=full.fileno())
    assert (done.returncode, done.stderr) == (
        1,
        "cannot write the output: No space left on device\n",
    )


@pytest.mark.skipif(os.name != "posix", reason="closed with a POSIX shell")
@pytest.mark.parametrize("words", ["vet --list >&-", "lsp <&- >&-", "--version >&- 2>&-"])
def test_closed_streams_are_read_and_written_as_empty_ones(words: str) -> None:
    command = f"{sys.executable} -m aiosqlc {words}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_file_where_a_folder_is_needed_is_named(
    tmp_path: Path, inside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("mine")
    folder = tmp_path / "taken" / inside
    assert main(["init", str(folder)]) == 1
    assert capsys.readouterr().err == (f"cannot use {folder}: a file has the path of a folder\n")


def test_a_file_that_may_not_be_written_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = project / "queries" / "queries.sql"
    queries.write_text(queries.read_text().replace("SELECT", "select"))

    def forbidden(path: Path, _data: bytes) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", forbidden)
    capsys.readouterr()
    assert main(["format", "-f", str(project)]) == 1
    assert capsys.readouterr().err == f"cannot use {queries}: Permission denied\n"


def test_code_is_not_written_into_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "store").write_text("mine")
    assert main(["generate", "-f", str(project)]) == 1
    assert (
        f"cannot write {project / 'store' / 'models.py'}:"
        " a file has the path of a folder\n" in capsys.readouterr().err
    )
    assert (project / "store").read_text() == "mine"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"-- name: A :one\nSELECT 'J\xf6rg' AS a;\n", "byte 0xf6 in line 2 is not UTF-8"),
        ("-- name: A :one\nSELECT 1 AS a;\n".encode("utf-16"), "the file is in UTF-16"),
    ],
)
def test_no_command_passes_over_what_it_cannot_read(
    project: Path, content: bytes, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "queries" / "queries.sql").write_bytes(content)
    for words in (["generate"], ["format"], ["format", "--check"], ["explain", "A"]):
        capsys.readouterr()
        assert main([*words, "-f", str(project)]) == 1, words
        said = capsys.readouterr().err
        assert f"queries.sql: {why}" in said
        assert "no query" not in said
        assert "codec" not in said


def test_a_configuration_in_another_encoding_is_said_to_be(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = project / "sqlc.yaml"
    config.write_bytes(config.read_text().encode("utf-16"))
    assert main(["generate", "-f", str(project)]) == 2
    assert "sqlc.yaml: the file is in UTF-16; save the file as UTF-8" in capsys.readouterr().err


def test_a_query_that_is_broken_is_not_said_to_be_missing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = project / "queries" / "queries.sql"
    queries.write_text("-- name: GetIt :one\nSELECT nam FROM author;\n")
    assert main(["explain", "GetIt", "-f", str(project)]) == 1
    said = capsys.readouterr().err
    assert "E311" in said
    assert "no query" not in said


def test_only_query_files_can_be_laid_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("queries/querys.sql", "migrations/0001_start.sql"):
        assert main(["format", "-f", str(project), str(project / name)]) == 2
        assert f"{name} is not a query file" in capsys.readouterr().err


def test_laying_out_keeps_line_ends_and_the_byte_order_mark(project: Path) -> None:
    queries = project / "queries" / "queries.sql"
    text = queries.read_text()
    before = text.replace("SELECT", "select").replace("\n", "\r\n")
    queries.write_bytes(b"\xef\xbb\xbf" + before.encode())
    assert main(["format", "-f", str(project)]) == 0
    assert queries.read_bytes() == b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


def test_brackets_in_thousands_of_brackets_are_laid_out_line_by_line(project: Path) -> None:
    queries = project / "queries" / "queries.sql"
    deep = "(" * 3000 + "1" + ")" * 3000
    queries.write_text(f"-- name: Deep :one\nselect {deep} AS one;\n")
    assert main(["format", "-f", str(project)]) == 0
    assert queries.read_text() == f"-- name: Deep :one\nSELECT {deep} AS one;\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["selfcheck", "-n", "0"], "`0` is not a whole number greater than 0"),
        (["selfcheck", "-n", "-5"], "`-5` is not a whole number greater than 0"),
    ],
)
def test_a_number_out_of_range_is_wrong_usage(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_an_option_that_a_command_does_not_have_is_named_with_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["generate", "--foo"]) == 2
    assert capsys.readouterr().err == (
        "`aiosqlc generate` does not take `--foo`; `aiosqlc generate --help` lists its options\n"
    )
    assert main(["serve", "python", "-c", "pass"]) == 2
    assert "write `--` before the program" in capsys.readouterr().err
