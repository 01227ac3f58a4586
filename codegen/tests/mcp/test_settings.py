"""A mistake in the settings is reported in one sentence, before a client is served."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import psycopg
import pytest
from aiosqlc.mcp.schemas import from_setting
from aiosqlc.mcp.tokens import read_tokens
from psycopg.sql import SQL, Identifier

from tests.mcp.shop import Shop

CASES = {
    "no address": (
        ("--http", "here"), {}, "", "--http here: write HOST:PORT, such as 127.0.0.1:8000",
    ),
    "a port too large": (("--http", "127.0.0.1:99999"), {}, "", "--http 127.0.0.1:99999: write"),
    "open to all": (("--http", "0.0.0.0:9"), {}, "", "other machines can reach this address"),
    "no tokens": (("--http", "[::1]:9", "--tokens", "none.json"), {}, "", "cannot read none.json"),
    "half a file": (("--http", "[::1]:9", "--tokens", "sqlc.yaml"), {}, "", "sqlc.yaml: JSON"),
    "no tenant": ((), {"SHOP_TENANT": None}, "", "SHOP_TENANT is not set, but `mcp.bind`"),
    "a tenant of another type": (
        (), {"SHOP_TENANT": "abc"}, "",
        (
            "the environment has a value that is not valid for `tenant_id` of `get_user`: "
            "Expected `int`"
        ),
    ),
    "no tenant in a token": (
        ("--http", "[::1]:9", "--tokens", "tokens.json"), {}, '": "1"|": "null"',
        "tokens.json: `one` has a value that is not valid for `tenant_id` of `get_user`: Expected",
    ),
    "no database": ((), {"SHOP_URL": None}, "", "SHOP_URL is not set, but `mcp.database`"),
    "nothing listens": (
        (), {"SHOP_URL": "postgresql://a:secret-word@127.0.0.1:1/x"}, "",
        "cannot connect to `mcp.database`",
    ),
    "not a URL": ((), {"SHOP_URL": "what"}, "", "cannot connect to `mcp.database`"),
    "a superuser": ((), {"SHOP_URL": "OWNER"}, "", "it is a superuser; `aiosqlc mcp"),
    "no queries": ((), {}, 'queries: ["*"]|', "`mcp` needs `queries`"),
    "an unknown query": ((), {}, 'queries: ["*"]|queries: [Nope]', "`queries` contains `Nope`"),
    "a masked column": ((), {}, "users.email|users.mail", "`mask` contains `users.mail`"),
    "a forbidden column": ((), {}, "users.secret|secret", "`secret` names no column"),
    "a write": ((), {}, "[PayOrder|[PayOrders", "`writes` contains `PayOrders`"),
    "a parameter": ((), {}, "tenant_id: S|tenant: S", "`bind` contains `tenant`"),
    "a limit": ((), {}, "max_rows: 20|max_rows: 0", "`max_rows` must be a whole number from 1 to"),
    "a key": ((), {}, "max_rows: 20|max_row: 20", "did you mean `max_rows`?"),
    "no section": ((), {}, "mcp:|options:", "the configuration has no section `mcp`"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "environ", "edit", "said"), CASES.values(), ids=CASES)
def test_a_mistake_is_one_sentence(
    options: tuple[str, ...],
    environ: dict[str, str | None],
    edit: str,
    said: str,
    shop: Shop,
    tmp_path: Path,
) -> None:
    old, _, new = edit.partition("|")
    for file in shop.folder.glob("*.*"):
        text = file.read_text()
        (tmp_path / file.name).write_text(text.replace(old, new) if old else text)
    here = Shop(tmp_path, shop.owner, shop.url)
    given = {
        name: (shop.owner if value == "OWNER" else value or "") for name, value in environ.items()
    }
    ended = here.command(*options, **given)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "secret-word" not in ended.stderr


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ("GRANT DELETE ON users TO {group}", "it may write to users;"),
        ("GRANT {owner} TO {group}", "it is a superuser;"),
        ("ALTER TABLE mails OWNER TO {group}", "it owns mails"),
    ],
)
def test_a_role_that_can_become_another_one_is_refused(right: str, said: str, shop: Shop) -> None:
    role = urlsplit(shop.url).username or ""
    group, owner = f"group_{secrets.token_hex(4)}", urlsplit(shop.owner).username or ""
    named = {"group": Identifier(group), "role": Identifier(role), "owner": Identifier(owner)}
    with psycopg.connect(shop.owner, autocommit=True) as connection:
        for text in (
            "CREATE ROLE {group}", "ALTER ROLE {role} NOINHERIT", "GRANT {group} TO {role}", right,
        ):  # fmt: skip
            connection.execute(SQL(text).format(**named))
        try:
            ended = shop.command()
        finally:
            for text in (
                "REASSIGN OWNED BY {group} TO {owner}", "DROP OWNED BY {group}",
                "DROP ROLE {group}", "ALTER ROLE {role} INHERIT",
            ):  # fmt: skip
                connection.execute(SQL(text).format(**named))
    assert ended.returncode == 2
    assert said in ended.stderr


@pytest.mark.parametrize("hint", [int | None, bool | None, UUID | None])
def test_a_bound_value_is_never_none(hint: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        from_setting("null", hint)


async def test_a_token_binds_a_parameter_of_any_name(tmp_path: Path) -> None:
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    given = [{"name": "one", "sha256": digest, "bind": {"class": "7"}}]
    (tmp_path / "tokens.json").write_text(json.dumps(given))
    found = await read_tokens(tmp_path / "tokens.json", ["class"]).verify_token("test")
    assert found is not None
    assert found.claims == {"bind": {"class_": "7"}}
