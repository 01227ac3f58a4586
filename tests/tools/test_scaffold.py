"""Services are created and removed as docs/services.md states, in a copy of the repository."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.settings import PORTS, ROOT
from devstack.testing.components import program
from tests.guide import copied
from tests.tools.in_a_copy import digests, done, generated, run, stack
from tools.scaffold.marks import without
from tools.scaffold.wanted import RESERVED, ScaffoldError, check_name, choose_port, taken_ports

DOCUMENT = "/api/inventories/v1/inventories"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository for one test."""
    return copied(tmp_path)


@pytest.fixture(scope="module")
def shared_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy that every test leaves unchanged."""
    root = copied(tmp_path_factory.mktemp("copy"))
    before = digests(root)
    yield root
    assert digests(root) == before


def check(root: Path, name: str) -> None:
    """Run the parts of `make check` that concern a service and the list of services."""
    done(root, "tools.permissions", "check")
    done(root, "tools.specs", "check")
    done(root, "tools.rendered", "check")
    if (root / "services" / name).exists():
        done(root, "tools.grants", "check", name)
        done(root, "aiosqlc", "check", "-f", f"sql/{name}/sqlc.yaml")
    # Only what differs from the rest of the repository, which has a check of its own.
    places = [f"services/{name}", f"tests/services/{name}", "services/user", "tests", "tools"]
    places = [place for place in places if (root / place).exists()]
    done(root, "ruff", "format", "--check", "--quiet", *places)
    done(root, "ruff", "check", "--quiet", *places)


@pytest.mark.timeout(1800)  # two compilers and all pages, on a machine that may be busy
def test_a_new_service_passes_the_checks_and_is_removed_without_a_trace(copy: Path) -> None:
    before = digests(copy)
    done(copy, "tools.scaffold", "new", "inventory")
    check(copy, "inventory")
    done(copy, "tools.scaffold", "remove", "inventory")
    assert digests(copy) == before


@pytest.mark.long
@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_a_new_service_answers_through_the_gateway(copy: Path, run_dir: Path, engine: str) -> None:
    if engine == "mysql":
        program("mariadbd")
    before = digests(copy)
    done(copy, "tools.scaffold", "new", "inventory", "--engine", engine, "--grpc", "1")
    check(copy, "inventory")
    done(copy, "mypy", "services/inventory")
    done(copy, "pytest", "-n0", "-q", "tests/services/inventory")
    done(
        copy, "pytest", "-n0", "-q", "tests/ops/test_network_policies.py", "tests/ops/test_docs.py",
        "tests/services/test_sort_orders.py", "tests/services/test_access.py",
        "tests/devstack/test_settings.py",
    )  # fmt: skip
    with stack(copy, run_dir) as url, urllib.request.urlopen(url + DOCUMENT) as answer:
        found = json.load(answer)
    assert [row["name"] for row in found["data"]] == ["First", "Second"]
    done(copy, "tools.scaffold", "remove", "inventory")
    assert digests(copy) == before


# with chat, from here
@pytest.mark.long
@pytest.mark.timeout(1800)  # all pages and a collection of all tests, on a machine that is busy
def test_chat_is_removed_and_what_is_left_passes_the_checks(copy: Path) -> None:
    done(copy, "tools.scaffold", "remove", "chat")
    check(copy, "chat")
    done(copy, "tools.grants", "check")
    done(copy, "pytest", "-n0", "-q", "--collect-only", "tests")
    done(
        copy, "pytest", "-n0", "-q", "tests/ops/test_network_policies.py", "tests/ops/test_docs.py",
        "tests/ops/test_security_doc.py", "tests/ops/test_guides.py",
        "tests/services/test_access.py",
        "tests/services/test_sort_orders.py", "tests/services/test_producers.py",
        "tests/devstack/test_settings.py", "tests/tools/test_redis_users.py",
        "tests/tools/test_events_page.py", "tests/tools/test_readme.py",
    )  # fmt: skip
    assert [name for name in generated(copy) if "chat" in (copy / name).read_text().lower()] == []


# with chat, to here
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Inventory", "use 2 to 30 letters a-z"),
        ("in_ventory", "use 2 to 30 letters a-z"),
        ("", "use 2 to 30 letters a-z"),
        ("../x", "use 2 to 30 letters a-z"),
        ("inventories", "plural: name the service in the singular"),
        ("user", "the name user is taken: there is services/user"),
        ("shared", "the name shared is taken: there is sql/shared"),
        ("class", "class is a keyword of Python"),
        ("group", "group is a keyword of SQL"),
        ("smtp", "SMTP_HOST is already a setting"),
        ("prometheus", "PROMETHEUS_PORT is already a setting"),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_sentence(name: str, said: str) -> None:
    with pytest.raises(ScaffoldError, match=said):
        check_name(ROOT, name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "user"], "the name user is taken: there is services/user"),
        (["new", "page"], "page is a name in the code of every service"),
        (["new", "inventory", "--engine", "oracle"], "engine=oracle is not one of: postgres mysql"),
        (["new", "inventory", "--grpc", "yes"], "grpc=yes is neither 0 nor 1"),
        (["new", "inventory", "--port", "x"], "port=x is not a number"),
        (["new", "inventory", "--port", "80"], "port 80 is not between 1024 and 64535"),
        (["new", "inventory", "--port", "8081"], "port 8081 is taken by USER_PORT"),
        (["new", "inventory", "--port", "8090"], "port 9090 is taken by PROMETHEUS_PORT"),
        (["remove", "nothing"], "nothing is not one of: catalog"),
        (["remove", "user"], "user cannot be removed, because every service needs its tokens"),
        (["remove", "product"], "product cannot be removed: order calls it, user consumes its ev"),
        (["remove", "department"], "department cannot be removed: user consumes its events"),
    ],
)
def test_a_wrong_command_is_refused_in_one_sentence(
    shared_copy: Path, arguments: list[str], said: str
) -> None:
    refused = run(shared_copy, "tools.scaffold", *arguments)
    assert refused.returncode == 1
    assert refused.stderr.startswith(said)
    assert len(refused.stderr.splitlines()) == 1


def test_a_port_offset_that_is_too_large_is_refused_in_one_sentence(
    shared_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT_OFFSET", "70000")
    refused = run(shared_copy, "tools.scaffold", "new", "inventory")
    assert refused.returncode == 1
    assert refused.stderr.startswith("PORT_OFFSET=70000 moves ")
    assert len(refused.stderr.splitlines()) == 1


def test_a_service_that_cannot_be_written_leaves_nothing(copy: Path) -> None:
    query = copy / "tools/scaffold/template/postgres/sql/NAME/NAMES.sql.j2"
    query.write_text(query.read_text() + "\n-- name: Wrong :one\nSELECT nothing FROM {{ name }};\n")
    before = digests(copy)
    refused = run(copy, "tools.scaffold", "new", "inventory")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert digests(copy) == before


def test_the_next_port_is_free_and_its_health_port_too() -> None:
    taken = taken_ports(ROOT)
    port = choose_port(ROOT, None)
    assert not {port, port + 1000} & {*taken}
    assert port > max(one for name, one in PORTS.items() if "GRPC" not in name)


async def test_reserved_words_are_those_of_the_server(new_database) -> None:
    from tests.services.calling import by_hand

    async with by_hand(await new_database("department")) as db:
        rows = await db.fetch("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")
    assert {word for (word,) in rows if word.isalpha()} == RESERVED


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a = 1\nb = 2  # with chat\n", "a = 1\n"),
        ("# Why.\nb = f(\n    2,  # with chat\n    3,\n)\n", "# Why.\nb = f(\n    3,\n)\n"),
        ("a = 1\n\n# Why.\ndef f():  # with chat\n    return 1\n", "a = 1\n\n"),
        ("x = {\n    1: 2,  # with chat\n    3: 4,\n}\n", "x = {\n    3: 4,\n}\n"),
        ("a = 1\n# with chat, from here\nb = 2\n# with chat, to here\nc = 3\n", "a = 1\nc = 3\n"),
        ("a = 1  # with chats\n", "a = 1  # with chats\n"),
        ("a = 1  # with chat, as a rule\n", "a = 1  # with chat, as a rule\n"),
        (
            "if a:\n    b\n# with chat, from here\nelif c:\n    d\n# with chat, to here\nelse: e\n",
            "if a:\n    b\nelse: e\n",
        ),
        (
            "if a:\n    b\nelif c:  # with chat\n    d\nelse:\n    e\n",
            "if a:\n    b\nelse:\n    e\n",
        ),
    ],
)
def test_what_is_marked_goes_with_its_service(text: str, left: str) -> None:
    assert without(text, "chat", python=True) == left


def test_a_page_may_write_of_marks() -> None:
    text = "- `# with chat, from here` begins a part, `# with chat, to here` ends it.\n"
    assert without(text, "chat", python=False) == text


def test_a_mark_without_its_end_is_refused() -> None:
    with pytest.raises(ValueError, match="has no `to here`"):
        without("# with chat, from here\n", "chat", python=False)
