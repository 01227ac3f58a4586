"""Swagger UI at the gateway in a real browser: it lists the services, authorises and executes."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("service", "operation", "holds", "is_public"),
    [
        ("department", "/departments", "IT Support", True),
        ("user", "/users", "Ian Malcolm", False),
    ],
)
def test_swagger_ui_executes_a_request_through_the_gateway(
    stack, page, service, operation, holds, is_public
):
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("request", lambda r: broken.append(r.url) if not local(r.url, stack.url) else None)
    page.goto(f"{stack.url}/docs/")
    page.locator("select#select").select_option(label=service)
    expect(page.locator(".info .title")).to_contain_text(service)
    block = page.locator(".opblock-get").filter(
        has=page.locator(f'.opblock-summary-path[data-path="{operation}"]')
    )
    block.locator(".opblock-summary").click()
    block.locator(".try-out__btn").click()
    block.locator("button.execute").click()
    live = block.locator(".live-responses-table .response").first
    expect(live.locator(".response-col_status")).to_contain_text("200" if is_public else "401")
    authorize(page, stack.authorized()["Authorization"])
    block.locator("button.execute").click()
    expect(live.locator(".response-col_status")).to_contain_text("200")
    body = json.loads(live.locator(".response-col_description pre.microlight").first.inner_text())
    assert body["success"] is True
    assert holds in json.dumps(body)
    assert broken == [], "scripts failed, or something was fetched from elsewhere"


def authorize(page: Page, header: str) -> None:
    """Use the Authorize button as a person does."""
    page.locator(".auth-wrapper button.authorize").click()
    dialog = page.locator(".dialog-ux")
    dialog.locator("input").fill(header)
    dialog.locator("button.authorize").click()
    dialog.locator("button.btn-done").click()


def local(url: str, base: str) -> bool:
    return url.startswith((base, "data:", "blob:"))
