"""The documentation site in a real browser: no errors, no external files, no wide pages."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.projects import ran
from tests.servers.programs import program
from tools.site import list_versions

ROOT = Path(__file__).parents[1]
BROWSER_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
pytestmark = pytest.mark.browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site with its newest version, strictly: a broken link fails."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "tools.site", "0.10.0", str(out)]
    done = ran(*command, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (out / "0.9.0").mkdir()
    (out / "0.9.0" / "index.html").write_text("<link rel=icon href=data:,><title>older</title>")
    (out / "0.9.0" / "sitemap.xml").write_text("<urlset></urlset>")
    list_versions(out)
    return out / "0.10.0"


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{folder.name}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = program("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(BROWSER_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    host = urljoin(site, "/")
    page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith(host) else None)
    page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    yield page
    page.close()
    assert wrong == [], "an error, or something from another host"


@pytest.mark.long
def test_every_page_fits_a_telephone_and_every_link_leads_somewhere(page: Page, site: str) -> None:
    waiting, seen = [site], {site}
    anchors: dict[str, set[str]] = {}
    wanted: set[tuple[str, str]] = set()
    while waiting:
        url = waiting.pop()
        page.goto(url)
        found = page.evaluate(
            """() => ({
                wide: document.documentElement.scrollWidth,
                ids: [...document.querySelectorAll('[id]')].map(e => e.id),
                links: [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href')),
            })"""
        )
        assert found["wide"] <= 360, f"{url} is {found['wide']} wide"
        anchors[url] = set(found["ids"])
        for link in found["links"]:
            target, anchor = urldefrag(urljoin(url, link))
            target = site if target in {f"{site}index.html", f"{site}."} else target
            if not target.startswith(site):
                continue  # a link for people to follow
            if anchor:
                wanted.add((target, anchor))
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    assert len(seen) > 15
    assert [item for item in wanted if item[1] not in anchors[item[0]]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_as_light_or_dark_as_the_reader_wants(page: Page, site: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(f"{site}queries.html")
    expect(page.locator("body")).to_have_attribute(
        "data-md-color-scheme", "slate" if scheme == "dark" else "default"
    )
    if pictures := os.environ.get("SITE_PICTURES"):
        page.screenshot(path=f"{pictures}/telephone-{scheme}.png")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.screenshot(path=f"{pictures}/desk-{scheme}.png")


def test_it_is_searched_by_keyboard_alone(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(site)
    page.keyboard.press("/")
    expect(page.locator("input.md-search__input")).to_be_focused()
    page.keyboard.type("directives")
    # What is found is listed anew with every letter, and the list hears keys a little later.
    first = page.locator(".md-search-result__item a").first
    expect(first).to_have_attribute("href", re.compile("h=directives$"), timeout=20_000)
    focused = page.locator(".md-search-result__item a:focus")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
        if focused.count():
            break
        page.wait_for_timeout(100)
    expect(focused).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}*.html?h=*directive*")
    page.goto(site)
    page.keyboard.press("Tab")
    expect(page.locator("a.md-skip")).to_be_focused()


def test_a_reader_can_go_to_another_version(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(urljoin(site, "/"))
    page.wait_for_url(f"{site}index.html")
    menu = page.locator(".md-version")
    expect(menu.locator(".md-version__current")).to_have_text("0.10.0")
    menu.locator(".md-version__current").focus()
    expect(menu.locator(".md-version__link")).to_have_text(["0.10.0", "0.9.0"])
    menu.get_by_text("0.9.0").click()
    page.wait_for_url("**/0.9.0/**")
    assert page.title() == "older"


def test_code_in_tables_is_shown_as_it_is_meant(folder: Path) -> None:
    assert "<code>Row | None</code>" in (folder / "queries.html").read_text()
    assert [path.name for path in folder.glob("*.html") if r"\|</" in path.read_text()] == []
