"""The page of the schema is what the migrations make."""

from __future__ import annotations

from tools import schema_page


def test_the_page_is_what_the_migrations_make(postgres_server):
    assert schema_page.PAGE.read_text() == schema_page.page(postgres_server.create)
