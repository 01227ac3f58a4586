"""The documentation names only existing links, headings, files, functions, modules and targets."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

from devstack.settings import ROOT

FOLDERS = ("docs", "codegen", "nginx", "observability", "deploy", "services")
PAGES = sorted(
    page
    for place in ("*.md", *(f"{folder}/**/*.md" for folder in FOLDERS))
    for page in ROOT.glob(place)
    if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)  # caches have some
)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
MENTION = re.compile(r"`([\w/.]+\.py):(\w+)`")
# What the pages of the compiler's manual call `migrations/` or `sql/` are folders of the reader's.
FILE = re.compile(
    r"`((?:lib|services|devstack|tools|codegen|tests|nginx|observability|deploy|docs|api)/[\w./*-]+)"
)
MODULE = re.compile(r"`((?:lib|services|devstack|tools|aiosqlc|observability)(?:\.\w+)+)")
# A setting of the editor's extension looks like a module.
SETTING = "aiosqlc.command"
# Made on a machine, never kept in the repository.
MADE = ("deploy/docker/secrets",)
MOST_WORDS = 1500
TARGET = re.compile(r"(?:`|^|&& )(?:\w+=\S+ )*make ([a-z][a-z-]+)", re.MULTILINE)


SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/__main__.py"))


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text())


def headings(page: Path) -> set[str]:
    """Return the anchors of the headings in rendered Markdown."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


def defines(file: str, name: str) -> bool:
    place = ROOT / "codegen" / "src" if file.startswith("aiosqlc/") else ROOT
    text = (place / file).read_text()
    given = rf"^((async def|def|class) {name}\b|{name}: .*Callable.* = )"
    return re.search(given, text, re.MULTILINE) is not None


def exists(dotted: str) -> bool:
    """Return whether a name is a module, or is defined in one."""
    try:
        resolve_name(dotted)
    except (ImportError, AttributeError):
        return False
    return True


@EVERY_PAGE
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(page):
    broken = []
    for file, anchor in LINK.findall(prose(page)):
        to = (page.parent / file) if file else page
        if not to.exists() or (anchor and to.suffix == ".md" and anchor not in headings(to)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


@EVERY_PAGE
def test_every_function_that_is_named_is_there(page):
    missing = [f"{file}:{name}" for file, name in MENTION.findall(page.read_text())
               if not defines(file, name)]  # fmt: skip
    assert missing == []


@EVERY_PAGE
def test_every_file_that_is_named_is_there(page):
    # docs/asvs.md names tests from there; the compiler's pages name files of its folder.
    places = (ROOT, page.parent, ROOT / "tests", ROOT / "codegen")
    missing = [
        file
        for file in FILE.findall(prose(page))
        if not file.startswith(MADE)
        and not any(list(place.glob(file.rstrip("/."))) for place in places)
    ]
    assert missing == []


@EVERY_PAGE
def test_every_module_that_is_named_is_there(page):
    named = [name for name in MODULE.findall(prose(page)) if name != SETTING]
    assert [name for name in named if not exists(name)] == []


@EVERY_PAGE
def test_every_make_target_that_is_named_exists(page):
    own = [ROOT / "codegen"] if page.is_relative_to(ROOT / "codegen") else []
    makefiles = [(folder / "Makefile").read_text() for folder in (ROOT, *own)]
    targets = set(re.findall(r"^([a-z][a-z0-9%-]*):", "\n".join(makefiles), re.MULTILINE))
    named = set(TARGET.findall(page.read_text()))
    assert {name for name in named if name not in targets and not name.startswith("dev-")} == set()


def test_a_reader_who_begins_with_the_readme_can_reach_every_page():
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        linked = {(page.parent / file).resolve() for file, _ in LINK.findall(prose(page)) if file}
        ahead += (to for to in linked if to.suffix == ".md" and to not in reached)
    pages = {page for page in PAGES if "tests" not in page.parts}  # not golden files
    assert pages - reached == set()


def sections() -> dict[str, set[Path]]:
    """Return the pages to which each section of the platform's index links."""
    index = ROOT / "docs" / "README.md"
    parts = re.split(r"^## (.+)$", index.read_text(), flags=re.MULTILINE)[1:]
    return {
        title: {(index.parent / file).resolve() for file, _ in LINK.findall(text) if file}
        for title, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_index_has_five_sections_and_each_page_is_in_one_of_them():
    found = sections()
    assert list(found) == ["Start", "Adopt", "Build a service", "Operate", "Reference"]
    pages = {page for page in (ROOT / "docs").glob("*.md") if page.name != "README.md"}
    listed = [page for linked in found.values() for page in linked]
    assert pages - set(listed) == set()
    assert [page.name for page in pages if listed.count(page) > 1] == []


@pytest.mark.parametrize("section", ["Start", "Adopt", "Build a service", "Operate"])
def test_a_page_to_read_has_no_more_than_1500_words(section):
    # A page of reference is looked into, not read. Commands are not words to read either.
    words = {page.name: len(prose(page).split()) for page in sections()[section]}
    assert {name: count for name, count in words.items() if count > MOST_WORDS} == {}


def test_the_page_on_the_first_cloud_names_what_the_roll_out_requires():
    page = (ROOT / "docs" / "first-cloud.md").read_text()
    script = (ROOT / "deploy" / "ecs" / "roll-out.sh").read_text()
    required = set(re.findall(r"\$\{(\w+):\?\}", script))
    assert len(required) >= 10
    assert {name for name in required if f"{name}=" not in page} == set()


def test_every_key_of_the_secret_is_on_the_page_about_ecs():
    page = (ROOT / "docs" / "ecs.md").read_text()
    keys = {
        re.sub(rf"^({'|'.join(SERVICES)})_(?=(owner_)?(database|redis|events)_)", "<svc>_", key)
        for file in (ROOT / "deploy" / "ecs").glob("**/*.json")
        for key in re.findall(r"\$\{SECRETS_ARN\}:(\w+)::", file.read_text())
    }
    assert keys >= {"csrf", "<svc>_database_url"}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_every_decision_is_in_the_list():
    listed = {file for file, _ in LINK.findall((ROOT / "docs/adr/README.md").read_text())}
    assert listed == {page.name for page in Path(ROOT, "docs/adr").glob("0*.md")}


@EVERY_PAGE
def test_no_line_of_prose_is_longer_than_140_characters(page):
    # A row of a table is one line, whatever it holds; what is generated is not wrapped.
    lines = [] if page.name in ("CHANGELOG.md", "settings.md") else prose(page).splitlines()
    assert [x for x in lines if len(x) > 140 and not x.lstrip().startswith(("|", "<"))] == []


@pytest.mark.parametrize(
    "pattern",
    ["object pool", "singleton", "factory", "adapter", "decorator", "middleware", "worker pool",
     "external configuration", "errgroup"],
)  # fmt: skip
def test_a_pattern_of_the_older_systems_is_shown_at_a_definition(pattern):
    """`test_every_function_that_is_named_is_there` finds the definition."""
    rows = (ROOT / "docs" / "patterns.md").read_text().splitlines()
    (row,) = (row for row in rows if row.startswith(f"| {pattern} |"))
    assert MENTION.search(row)


def names(text: str) -> set[str]:
    """Return the text in code spans."""
    return set(re.findall(r"`([\w-]+)`", text))


def entry(page: str, subject: str) -> str:
    """Return the entry of a list that starts with a subject, with its further lines."""
    (found,) = re.findall(rf"^- {subject}.*(?:\n  .+)*", page, re.MULTILINE)
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_of_a_service_names_its_tables_topics_and_decisions(service):
    readme = (ROOT / "services" / service / "README.md").read_text()
    schema = (ROOT / "docs" / "schema.md").read_text().split(f"\n## {service}\n")[1]
    tables = re.findall(r"^### `(\w+)`", schema.split("\n## ")[0], re.MULTILINE)
    assert names(entry(readme, "Tables")) == set(tables)
    topics: dict[str, set[str]] = {"publishes": set(), "consumes": set()}
    for topic, publisher, rows in re.findall(
        r"^## `([\w-]+)`, published by (\w+)$(.*?)(?=^## |\Z)",
        (ROOT / "docs" / "events.md").read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        if publisher == service:
            topics["publishes"].add(topic)
        if re.search(rf"\| [^|]*\b{service}\b[^|]* \|$", rows, re.MULTILINE):
            topics["consumes"].add(topic)
    listed = {verb: names(entry(readme, f"Topics that the service {verb}")) for verb in topics}
    assert listed == topics
    about = {page.name for page in Path(ROOT, "docs/adr").glob("0*.md")
             if service in page.stem.split("-")}  # fmt: skip
    linked = {Path(file).name for file, _ in LINK.findall(entry(readme, "Decisions"))}
    assert linked - {"README.md"} >= about
    assert linked - {"README.md"}
