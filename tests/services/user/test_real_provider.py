"""Sign in with a real OpenID provider: oidc-provider, which is certified, on Node.js."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import aiohttp
import pytest

from devstack.settings import ROOT
from devstack.testing.components import program
from tests.conftest import NewDatabase
from tests.services.user.at_provider import LINKS, Browser
from tests.services.user.played_provider import CLIENT, SECRET
from tests.services.user.test_second_factor import enrol, next_code, refreshed, show
from tests.services.user.world import World, bearer, running_world

SOURCE = Path(__file__).parent / "openid_provider"
INSTALLED = ROOT / ".cache" / "openid-provider"
REDIRECT = "https://shop.example.com/sign-in/real"
SECONDS = 300


def install() -> None:
    """Install the packages of the lock file, unless they are installed."""
    lock, done = SOURCE / "package-lock.json", INSTALLED / ".installed"
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in (".npmrc", "package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(SOURCE / name, INSTALLED / name)
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        # No package may run a script of its own while it is installed.
        command = (program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        subprocess.run(command, cwd=INSTALLED, check=True, capture_output=True, timeout=SECONDS)
        shutil.copy(lock, done)


@contextmanager
def serving() -> Iterator[str]:
    """Run the provider; yield its issuer, which it prints when it listens."""
    command = (program("node"), "provider.mjs", CLIENT, SECRET, REDIRECT)
    with subprocess.Popen(
        command, cwd=INSTALLED, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    program("node")
    install()
    with serving() as issuer:
        yield issuer


@pytest.fixture
async def world(new_database: NewDatabase, tmp_path: Path, issuer: str) -> AsyncIterator[World]:
    settings = {
        "oidc_providers": f"real={issuer}?client_id={CLIENT}&email=verified",
        "oidc_client_secrets": f"real:{SECRET}",
        "public_url": "https://shop.example.com",
    }
    async with running_world(await new_database("user"), tmp_path, **settings) as world:
        yield world


async def authorize(url: str, login: str) -> dict[str, str]:
    """Sign in and consent on the provider's pages; return the query of its redirect."""
    jar = aiohttp.CookieJar(unsafe=True)  # of an IP address
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        form: dict[str, str] | None = None
        for _ in range(10):
            method = "GET" if form is None else "POST"
            async with http.request(method, url, data=form, allow_redirects=False) as answer:
                text = await answer.text()
            if "Location" in answer.headers:
                url, form = urljoin(url, answer.headers["Location"]), None
                if url.startswith(REDIRECT):
                    return dict(parse_qsl(urlsplit(url).query))
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', text)
            assert prompt is not None, text
            form = {"prompt": prompt[1], "login": login, "password": "any"}
    raise AssertionError("it sent us round in a circle")


@pytest.mark.timeout(SECONDS * 2)
async def test_a_real_provider_signs_a_user_in_again_and_again(world: World) -> None:
    sessions = []
    for _ in range(2):
        browser = Browser(world)
        back = await authorize(await browser.start("real", return_to="/orders"), "ada")
        answer = await browser.finish(back, "real")
        assert answer.status == 200, answer.body
        sessions.append(answer.data)
    first, second = sessions
    assert (first["verified"], first["return_to"]) == (True, "/orders")
    assert first["user_id"] == second["user_id"]
    me = await world.call("GET", "/api/v1/users/me", headers=bearer(second))
    assert (me.data["email"], me.data["first_name"]) == ("ada@example.com", "Ada")


async def test_a_real_provider_links_its_user_and_the_second_factor_is_still_asked_for(
    world: World,
) -> None:
    owner, browser = await world.proved(), Browser(world)
    totp, _ = await enrol(world, owner)
    back = await authorize(await browser.start_link(owner, "real"), "bob")
    linked = await browser.post(f"{LINKS}/real", back, owner)
    assert linked.status == 201, linked.body
    answer = await browser.finish(await authorize(await browser.start("real"), "bob"), "real")
    session = answer.data
    assert (session["user_id"], session["second_factor_wanted"]) == (owner["user_id"], True)
    assert await show(world, session, code=next_code(totp)) == 204
    assert (await refreshed(world, session))["second_factor_wanted"] is False


async def test_a_real_provider_takes_a_code_from_the_browser_that_it_was_made_for(
    world: World,
) -> None:
    thief, victim = Browser(world), Browser(world)
    stolen = await authorize(await victim.start("real"), "carol")
    own = await authorize(await thief.start("real"), "mallory")
    assert (await thief.finish(own | {"code": stolen["code"]}, "real")).status == 401
    assert await world.db.fetchval("SELECT count(*) FROM account") == 0
    session = (await victim.finish(stolen, "real")).data
    me = await world.call("GET", "/api/v1/users/me", headers=bearer(session))
    assert me.data["email"] == "carol@example.com"


async def test_a_user_who_refuses_at_a_real_provider_brings_no_code(world: World) -> None:
    browser = Browser(world)
    url = await browser.start("real")
    back = await authorize(f"{url}&prompt=none", "dora")
    assert (back["error"], "code" in back) == ("login_required", False)
    refused = await browser.finish({"state": back["state"], "iss": back["iss"]}, "real")
    assert refused.status == 400, refused.body
    assert await world.db.fetchval("SELECT count(*) FROM account") == 0
