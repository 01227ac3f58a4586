"""A browser signs in at an identity provider and returns to the page of the gateway."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from devstack.embedded.ports import free_port
from devstack.testing.components import program
from lib.http.server import serve_app
from services.user import app as user_app
from services.user.config import UserConfig
from tests.conftest import NewDatabase
from tests.ops.gateways import gateway_before
from tests.services.user.played_provider import CLIENT, SECRET, Provider, playing

pytestmark = pytest.mark.browser
START = """async ([path, body]) => {
  const csrf = document.cookie.match(/__Host-csrf_token=([^;]*)/);
  const answer = await fetch(`/api/users/v1/${path}/start`, {
    method: "POST", body: JSON.stringify(body), headers: {
      "Content-Type": "application/json", ...(csrf ? { "X-CSRF-Token": csrf[1] } : {}) },
  });
  const { data } = await answer.json();
  return data.url;
}"""


@dataclass
class Place:
    """A gateway in front of the user service, and a provider on another site."""

    url: str
    provider: Provider


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    path = program("chromium", "chromium-browser", "google-chrome")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        yield await browser.new_page()
        await browser.close()


@pytest.fixture
async def place(new_database: NewDatabase, run_dir: Path, tmp_path: Path) -> AsyncIterator[Place]:
    port, database = free_port(), await new_database("user")
    async with playing() as provider, gateway_before(run_dir, [port]) as nginx:
        # Another site than ours for a browser, which looks at hosts and not at ports.
        provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")
        config = UserConfig(
            _env_file=None,
            database_url=database,
            mail_folder=tmp_path,
            public_url=nginx.settings.gateway_url,
            oidc_providers=f"one={provider.issuer}?client_id={CLIENT}&email=verified",
            oidc_client_secrets=f"one:{SECRET}",
            drain_seconds=2,
        )
        async with serve_app(user_app.create_app(config), config, port=port):
            yield Place(nginx.settings.gateway_url, provider)


async def begin(page: Page, place: Place, path: str, return_to: str) -> None:
    """Act as an application's button on a page of the gateway."""
    await page.goto(f"{place.url}/sign-in/one")
    await expect(page.get_by_role("status")).to_contain_text("Start again")
    url = await page.evaluate(START, [path, {"return_to": return_to}])
    await page.goto(url)


async def test_a_browser_comes_back_signed_in_and_links_another_user(
    page: Page, place: Place
) -> None:
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda m: broken.append(m.text) if "Content Security" in m.text else None)
    await begin(page, place, "auth/identity-providers/one", "/healthz?signed=in")
    await page.wait_for_url(f"{place.url}/healthz?signed=in")
    names = {cookie["name"] for cookie in await page.context.cookies()}
    assert {"__Host-access_token", "__Host-csrf_token", "__Host-device_token"} <= names
    assert "__Host-identity_request" not in names
    place.provider.user |= {"sub": "5678", "email": "other@example.com"}
    await begin(page, place, "users/me/identities/one", "/healthz?linked=1")
    await page.wait_for_url(f"{place.url}/healthz?linked=1")
    await page.goto(f"{place.url}/api/users/v1/users/me/identities")
    listed = json.loads(await page.locator("body").inner_text())
    assert len(listed["data"]) == 2
    assert broken == []
    # The code is in no entry of the browser's history.
    devtools = await page.context.new_cdp_session(page)
    visited = (await devtools.send("Page.getNavigationHistory"))["entries"]
    assert len(visited) > 3
    assert not [entry["url"] for entry in visited if "code=" in entry["url"]]


async def test_a_browser_that_did_not_start_gets_the_reason(page: Page, place: Place) -> None:
    await begin(page, place, "auth/identity-providers/one", "/healthz")
    await page.wait_for_url(f"{place.url}/healthz")
    await page.context.clear_cookies()
    for query, said in (
        (f"code=c&state={'s' * 43}", "was not started in this browser"),
        (f"code=c&state=link.{'s' * 43}", "was not started in this browser"),
        ("error=access_denied&error_description=Call+0900", "You were not signed in. Start again."),
    ):
        await page.goto(f"{place.url}/sign-in/one?{query}")
        await expect(page.get_by_role("status")).to_contain_text(said)
        assert page.url == f"{place.url}/sign-in/one"
    place.provider.user |= {"sub": "5678"}
    await begin(page, place, "auth/identity-providers/one", "/healthz")
    await expect(page.get_by_role("status")).to_contain_text("an account has this email address")
