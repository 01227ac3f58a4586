"""The hooks and the action as users run them: in another repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiosqlc.cli.main import main

from tests.documents import read_yaml
from tests.projects import ran
from tests.sampling import sample

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


def run(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return ran(*command, cwd=folder, env={**ENVIRONMENT, **environment})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A committed repository with a generated project."""
    folder = tmp_path / "project"
    assert main(["init", str(folder)]) == 0
    assert main(["generate", "-f", str(folder)]) == 0
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "start"]):
        assert run(folder, "git", *command).returncode == 0
    return folder


def edit(project: Path, old: str, new: str) -> None:
    path = project / "queries" / "queries.sql"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def hook(project: Path, name: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run a hook from this working tree on all files, as `pre-commit try-repo` does."""
    hooks = tmp_path / "hooks"  # a repository of its own: pre-commit clones what it tries
    hooks.mkdir(exist_ok=True)
    (hooks / ".pre-commit-hooks.yaml").write_text((ROOT / ".pre-commit-hooks.yaml").read_text())
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "hooks", "--allow-empty"]):
        assert run(hooks, "git", *command).returncode == 0
    command = [BIN / "pre-commit", "try-repo", hooks, name, "--all-files", "--color", "never"]
    return run(project, *command, PRE_COMMIT_HOME=str(tmp_path / "kept"))


CHANGED = "files were modified by this hook"
STALE = ("ORDER BY name, id", "ORDER BY id")
ADVISED = ("WHERE id = @id;", "WHERE id = @id OR name LIKE '%x' LIMIT 1;")


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    sample(
        1,
        [
            ("aiosqlc-check", *STALE, "not up to date"),
            ("aiosqlc-generate", *STALE, CHANGED),
            ("aiosqlc-vet", *ADVISED, "warning"),
            (
                "aiosqlc-format",
                "SELECT * FROM",
                "select *  from",
                CHANGED,
            ),
        ],
    ),
)
def test_the_hook_passes_what_is_right_and_stops_what_is_not(
    project: Path, tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    passed = hook(project, name, tmp_path)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    edit(project, old, new)
    stopped = hook(project, name, tmp_path)
    assert stopped.returncode == 1, stopped.stdout + stopped.stderr
    assert said in stopped.stdout


def steps() -> list[dict[str, object]]:
    return read_yaml(ROOT / "action.yml")["runs"]["steps"]


def report(project: Path, tmp_path: Path, **environment: str) -> tuple[int, str, dict[str, str]]:
    """Run the step that reports; return its code, its annotations and its outputs."""
    [step] = [step for step in steps() if step.get("id") == "report"]
    outputs = tmp_path / "outputs"
    outputs.write_text("")
    done = run(
        project, "bash", "-c", str(step["run"]),
        HERE=str(ROOT), CONFIG=".", FOLDER=str(tmp_path), GITHUB_OUTPUT=str(outputs), **environment,
    )  # fmt: skip
    found = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done.returncode, done.stdout, found


def test_the_action_annotates_reports_and_fails_where_code_is_stale(
    project: Path, tmp_path: Path
) -> None:
    code, annotations, outputs = report(project, tmp_path)
    assert (code, "::error" in annotations) == (0, False)
    assert "is what the queries make" in Path(outputs["report"]).read_text()
    edit(project, *ADVISED)
    code, annotations, outputs = report(project, tmp_path)
    assert code == 1
    assert "::warning file=queries/queries.sql,line=4" in annotations
    assert "::error title=aiosqlc::" in annotations
    results = json.loads(Path(outputs["sarif"]).read_text())["runs"][0]["results"]
    assert results
    assert "### Advice, query plans included" in Path(outputs["report"]).read_text()


@pytest.mark.long
def test_the_report_reviews_a_change_and_is_the_summary_of_the_job(
    project: Path, tmp_path: Path
) -> None:
    (project / "migrations" / "0002_gone.sql").write_text("ALTER TABLE author DROP COLUMN bio;\n")
    edit(project, "(name, bio) VALUES (@name, @bio)", "(name) VALUES (@name)")
    summary = tmp_path / "summary"
    _, annotations, outputs = report(
        project, tmp_path, AGAINST="HEAD", GITHUB_STEP_SUMMARY=str(summary)
    )
    text = Path(outputs["report"]).read_text()
    assert "### ⚠️ SQL review: " in text
    assert "| `0002_gone.sql` | ⚠️ " in text
    assert summary.read_text() == text
    assert "title=M009" in annotations
    results = json.loads(Path(outputs["sarif"]).read_text())["runs"][0]["results"]
    assert "M009" in {result["ruleId"] for result in results}


@pytest.mark.long
def test_the_report_says_why_there_is_no_review(project: Path, tmp_path: Path) -> None:
    _, _, outputs = report(project, tmp_path, AGAINST="origin/nowhere")
    text = Path(outputs["report"]).read_text()
    assert "cannot compare with origin/nowhere: git knows no commit origin/nowhere" in text


def test_the_comment_is_the_report_and_replaces_the_last(tmp_path: Path) -> None:
    [step] = [step for step in steps() if step["name"] == "Comment"]
    said = tmp_path / "said"
    gh = tmp_path / "gh"
    gh.write_text(f'#!/bin/sh\necho "$@" > {said}\n')
    gh.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{ENVIRONMENT['PATH']}"
    done = run(tmp_path, "bash", "-c", str(step["run"]), PATH=path, NUMBER="7", REPORT="r.md")
    assert done.returncode == 0, done.stderr
    assert said.read_text().split() == (
        ["pr", "comment", "7", "--edit-last", "--create-if-none", "--body-file", "r.md"]
    )


def test_no_step_puts_an_expression_into_its_script() -> None:
    assert all("${{" not in str(step["run"]) for step in steps())
