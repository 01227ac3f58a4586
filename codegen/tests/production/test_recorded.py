"""`aiosqlc plans record|diff`: plans in a file that only changes if a plan changes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.cli.main import main
from aiosqlc.production.recorded.changes import changes, differs
from aiosqlc.production.recorded.file import DamagedError, read, written
from aiosqlc.production.recorded.texts import TextName
from aiosqlc.production.recorded.tree import Step, amount, lines, power_of, simplified
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.production.test_review import CONFIG, FIRST, QUERIES
from tests.projects import write_project

SCAN = Plan(
    "Index Scan", 420, 33.1, relation="person", alias="p", index="person_email",
    conditions=(("Index Cond", "(p.email = ($2)::text)"),),
)  # fmt: skip
JOIN = Plan(
    "Nested Loop", 900, 5230.0, join="Left",
    children=(
        SCAN,
        Plan(
            "Index Scan", 1, 0.3, relation="team", alias="t", index="team_pkey",
            conditions=(("Index Cond", "(t.id = p.team_id)"),),
        ),
    ),
)  # fmt: skip


# --- from the server's plan to a stable one -------------------------------------------------------


def test_numbers_casts_and_aliases_are_no_part_of_a_plan() -> None:
    assert list(lines(simplified(JOIN, estimated=True))) == [
        "Nested Loop Left Join  (~1k rows, cost ~10k)",
        "  Index Scan using person_email on person  (~1k rows)",
        "      (email = ($))",
        "  Index Scan using team_pkey on team  (1 row)",
        "      (id = person.team_id)",
    ]


def test_without_statistics_there_are_no_estimates() -> None:
    assert next(lines(simplified(JOIN, estimated=False))) == "Nested Loop Left Join"


def test_a_bitmap_is_one_step_with_its_indexes() -> None:
    scan = Plan("Bitmap Index Scan", 1, 1.0, index="a", conditions=(("Index Cond", "(p.x = 1)"),))
    both = Plan("BitmapAnd", 1, 1.0, children=(scan, replace(scan, index="b")))
    heap = Plan("Bitmap Heap Scan", 1, 1.0, relation="person", alias="p", children=(both,))
    assert list(lines(simplified(heap, estimated=False))) == [
        "Bitmap Scan using a and b on person",
        "    (x = 1)",
    ]


def test_partitions_with_equal_plans_are_one_step() -> None:
    found = (("Index Cond", "(p_1.email = $1)"),)
    one = replace(SCAN, relation="p_01", index="p_01_email", alias="p_1", conditions=found)
    found = (("Index Cond", "(p_2.email = $1)"),)
    two = replace(SCAN, relation="p_02", index="p_02_email", alias="p_2", conditions=found, rows=9)
    other = Plan("Seq Scan", 1, 1.0, relation="p_03", alias="p_3")
    whole = Plan("Append", 9, 9.0, children=(one, two, other))
    assert list(lines(simplified(whole, estimated=False))) == [
        "Append",
        "  Index Scan using p_01_email on p_01 and further partitions",
        "      (email = $)",
        "  Seq Scan on p_03",
    ]


@pytest.mark.parametrize("power", range(16))
def test_an_amount_is_read_as_it_was_written(power: int) -> None:
    assert power_of(amount(power)) == power


# --- the file -------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.from_regex(r"[a-z_][a-z0-9_$]{0,5}", fullmatch=True), st.text("aA .\"':()[]", min_size=1)
)
POWERS = st.none() | st.integers(0, 14)


def _steps(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        st.sampled_from(
            ["Seq Scan", "Hash Left Join", "HashAggregate", "Index Only Scan Backward"]
        ),
        st.just("") | NAMES,
        st.lists(NAMES, max_size=2).map(tuple),
        st.sampled_from(["", "(a = $)", "((a = $) AND (b > now()))"]),
        st.sampled_from(["", "CTE recent", "SubPlan"]),
        POWERS,
        st.none(),
        st.booleans(),
        st.lists(inner, max_size=3).map(tuple),
    )


TREES = st.recursive(st.builds(Step, st.just("Result")), _steps, max_leaves=8)
TEXTS = st.builds(
    TextName,
    st.sampled_from(["a.sql:A", "a.sql:B", "b.sql:A"]),
    st.sampled_from(["", "with x", "sort name DESC #2"]),
)


@given(st.dictionaries(TEXTS, TREES), st.sampled_from(["statistics", "empty tables, which"]))
def test_a_file_is_read_as_it_was_written(plans: dict[TextName, Step], basis: str) -> None:
    assert read(written(plans, basis)) == (plans, basis)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: not written by"),
        ("-- something else\n", "line 1: not written by"),
        (
            written({TextName("a.sql:A"): Step("Result")}, "x").replace("Result", "<<<<<<<"),
            "line 5",
        ),
        (
            written({TextName("a.sql:A"): Step("Result")}, "x").replace("    Result\n", ""),
            "without a plan",
        ),
    ],
)
def test_a_damaged_file_names_its_line(text: str, said: str) -> None:
    with pytest.raises(DamagedError, match=said):
        read(text)


# --- what is a change -----------------------------------------------------------------------------

BASE = simplified(JOIN, estimated=True)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
def test_noise_of_estimates_is_no_change(factor: float) -> None:
    noisy = replace(JOIN, rows=int(JOIN.rows * factor), cost=JOIN.cost * factor)
    assert not differs(BASE, simplified(noisy, estimated=True))


def test_a_hundredfold_estimate_is_a_change() -> None:
    slower = simplified(replace(JOIN, cost=JOIN.cost * 100), estimated=True)
    (change,) = changes({TextName("a:A"): BASE}, {TextName("a:A"): slower})
    assert change.worse == ("costs ~1M instead of ~10k",)
    assert change.summary == ("cost ~10k → ~1M",)


def _changed(new: Plan, old: Plan = JOIN) -> tuple[str, ...]:
    pair = [simplified(plan, estimated=True) for plan in (old, new)]
    (change,) = changes({TextName("a:A"): pair[0]}, {TextName("a:A"): pair[1]})
    return change.summary


def test_a_summary_names_the_relation_the_step_or_the_order() -> None:
    whole = replace(SCAN, node="Seq Scan", index="", conditions=())
    assert _changed(replace(JOIN, children=(whole, JOIN.children[1]))) == (
        "person: Index Scan using person_email → Seq Scan",
    )
    assert _changed(replace(JOIN, node="Hash Join")) == (
        "+ Hash Left Join, − Nested Loop Left Join",
    )
    assert _changed(replace(JOIN, children=JOIN.children[::-1])) == (
        "order: person, team → team, person",
    )
    other = replace(SCAN, conditions=(("Index Cond", "(p.email > $1)"),))
    assert _changed(other, SCAN) == ("person: (email = ($)) → (email > $)",)


def test_texts_of_a_query_that_change_alike_are_one_change() -> None:
    names = [TextName("a:A", f"with {n}") for n in "xyz"]
    found = changes(
        dict.fromkeys(names, BASE), dict.fromkeys(names, Step("Result", rows=0, cost=0))
    )
    assert [(one.query, one.texts) for one in found] == [("a:A", ("with x", "with y", "with z"))]


# --- the command ----------------------------------------------------------------------------------


class Project:
    """A project, and the command in its folder."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys
        files = {"sqlc.yaml": CONFIG, "queries/all.sql": QUERIES, "migrations/0001_a.sql": FIRST}
        self.write(files)

    def write(self, files: Mapping[str, str]) -> None:
        write_project(self.root, files)

    def plans(self, *words: str) -> tuple[int, str]:
        code = main(["plans", *words])
        out, err = self._capsys.readouterr()
        return code, out + err


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, capsys)


RECORDED = """\
# Query plans. Written by `aiosqlc plans record`; do not edit.
# Planned on: empty tables, which only shows whether an index is usable

queries/all.sql:AddPerson
    Insert on person
      Result

queries/all.sql:FindPerson
    Bitmap Scan using person_email on person
        (email = $)

queries/all.sql:GetPerson
    Index Scan using person_pkey on person
        (id = $)

queries/all.sql:RemoveTeam
    Delete on team
      Index Scan using team_pkey on team
          (id = $)
"""


def test_plans_are_recorded_and_compared_with_the_file(shop: Project) -> None:
    assert shop.plans("record") == (0, "wrote plans.txt: 4 plans\n")
    assert (shop.root / "plans.txt").read_text() == RECORDED
    assert shop.plans("record") == (0, "")
    assert shop.plans("diff") == (0, "no plan changed since plans.txt\n")
    shop.write({"migrations/0002_b.sql": "DROP INDEX person_email;\n"})
    assert shop.plans("diff") == (
        1,
        """\
queries/all.sql:FindPerson: person: Bitmap Scan using person_email → Seq Scan
    + Seq Scan on person
    - Bitmap Scan using person_email on person
    -     (email = $)
""",
    )


MARKDOWN = """\
### ⚠️ Plans of 1 query changed since `plans.txt`

| Change | Effect |
|---|---|
| `queries/all.sql:FindPerson` | ⚠️ reads person from end to end |

<details><summary>Steps of the plans</summary>

Planned on empty tables, which only shows whether an index is usable.

`queries/all.sql:FindPerson`: person: Bitmap Scan using person\\_email → Seq Scan

```diff
+ Seq Scan on person
- Bitmap Scan using person_email on person
-     (email = $)
```

</details>
"""


@pytest.mark.long
def test_changes_have_every_format(shop: Project) -> None:
    shop.write({"plans.txt": RECORDED, "migrations/0002_b.sql": "DROP INDEX person_email;\n"})
    assert shop.plans("diff", "--format", "markdown") == (1, MARKDOWN)
    message = "the new plan of FindPerson reads person from end to end"
    assert shop.plans("diff", "--format", "github")[1].startswith(
        f"::warning file=queries/all.sql,line=4,col=10,title=P001::{message}. if the"
    )
    (result,) = json.loads(shop.plans("diff", "--format", "sarif")[1])["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("P001", "warning")
    (change,) = json.loads(shop.plans("diff", "--format", "json")[1])
    assert change["worse"] == ["reads person from end to end"]
    assert change["after"] == ["Seq Scan on person"]


@pytest.mark.long
def test_each_text_of_a_dynamic_query_has_a_plan(shop: Project) -> None:
    dynamic = (
        "-- name: Search :many\nSELECT id FROM person WHERE age > @age\n"
        "    AND email = @email -- :if email\n;\n"
    )
    shop.write({"queries/all.sql": dynamic})
    assert shop.plans("record") == (0, "wrote plans.txt: 2 plans\n")
    assert (shop.root / "plans.txt").read_text().partition("\n\n")[2] == (
        "queries/all.sql:Search\n  [with email]\n    Bitmap Scan using person_email on person\n"
        "        (email = $)\n\n"
        "queries/all.sql:Search\n  [without optional parts]\n    Seq Scan on person\n"
    )
    assert shop.plans("diff")[0] == 0


@pytest.mark.long
def test_the_base_is_planned_again(shop: Project) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "a commit"]):
        subprocess.run(["git", *words], cwd=shop.root, check=True)
    assert shop.plans("diff", "--base", "HEAD") == (0, "no plan changed since HEAD\n")
    shop.write({"queries/all.sql": QUERIES.replace("email = @email", "lower(email) = @email")})
    code, out = shop.plans("diff", "--base", "HEAD")
    assert (code, out.partition("\n")[0]) == (
        1,
        "queries/all.sql:FindPerson: person: Bitmap Scan using person_email → Seq Scan",
    )
    assert shop.plans("diff", "--base", "nowhere")[0] == 2


@pytest.mark.parametrize("content", [b"SELECT 1;\n", b"\xff", b"# Query plans.\n"])
def test_a_file_of_somebody_else_is_not_replaced(shop: Project, content: bytes) -> None:
    other = shop.root / "notes.txt"
    other.write_bytes(content)
    said = "notes.txt was not written by `aiosqlc plans record`: choose another file\n"
    assert shop.plans("record", "-o", "notes.txt") == (2, said)
    assert other.read_bytes() == content
    other.write_text("\n")
    assert shop.plans("record", "-o", "notes.txt")[0] == 0


def test_a_name_with_a_line_feed_stays_on_its_line(shop: Project) -> None:
    shop.write(
        {
            "migrations/0002_b.sql": 'CREATE TABLE "a\nb\r  (c" (id int PRIMARY KEY);\n'
            'ALTER INDEX "a\nb\r  (c_pkey" RENAME TO "x\n\ny";\n',
            "queries/all.sql": '-- name: Q :one\nSELECT id FROM "a\nb\r  (c" WHERE id = $1;\n'
            '-- name: R :many\nSELECT 1 AS n FROM "a\nb\r  (c" t;\n',
        }
    )
    assert shop.plans("record") == (0, "wrote plans.txt: 2 plans\n")
    text = (shop.root / "plans.txt").read_text()
    assert '"a\\nb\\r  (c"' in text
    assert '"x\\n\\ny"' in text
    assert shop.plans("diff") == (0, "no plan changed since plans.txt\n")


def test_bad_input_gets_one_sentence(shop: Project) -> None:
    assert shop.plans("diff") == (
        2,
        "there is no plans.txt: write it with `aiosqlc plans record`, or pass `--base REF`\n",
    )
    shop.write({"plans.txt": RECORDED.replace("    Insert", "<<<<<<< Insert")})
    assert shop.plans("diff") == (
        2,
        "plans.txt: line 5: a query without a plan; write it again with `aiosqlc plans record`\n",
    )
    assert shop.plans("record", "--base", "HEAD") == (
        2,
        "`--base` and `--format` are options of `plans diff`\n",
    )
    shop.write({"sqlc.yaml": CONFIG.replace("postgresql", "mysql")})
    code, out = shop.plans("record")
    assert (code, out.splitlines()[-1]) == (2, "`plans` needs PostgreSQL: every entry is for MySQL")


@pytest.mark.long
def test_a_query_with_an_error_leaves_the_file_alone(shop: Project) -> None:
    shop.write({"plans.txt": RECORDED, "queries/all.sql": QUERIES.replace("email", "emial")})
    code, out = shop.plans("record")
    assert code == 2
    assert out.endswith("plans need queries that compile: fix the errors first\n")
    assert (shop.root / "plans.txt").read_text() == RECORDED


SIZES = """\
    production:
      statistics: production.statistics
      tables: {person: 5000000, team: 200}
"""


@pytest.mark.long
def test_statistics_give_estimates_and_costs(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.write({"sqlc.yaml": CONFIG + SIZES})
    assert main(["stats", "synth"]) == 0
    capsys.readouterr()
    assert shop.plans("record")[0] == 0
    recorded = (shop.root / "plans.txt").read_text()
    assert "# Planned on: the statistics of production\n" in recorded
    assert "    Index Scan using person_pkey on person  (1 row, cost ~10)\n" in recorded
    assert shop.plans("diff") == (0, "no plan changed since plans.txt\n")
    shop.write({"migrations/0002_b.sql": "DROP INDEX person_email;\n"})
    (change,) = json.loads(shop.plans("diff", "--format", "json")[1])
    assert change["query"] == "queries/all.sql:FindPerson"
    assert change["worse"][0] == "reads person from end to end"
    assert change["worse"][1].startswith("costs ~")
    shop.write({"sqlc.yaml": CONFIG})
    code, out = shop.plans("diff")
    assert code == 2
    assert out.startswith(
        "the plans in plans.txt use the statistics of production, but the current"
    )


@pytest.mark.long
def test_half_a_file_of_statistics_is_one_sentence(shop: Project) -> None:
    shop.write({"sqlc.yaml": CONFIG + SIZES, "production.statistics": "-- half"})
    code, out = shop.plans("record")
    assert (code, out.count("\n")) == (2, 1)
    assert "production.statistics" in out
