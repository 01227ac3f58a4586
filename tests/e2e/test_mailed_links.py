"""What people meet who follow the links in our mails, in a real browser."""

from __future__ import annotations

import email
import email.policy
import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Stack

pytestmark = pytest.mark.browser
FIRST, SECOND = "Lanterns-over-9-harbours", "Harbours-under-9-lanterns"


def post(stack: Stack, path: str, **body: str) -> int:
    """Ask the user service; return the status."""
    request = urllib.request.Request(
        f"{stack.url}/api/users/v1/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as refused:
        return refused.code


def link_to(stack: Stack, address: str, subject: str, within: float = 90) -> str:
    """The link in somebody's mail, once that has arrived."""
    folder = Path(stack.environ["RUN_DIR"]) / "mail"
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for path in folder.glob("*.eml"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            text = mail.get_body(("plain",)) if mail["To"] == address else None
            if text and mail["Subject"] == subject:
                return re.search(r"https?://\S+token=\S+", text.get_content())[0]
        time.sleep(0.05)
    raise AssertionError(f"no mail {subject!r} to {address}")


def opened(page: Page, link: str) -> list[str]:
    """Follow a link in a page of nobody; return the list that what goes wrong there is added to."""
    broken: list[str] = []
    page.goto("about:blank")
    page.context.clear_cookies()
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda m: broken.append(m.text) if "Content Security" in m.text else None)
    page.goto(link)
    return broken


@pytest.fixture
def address(stack: Stack) -> str:
    """The address of somebody who has just registered."""
    made = f"ann-{uuid4().hex[:8]}@example.com"
    status = post(
        stack, "auth/register/customer", email=made, password=FIRST, first_name="Ann",
        last_name="Link", phone_number="+4930123456",
    )  # fmt: skip
    assert status == 201
    return made


def test_the_link_to_verify_asks_first_and_says_what_came_of_it(stack, page, address):
    link = link_to(stack, address, "Account verification")
    assert link.startswith(stack.url)
    for said in ("Thank you, your address is confirmed.", "The link was used before"):
        broken = opened(page, link)
        assert page.url == f"{stack.url}/verify-email", "the token stays in nobody's history"
        page.get_by_role("button").click()
        expect(page.get_by_role("status")).to_contain_text(said)
        expect(page.get_by_role("button")).to_be_hidden()
        assert broken == []


def test_the_link_to_reset_sets_a_password_that_opens_the_account(stack, page, address):
    assert post(stack, "auth/password/forgot", email=address) == 204
    link = link_to(stack, address, "Password reset")
    broken = opened(page, link)
    assert page.url == f"{stack.url}/reset-password"
    said, button = page.get_by_role("status"), page.get_by_role("button")
    new, again = page.get_by_label("New password"), page.get_by_label("The same again")
    for first, second, complaint in (
        (SECOND, FIRST, "The two are not the same."),
        ("password1", "password1", "New password is among those"),  # the service's own words
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
    assert post(stack, "auth/login", email=address, password=FIRST) == 401
    assert post(stack, "auth/login", email=address, password=SECOND) == 200


_SEND = """async ([path, body]) => (await fetch(`/api/users/v1/auth/${path}`, {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
})).status"""


def test_a_link_works_for_whoever_is_signed_in_and_for_no_other_site(stack, page, address):
    """The browser sends the cookies of the session; without what the page adds it is refused."""
    link = link_to(stack, address, "Account verification")
    opened(page, f"{stack.url}/verify-email")
    me = {"email": address, "password": FIRST}
    assert page.evaluate(_SEND, ["login", me]) == 200
    assert "__Host-csrf_token" in {cookie["name"] for cookie in page.context.cookies()}
    token = link.partition("token=")[2]
    assert page.evaluate(_SEND, ["verify", {"token": token}]) == 403, "without the CSRF token"
    page.goto("about:blank")
    page.goto(link)
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you, your address is confirmed.")


@pytest.mark.parametrize("path", ["/reset-password", "/verify-email"])
def test_a_page_without_its_link_says_so(stack, page, path):
    broken = opened(page, f"{stack.url}{path}")
    expect(page.get_by_role("status")).to_contain_text("needs the link from your mail")
    expect(page.get_by_role("button")).to_be_hidden()
    assert broken == []


def test_a_link_that_is_none_is_refused_in_plain_words(stack, page):
    opened(page, f"{stack.url}/verify-email#token={'x' * 43}")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("The link is not valid")
