"""`aiosqlc review` says in one comment what a change means for the database in production."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.cli.main import main
from aiosqlc.production.review import markdown
from aiosqlc.production.review.replaced import is_report

from tests.projects import write_project

GOLDEN = Path(__file__).parent / "review"
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    gen:
      python: {out: OUT}
"""
FIRST = """\
CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE person (
    id int PRIMARY KEY, team_id int, email text NOT NULL, name text, age int NOT NULL
);
CREATE INDEX person_email ON person (email);
"""
QUERIES = """\
-- name: GetPerson :one
SELECT id, name FROM person WHERE id = @id;

-- name: FindPerson :many
SELECT id FROM person WHERE email = @email;

-- name: AddPerson :exec
INSERT INTO person (id, team_id, email, age) VALUES (@id, @team_id, @email, @age);

-- name: RemoveTeam :exec
DELETE FROM team WHERE id = @id;
"""
SECOND = """\
CREATE TABLE pet (id int PRIMARY KEY, person_id int NOT NULL, name text NOT NULL);
CREATE INDEX person_age ON person (age);
DROP INDEX person_email;
ALTER TABLE person DROP COLUMN name;
"""
CHANGED = """\
-- name: GetPerson :one
SELECT id, age FROM person WHERE id = @id;

-- name: FindPerson :many
SELECT id FROM person WHERE email = @email;

-- name: AddPerson :exec
INSERT INTO person (id, team_id, email, age) VALUES (@id, @team_id, @email, @age);

-- name: ListPets :many
SELECT id, name FROM pet WHERE person_id = NULL ORDER BY id;
"""


class Repository:
    """A project in a git repository with one commit, and the command in its folder."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        self.write(
            {"sqlc.yaml": CONFIG, "queries/all.sql": QUERIES, "migrations/0001_a.sql": FIRST}
        )
        self.git("init", "-q", "-b", "main")
        self.commit()

    def write(self, files: Mapping[str, str]) -> None:
        write_project(self.root, files)

    def git(self, *words: str, cwd: Path | None = None) -> None:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        command = ["git", *identity, *words]
        subprocess.run(command, cwd=cwd or self.root, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "-qm", "a commit")

    def ran(self, *words: str) -> tuple[int, str, str]:
        code = main([*words])
        out, err = self._capsys.readouterr()
        return code, out, err

    def review(self, how: str = "json", *options: str) -> tuple[int, str]:
        base = () if "--base" in options else ("--base", "main")
        code, out, err = self.ran("review", *base, "--format", how, "--timeout-set", *options)
        return code, out + err

    def reviewed(self) -> Any:
        return json.loads(self.review()[1])

    def entry(self) -> Any:
        (entry,) = self.reviewed()["entries"]
        return entry

    def codes(self) -> list[str]:
        return [item["code"] for item in self.reviewed()["findings"]]


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Repository:
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path, capsys)


# --- every format ---------------------------------------------------------------------------------

FORMATS = {
    "markdown": "comment.md",
    "text": "report.txt",
    "json": "review.json",
    "sarif": "review.sarif",
    "github": "annotations.txt",
}


def test_every_format_reports_the_same_change(shop: Repository, update_goldens: bool) -> None:
    shop.write({"migrations/0002_b.sql": SECOND, "queries/all.sql": CHANGED})
    for how, name in FORMATS.items():
        code, out = shop.review(how)
        assert code == 1
        if update_goldens:
            (GOLDEN / name).write_text(out)
        assert out == (GOLDEN / name).read_text(), f"{name} differs"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("markdown", "Nothing to review: no query and no schema file changed since `main`.\n"),
        ("text", "Nothing to review: no query and no schema file changed since main\n"),
        ("github", ""),
    ],
)
def test_without_a_change_there_is_one_line(shop: Repository, how: str, said: str) -> None:
    shop.write({"README": "unrelated", "queries/more.sql": "-- no query yet\n"})
    assert shop.review(how) == (0, said)


# --- a history of several commits -----------------------------------------------------------------

SEARCH = """
-- name: SearchPeople :many
SELECT id, email FROM person
WHERE team_id = @team_id  -- :if team_id
AND email = @email        -- :if email
;
"""


def test_a_comment_on_a_branch_has_one_row_for_each_query(
    shop: Repository, update_goldens: bool
) -> None:
    shop.write(
        {
            "queries/people.sql": SEARCH,
            "migrations/0002_team.sql": "CREATE INDEX person_team ON person (team_id);\n",
        }
    )
    shop.commit()
    shop.git("checkout", "-qb", "feature")
    shop.write({"migrations/0003_level.sql": "ALTER TABLE person ADD COLUMN level int;\n"})
    shop.commit()
    shop.write(
        {
            "migrations/0004_email.sql": "DROP INDEX person_email;\nDROP INDEX person_team;\n",
            "queries/people.sql": SEARCH.replace("id, email FROM", "id, email, level FROM"),
        }
    )
    shop.commit()
    shop.git("checkout", "-q", "main")
    shop.write({"queries/later.sql": "-- name: CountTeams :one\nSELECT count(*) FROM team;\n"})
    shop.commit()
    shop.git("checkout", "-q", "feature")
    code, out = shop.review("markdown")
    if update_goldens:
        (GOLDEN / "history.md").write_text(out)
    assert code == 1
    assert out == (GOLDEN / "history.md").read_text()


# --- files outside the repository ---------------------------------------------------------------

OUTSIDE = "its real path is outside the repository: add the file itself instead"
COMMANDS = (
    ("review", "--base", "main", "--format", "markdown"),
    ("review", "--base", "main", "--format", "github"),
    ("migrations", "check", "--base", "main"),
    ("migrations", "check", "--after", "0001_a"),
    ("migrations", "check", "--each"),
    ("plans", "diff", "--base", "main"),
    ("verify", "--against", "main"),
)


def _linked_migration(shop: Repository, secret: Path) -> None:
    (shop.root / "migrations/0002_b.sql").symlink_to(secret)


def _linked_queries(shop: Repository, secret: Path) -> None:
    (shop.root / "queries/all.sql").unlink()
    (shop.root / "queries/all.sql").symlink_to(secret)


def _linked_folder(shop: Repository, secret: Path) -> None:
    shutil.rmtree(shop.root / "migrations")
    (shop.root / "migrations").symlink_to(secret.parent)


def _named_path(shop: Repository, secret: Path) -> None:
    path = os.path.relpath(secret, shop.root)
    shop.write({"sqlc.yaml": CONFIG.replace("schema: migrations", f"schema: {path}")})


def _linked_configuration(shop: Repository, secret: Path) -> None:
    (shop.root / "sqlc.yaml").unlink()
    (shop.root / "sqlc.yaml").symlink_to(secret)


def _linked_file_of_git(shop: Repository, secret: Path) -> None:
    shutil.copy(secret, shop.root / ".git/token")
    (shop.root / "migrations/0002_b.sql").symlink_to("../.git/token")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    "link",
    [
        _linked_migration,
        _linked_queries,
        _linked_folder,
        _named_path,
        _linked_configuration,
        _linked_file_of_git,
    ],
)
def test_a_pull_request_cannot_show_a_file_outside_the_repository(
    command: tuple[str, ...],
    link: Callable[[Repository, Path], None],
    tmp_path_factory: pytest.TempPathFactory,
    shop: Repository,
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "0001_a.sql"
    secret.write_text("SECRET of the machine;\n")
    link(shop, secret)
    code, out, err = shop.ran(*command)
    assert code in {1, 2}
    assert "SECRET" not in out + err
    assert OUTSIDE in (out + err).replace("&#58;", ":")


def test_a_link_to_a_file_of_the_repository_is_read(shop: Repository) -> None:
    shop.write({"kept/0002_b.txt": "CREATE TABLE pet (id int PRIMARY KEY);"})
    (shop.root / "migrations/0002_b.sql").symlink_to("../kept/0002_b.txt")
    code, out = shop.review()
    assert (code, json.loads(out)["findings"]) == (0, [])
    assert shop.ran("migrations", "check", "--each", "--timeout-set")[0] == 0


def test_a_link_is_followed_where_there_is_no_repository(
    shop: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shared = tmp_path_factory.mktemp("shared") / "0002_b.sql"
    shared.write_text("CREATE TABLE pet (id int PRIMARY KEY);\n")
    shutil.rmtree(shop.root / ".git")
    (shop.root / "migrations/0002_b.sql").symlink_to(shared)
    done = shop.ran("migrations", "check", "--after", "0001_a", "--timeout-set")
    assert done == (0, "0002_b.sql: 1 statement run, no finding\n", "")


# --- every section --------------------------------------------------------------------------------


def test_a_harmless_change_has_no_finding(shop: Repository) -> None:
    shop.write({"migrations/0002_b.sql": "ALTER TABLE person ADD COLUMN level int;\n"})
    code, out = shop.review("markdown")
    assert (code, out) == (
        0,
        """\
### ✅ SQL review: both orders are safe

Compared with `main`: 1 migration.

| Change | Effect |
|---|---|
| `0002_b.sql` | locks person for a moment |
""",
    )


def test_a_query_moved_to_another_file_is_no_change(shop: Repository) -> None:
    (shop.root / "queries/all.sql").unlink()
    shop.write({"queries/other.sql": f"\n{QUERIES}"})
    assert shop.reviewed()["entries"] == []


@pytest.mark.long
def test_the_order_names_deployed_queries_that_break_and_new_ones_that_wait(
    shop: Repository,
) -> None:
    shop.write(
        {
            "migrations/0002_b.sql": "ALTER TABLE person RENAME COLUMN name TO title;\n",
            "queries/all.sql": QUERIES.replace("id, name FROM", "id, title FROM"),
        }
    )
    entry = shop.entry()
    order = entry["order"]
    assert order["advice"].startswith("neither order is safe")
    assert order["failing_deployed_queries"] == [
        {
            "query": "queries/all.sql:GetPerson",
            "after": "0002_b.sql",
            "reason": 'column "name" does not exist',
        }
    ]
    assert order["queries_that_need_the_migration"] == ["queries/all.sql:GetPerson"]
    assert shop.codes() == ["R002"]


@pytest.mark.long
def test_a_plan_is_worse_only_if_a_table_is_read_from_end_to_end(shop: Repository) -> None:
    shop.write(
        {"migrations/0002_b.sql": "CREATE INDEX CONCURRENTLY person_both ON person (email, id);\n"}
    )
    assert shop.entry()["plans"] == []  # which of two indexes is better is unknown without rows
    shop.write({"migrations/0002_b.sql": "DROP INDEX person_email;\n"})
    (plan,) = shop.entry()["plans"]
    assert plan["query"] == "queries/all.sql:FindPerson"
    assert plan["worse"] == ["reads person from end to end"]
    assert shop.codes() == ["P001"]


@pytest.mark.long
def test_privileges_are_compared_by_column(shop: Repository) -> None:
    shop.write(
        {"queries/all.sql": QUERIES.replace("SELECT id FROM person", "SELECT id, age FROM person")}
    )
    assert shop.entry()["grants"] == {"added": ["SELECT (age) ON person"], "removed": []}
    shop.write({"queries/all.sql": QUERIES.partition("-- name: RemoveTeam")[0]})
    assert shop.entry()["grants"]["removed"] == ["SELECT (id), DELETE ON team"]


@pytest.mark.long
def test_advice_is_about_changed_queries_only(shop: Repository) -> None:
    wrong = "-- name: Wrong :many\nSELECT id FROM team WHERE name = NULL;\n"
    shop.write({"queries/all.sql": f"{QUERIES}{wrong}"})
    assert shop.codes() == ["V001"]
    shop.commit()
    shop.write({"queries/all.sql": f"{QUERIES}{wrong.replace('id FROM', 'id, name FROM')}"})
    assert shop.review("json", "--base", "HEAD")[0] == 0  # the finding is older than the change


@pytest.mark.long
def test_an_applied_migration_must_not_be_edited_or_removed(shop: Repository) -> None:
    shop.write({"migrations/0001_a.sql": f"-- a comment\n{FIRST}"})
    assert shop.reviewed()["entries"] == []
    shop.write({"migrations/0001_a.sql": f"{FIRST}CREATE TABLE more (id int PRIMARY KEY);\n"})
    (found,) = shop.reviewed()["findings"]
    assert (found["code"], found["message"]) == ("R001", "0001_a.sql changed after it was merged")
    shop.write({"migrations/0001_a.sql": FIRST, "migrations/0002_b.sql": "SELECT 1;\n"})
    shop.commit()
    (shop.root / "migrations/0002_b.sql").unlink()
    code, out = shop.review("json", "--base", "HEAD")
    (found,) = json.loads(out)["findings"]
    assert (code, found["message"]) == (1, "applied migrations are removed: 0002_b.sql")


@pytest.mark.long
def test_a_renamed_migration_needs_no_privilege(shop: Repository) -> None:
    folder = shop.root / "migrations"
    (folder / "0001_a.sql").rename(folder / "0001_begin.sql")
    found = shop.reviewed()
    assert [item["code"] for item in found["findings"]][:1] == ["R001"]
    assert found["entries"][0]["grants"] == {"added": [], "removed": []}


@pytest.mark.long
def test_a_file_that_describes_the_schema_is_compared_as_a_whole(shop: Repository) -> None:
    config = CONFIG.replace("schema: migrations", "schema: schema.sql")
    shop.write({"sqlc.yaml": config, "schema.sql": FIRST})
    shop.commit()
    shop.write(
        {
            "schema.sql": FIRST.replace("email text NOT NULL, name text,", "email text NOT NULL,"),
            "queries/all.sql": CHANGED.partition("-- name: ListPets")[0],
        }
    )
    code, out = shop.review("json", "--base", "HEAD")
    (entry,) = json.loads(out)["entries"]
    assert (code, entry["migrations"]) == (0, [])
    assert entry["order"]["advice"] == "deploy the code first, then migrate"
    assert entry["order"]["failing_deployed_queries"][0]["after"] is None


@pytest.mark.long
def test_the_base_is_where_the_branch_left_it(shop: Repository) -> None:
    shop.git("checkout", "-qb", "feature")
    shop.git("checkout", "-q", "main")
    shop.write({"queries/all.sql": CHANGED.partition("-- name: ListPets")[0]})
    shop.commit()
    shop.git("checkout", "-q", "feature")
    assert shop.reviewed()["entries"] == []


# --- what is wrong with the input -----------------------------------------------------------------


def test_an_unknown_reference_is_one_sentence(shop: Repository) -> None:
    assert shop.review("text", "--base", "nowhere") == (
        2,
        (
            "cannot compare with nowhere: git knows no commit nowhere:"
            " name a branch, a tag or a commit\n"
        ),
    )


def test_a_shallow_clone_says_what_to_fetch(shop: Repository, tmp_path: Path) -> None:
    shop.write({"README": "second"})
    shop.commit()
    clone = tmp_path / "clone"
    shop.git("clone", "-q", "--depth", "1", f"file://{tmp_path}", str(clone), cwd=tmp_path)
    code, out = shop.review("text", "-f", str(clone), "--base", "HEAD~1")
    assert code == 2
    assert out.startswith("cannot compare with HEAD~1: this shallow clone does not have HEAD~1")


def test_a_folder_without_git_is_one_sentence(
    shop: Repository, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bare = tmp_path_factory.mktemp("bare")
    write_project(bare, {"sqlc.yaml": CONFIG, "queries/a.sql": QUERIES, "migrations/1.sql": FIRST})
    assert shop.review("text", "-f", str(bare)) == (
        2,
        "cannot compare with main: the configuration is not in a git repository\n",
    )


def test_a_failing_migration_is_an_error_of_the_report(shop: Repository) -> None:
    shop.write({"migrations/0002_b.sql": "ALTER TABEL person;\n"})
    code, out = shop.review("markdown")
    assert code == 1
    assert out.startswith("### ❌ SQL review: 1 error: this change does not work\n")
    assert "Note: nothing else is checked: the new schema has errors.\n" in out
    assert "| `0002_b.sql:1` | ❌ syntax error" in out


@pytest.mark.long
def test_a_query_that_does_not_compile_hides_no_other_section(shop: Repository) -> None:
    shop.write(
        {
            "queries/all.sql": QUERIES.replace("id, name FROM", "id, naem FROM"),
            "migrations/0002_b.sql": "CREATE INDEX person_age ON person (age);\n",
        }
    )
    assert shop.codes() == ["E311", "M003"]


@pytest.mark.long
def test_a_query_that_its_own_migration_breaks_is_reported_once(shop: Repository) -> None:
    shop.write({"migrations/0002_b.sql": "DROP TABLE team;\n"})
    found = shop.reviewed()["findings"]
    assert [item["code"] for item in found] == ["E310", "M009"]


def test_without_git_there_is_one_sentence(
    shop: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert shop.review("text") == (2, "cannot compare with main: git is not installed\n")


def test_git_runs_once_per_folder_and_not_once_per_file(
    shop: Repository, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim, git = tmp_path_factory.mktemp("bin"), shutil.which("git")
    (shim / "git").write_text(f'#!/bin/sh\necho "$1" >> {shim}/calls\nexec {git} "$@"\n')
    (shim / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim}{os.pathsep}{os.environ['PATH']}")
    shop.write(
        {
            f"migrations/{number:04}_c.sql": f"CREATE TABLE more_{number} (id int PRIMARY KEY);\n"
            for number in range(2, 22)
        }
    )
    shop.commit()
    shop.write({"migrations/0022_b.sql": "CREATE TABLE pet (id int PRIMARY KEY);\n"})
    (shim / "calls").unlink()
    assert shop.review("text")[0] == 0
    assert len((shim / "calls").read_text().splitlines()) < 15


def test_names_that_git_quotes_and_a_byte_order_mark_are_read(shop: Repository) -> None:
    shop.write(
        {
            "queries/käufe.sql": "\ufeff-- name: Bought :many\nSELECT id FROM person;\n",
            "migrations/0002_größe.sql": "\ufeffCREATE TABLE size (id int PRIMARY KEY);\r\n",
        }
    )
    shop.commit()
    assert shop.review("text") == (
        0,
        "Nothing to review: no query and no schema file changed since main\n",
    )


def test_an_old_file_with_another_encoding_is_one_sentence(shop: Repository) -> None:
    shop.write({"queries/more.sql": ""})
    (shop.root / "queries" / "more.sql").write_bytes(b"-- gr\xf6\xdfe\n")
    shop.commit()
    shop.write({"queries/more.sql": "-- name: Bought :many\nSELECT id FROM person;\n"})
    assert shop.review("text") == (
        2,
        "cannot compare with main: queries/more.sql is not UTF-8 in this reference\n",
    )


@pytest.mark.long
def test_an_old_query_that_never_compiled_is_no_finding(shop: Repository) -> None:
    broken = QUERIES.replace("id, name FROM", "id, naem FROM")
    shop.write({"queries/all.sql": broken})
    shop.commit()
    shop.write({"queries/all.sql": QUERIES, "migrations/0002_b.sql": "SELECT 1;\n"})
    code, out = shop.review("json", "--base", "HEAD")
    assert (code, json.loads(out)["entries"][0]["order"]["advice"]) == (0, "both orders are safe")


@pytest.mark.long
def test_an_old_schema_with_errors_is_noted(shop: Repository) -> None:
    shop.write({"migrations/0001_a.sql": "CREATE TABEL person ();\n"})
    shop.commit()
    shop.write({"migrations/0001_a.sql": FIRST})
    code, out = shop.review("text", "--base", "HEAD")
    assert code == 1  # an applied migration was edited
    assert "note: only the new version is checked: the schema of the old version has errors" in out


@pytest.mark.long
def test_an_entry_for_mysql_is_noted(shop: Repository) -> None:
    shop.write({"sqlc.yaml": CONFIG.replace("postgresql", "mysql")})
    shop.write({"queries/all.sql": CHANGED.partition("-- name: ListPets")[0]})
    entry = shop.entry()
    assert entry["queries"]["changed"] == ["queries/all.sql:GetPerson"]
    assert entry["skipped"] == [
        "the plans and privileges are not checked, because the check needs PostgreSQL"
    ]


@pytest.mark.long
def test_entries_with_different_orders_are_named(shop: Repository) -> None:
    config = CONFIG.replace("- engine", "- name: shop\n    engine")
    other = config.partition("sql:\n")[2].replace("shop", "log").replace("OUT", "OUT2")
    other = other.replace("schema: migrations", "schema: logs").replace("queries: q", "queries: lq")
    shop.write(
        {
            "sqlc.yaml": config + other,
            "logs/0001_a.sql": "CREATE TABLE line (id int PRIMARY KEY, said text);\n",
            "lqueries/all.sql": "-- name: GetLine :one\nSELECT id, said FROM line LIMIT 1;\n",
        }
    )
    shop.commit()
    shop.write(
        {
            "migrations/0002_b.sql": "ALTER TABLE person ADD COLUMN level int;\n",
            "logs/0002_b.sql": "ALTER TABLE line DROP COLUMN said;\n",
            "lqueries/all.sql": "-- name: GetLine :one\nSELECT id FROM line LIMIT 1;\n",
        }
    )
    _, out = shop.review("markdown", "--base", "HEAD")
    head, _, rest = out.partition("\n")
    assert head == (
        "### ⚠️ SQL review: shop: both orders are safe;"
        " log: deploy the code first, then migrate; 1 finding"
    )
    assert "| log: `all.sql:GetLine`, deployed | ⏳ after 0002\\_b.sql: " in rest
    assert "| shop: `0002_b.sql` | locks person for a moment |" in rest


# --- the comment is text of strangers -------------------------------------------------------------


def test_only_a_report_is_replaced_by_a_report(shop: Repository) -> None:
    shop.write({"migrations/0002_b.sql": "ALTER TABLE person ADD COLUMN x int;\n", "a.md": "# A\n"})
    (shop.root / "b.json").write_bytes(b"\xff")
    for target, left in (("markdown=a.md", b"# A\n"), ("json=b.json", b"\xff")):
        how, _, name = target.partition("=")
        said = f"{name} is not a review in the format {how}: choose another file\n"
        assert shop.review("json", "--output", target) == (2, said)
        assert (shop.root / name).read_bytes() == left
    shop.write({"a.md": ""})
    for _ in range(2):  # the second run replaces what the first one wrote
        shop.review("json", "--output", "markdown=a.md")
        assert (shop.root / "a.md").read_text().startswith("### ")


@pytest.mark.parametrize("how", FORMATS)
def test_a_report_is_recognised_in_its_own_format(how: str) -> None:
    for other, name in FORMATS.items():
        assert is_report((GOLDEN / name).read_text(), how) == (how == other), name
    foreign = ("SELECT 1;", "[]", "{}", "null", '{"runs": []}', "[" * 100_000, "### Notes\n")
    assert not any(is_report(text, how) for text in foreign)


def test_a_name_with_a_line_feed_stays_on_its_line(shop: Repository) -> None:
    shop.write(
        {
            "migrations/0002_b.sql": 'CREATE TABLE "pets\n+ x" (id int);\n',
            "queries/all.sql": QUERIES + '\n-- name: New :many\nSELECT id FROM "pets\n+ x";\n',
        }
    )
    for how in ("text", "markdown"):
        _, out = shop.review(how)
        assert not any(line.startswith('+ x"') for line in out.splitlines()), out
        assert '"pets\\n+ x"' in out


@pytest.mark.long
def test_names_and_messages_cannot_be_markup(shop: Repository) -> None:
    evil = "<img src=x> @everyone [a](b) `x` | y"
    shop.write({"migrations/0002_b.sql": f'CREATE TABLE "{evil}" (id int);\nDROP TABLE team;\n'})
    _, out = shop.review("markdown")
    table = out.partition("<details>")[0]
    assert "<img" not in table
    assert "@everyone" not in table.replace("&#64;everyone", "")


@pytest.mark.long
def test_a_long_comment_is_cut_between_its_parts(
    shop: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markdown, "_LONGEST", 900)
    shop.write({"migrations/0002_b.sql": SECOND, "queries/all.sql": CHANGED})
    _, out = shop.review("markdown")
    assert len(out) <= 900
    assert out.count("<details>") == out.count("</details>")
    assert out.endswith("The rest is too long for a comment: run `aiosqlc review`.\n")
