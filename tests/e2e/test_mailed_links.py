"""The pages of emailed links, in a real browser."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from playwright.sync_api import Page, expect

from lib.auth.opaque import digest
from tests.e2e.conftest import Stack
from tests.e2e.people import PASSWORD, link_to, move, post, register

pytestmark = pytest.mark.browser
SECOND = "Harbours-under-9-lanterns"


def opened(page: Page, link: str) -> list[str]:
    """Open a link in a page without a session; return the errors of the page."""
    broken: list[str] = []
    page.goto("about:blank")
    page.context.clear_cookies()
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda m: broken.append(m.text) if "Content Security" in m.text else None)
    page.goto(link)
    return broken


@pytest.fixture
def address(stack: Stack) -> str:
    """Return the address of a user who has just registered."""
    return register(stack)


def test_the_link_to_verify_asks_first_and_says_what_came_of_it(stack, page, address):
    link = link_to(stack, address, "Account verification")
    assert link.startswith(stack.url)
    for said in ("Thank you, your address is confirmed.", "The link was used before"):
        broken = opened(page, link)
        assert page.url == f"{stack.url}/verify-email", "the token does not stay in the history"
        page.get_by_label("Password of the account").fill(PASSWORD)
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text(said)
        expect(page.get_by_role("button")).to_be_hidden()
        assert broken == []


def test_the_page_to_verify_asks_for_the_password_and_names_the_way_out(stack, page, address):
    broken = opened(page, link_to(stack, address, "Account verification"))
    password, said = page.get_by_label("Password of the account"), page.get_by_role("status")
    page.get_by_role("button").click()
    assert password.evaluate("field => field.validity.valueMissing"), "nothing is sent without"
    password.fill(SECOND)
    page.get_by_role("button").click()
    expect(said).to_have_text(
        "Incorrect password; if you did not create this account, reset its password."
    )
    page.get_by_role("link", name="reset its password").click()
    expect(page).to_have_url(f"{stack.url}/forgot-password")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button").click()
    expect(said).to_contain_text("we have sent an email")
    expect(page.get_by_role("button")).to_be_hidden()
    assert broken == []
    assert link_to(stack, address, "Password reset").startswith(f"{stack.url}/reset-password#")


def test_the_link_to_reset_sets_a_password_that_opens_the_account(stack, page, address):
    assert post(stack, "auth/password/forgot", email=address) == 204
    link = link_to(stack, address, "Password reset")
    broken = opened(page, link)
    assert page.url == f"{stack.url}/reset-password"
    said, button = page.get_by_role("status"), page.get_by_role("button")
    new, again = page.get_by_label("New password"), page.get_by_label("The same again")
    for first, second, complaint in (
        (SECOND, PASSWORD, "The two are not the same."),
        ("password1", "password1", "New password is too common"),  # the service's own words
    ):
        new.fill(first)
        again.fill(second)
        button.click()
        expect(said).to_contain_text(complaint)
    new.fill(SECOND)
    again.fill(SECOND)
    button.click()
    expect(said).to_contain_text("The password is set.")
    assert broken == []
    assert post(stack, "auth/login", email=address, password=PASSWORD) == 401
    assert post(stack, "auth/login", email=address, password=SECOND) == 200


_SEND = """async ([path, body]) => (await fetch(`/api/users/v1/auth/${path}`, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
})).status"""


def test_a_link_works_for_a_signed_in_user_and_for_no_other_site(stack, page, address):
    """The browser sends the cookies of the session; without the page's header, they are refused."""
    link = link_to(stack, address, "Account verification")
    opened(page, f"{stack.url}/verify-email")
    me = {"email": address, "password": PASSWORD}
    assert page.evaluate(_SEND, ["login", me]) == 200
    assert "__Host-csrf_token" in {cookie["name"] for cookie in page.context.cookies()}
    token = link.partition("token=")[2]
    assert page.evaluate(_SEND, ["verify", {"token": token}]) == 403, "without the CSRF token"
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_label("Password of the account")).to_be_hidden()
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you, your address is confirmed.")


def test_a_session_of_another_account_is_asked_for_the_password(stack, page, address):
    opened(page, f"{stack.url}/verify-email")
    me = {"email": register(stack), "password": PASSWORD}
    assert page.evaluate(_SEND, ["login", me]) == 200
    page.goto("about:blank")
    page.goto(link_to(stack, address, "Account verification"))
    password = page.get_by_label("Password of the account")
    expect(password).to_be_hidden()
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Sign in on this device, or send")
    password.fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you, your address is confirmed.")


UNDONE = "The account has its former address again, and all its sessions have ended."


def expire(stack: Stack, token: str) -> None:
    """Make an emailed link expire."""

    async def end() -> None:
        sql = await asyncpg.connect(
            host="127.0.0.1", port=stack.port("POSTGRES_PORT"), user="postgres",
            password=(stack.secrets / "postgres").read_text(), database="user",
        )  # fmt: skip
        over = "UPDATE account_token SET expires_at = now() WHERE hash = $1"
        assert await sql.execute(over, digest(token)) == "UPDATE 1"
        await sql.close()

    with ThreadPoolExecutor(1) as pool:  # the browser's loop runs in this thread
        pool.submit(asyncio.run, end()).result()


def test_the_link_to_undo_gives_the_former_address_back_once(stack, page, address):
    moved, link = move(stack, address)
    assert link.startswith(stack.url)
    for said in (UNDONE, "The link was used before"):
        broken = opened(page, link)
        assert page.url == f"{stack.url}/undo-address", "the token does not stay in the history"
        assert post(stack, "auth/login", email=moved, password=PASSWORD) == (
            200 if said is UNDONE else 401
        ), "opening the link undoes nothing"
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text(said)
        expect(page.get_by_role("button")).to_be_hidden()
        assert broken == []
    link = link_to(stack, address, "Password reset")
    token = link.partition("token=")[2]
    assert post(stack, "auth/password/reset", token=token, new_password=SECOND) == 204
    assert post(stack, "auth/login", email=address, password=SECOND) == 200


def test_a_link_to_undo_whose_time_is_over_says_so_and_undoes_nothing(stack, page, address):
    moved, link = move(stack, address)
    expire(stack, link.partition("token=")[2])
    opened(page, link)
    page.get_by_role("button").click()
    said = page.get_by_role("status")
    expect(said).to_contain_text("The link is not valid, or its time is over.")
    # There is no way to ask for another one.
    expect(said).not_to_contain_text("Ask for a new mail")
    expect(page.get_by_role("button")).to_be_hidden()
    assert post(stack, "auth/login", email=moved, password=PASSWORD) == 200


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email", "/undo-address"])
def test_a_page_without_its_link_says_so(stack, page, path):
    broken = opened(page, f"{stack.url}{path}")
    expect(page.get_by_role("status")).to_contain_text("needs the link from your mail")
    expect(page.get_by_role("button")).to_be_hidden()
    assert broken == []


def test_a_link_that_is_none_is_refused_in_plain_words(stack, page):
    opened(page, f"{stack.url}/verify-email#token={'x' * 43}")
    page.get_by_label("Password of the account").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("The link is not valid")
