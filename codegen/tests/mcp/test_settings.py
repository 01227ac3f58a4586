"""A mistake in the settings is reported in one sentence, before a client is served."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mcp.shop import Shop

CASES = {
    "no address": (
        ("--http", "here"), {}, "", "--http here: write HOST:PORT, such as 127.0.0.1:8000",
    ),
    "a port too large": (("--http", "127.0.0.1:99999"), {}, "", "--http 127.0.0.1:99999: write"),
    "open to all": (("--http", "0.0.0.0:9"), {}, "", "other machines reach it: add --tokens"),
    "no tokens": (("--http", "[::1]:9", "--tokens", "none.json"), {}, "", "cannot read none.json"),
    "half a file": (("--http", "[::1]:9", "--tokens", "sqlc.yaml"), {}, "", "sqlc.yaml: JSON"),
    "no tenant": ((), {"SHOP_TENANT": None}, "", "SHOP_TENANT is not set: `mcp.bind` needs it"),
    "no database": ((), {"SHOP_URL": None}, "", "SHOP_URL is not set: `mcp.database` needs it"),
    "nothing listens": (
        (), {"SHOP_URL": "postgresql://a:secret-word@127.0.0.1:1/x"}, "",
        "cannot connect to `mcp.database`",
    ),
    "not a URL": ((), {"SHOP_URL": "what"}, "", "cannot connect to `mcp.database`"),
    "a superuser": ((), {"SHOP_URL": "OWNER"}, "", "it is a superuser; `aiosqlc mcp"),
    "no queries": ((), {}, 'queries: ["*"]|', "`mcp` needs `queries`"),
    "an unknown query": ((), {}, 'queries: ["*"]|queries: [Nope]', "`queries` names `Nope`"),
    "a masked column": ((), {}, "users.email|users.mail", "`mask` names `users.mail`"),
    "a forbidden column": ((), {}, "users.secret|secret", "`secret` names no column"),
    "a write": ((), {}, "[PayOrder|[PayOrders", "`writes` names `PayOrders`"),
    "a parameter": ((), {}, "tenant_id: S|tenant: S", "`bind` names `tenant`"),
    "a limit": ((), {}, "max_rows: 20|max_rows: 0", "`max_rows` is a whole number from 1 to"),
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
