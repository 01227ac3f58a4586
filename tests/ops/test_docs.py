"""The documentation names what exists: links lead somewhere, every `file:name` is in the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services._stack.settings import ROOT

PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "codegen" / "README.md")
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")
MENTION = re.compile(r"`([\w/.]+\.py):(\w+)`")
TARGET = re.compile(r"`make ([a-z][a-z-]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page):
    broken = [to for to in LINK.findall(page.read_text()) if not (page.parent / to).exists()]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_function_that_is_named_is_there(page):
    missing = [
        f"{file}:{name}"
        for file, name in MENTION.findall(page.read_text())
        if not re.search(
            rf"^(async def|def|class) {name}\b", (ROOT / file).read_text(), re.MULTILINE
        )
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_is_named_exists(page):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z0-9%-]*):", makefile, re.MULTILINE))
    named = set(TARGET.findall(page.read_text()))
    assert {name for name in named if name not in targets and not name.startswith("dev-")} == set()


def test_every_decision_is_in_the_list():
    listed = set(LINK.findall((ROOT / "docs/adr/README.md").read_text()))
    assert listed == {page.name for page in Path(ROOT, "docs/adr").glob("0*.md")}
