"""Every cURL command of docs/curl gets the status that the page states."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pyotp
import pytest

from devstack.settings import ROOT, plural_of
from tests.e2e import people
from tests.e2e.conftest import Stack
from tests.e2e.curling import Shell, later
from tests.e2e.identity_provider import NAME, IdentityProvider
from tests.services.user.drawings import picture
from tests.services.user.software_key import SoftwareKey
from tools import curl_page

Open = Callable[[str], Shell]
# Services whose page has a test of its own; all others have one resource.
SEVERAL = {"catalog", "chat", "order", "product", "user"}
PAGES = [path.stem for path in (ROOT / "docs" / "curl").glob("[a-z]*.md")]
PLAIN = sorted(set(PAGES) - SEVERAL)
VERIFICATION = "Account verification"
NEXT = "Harbours-under-8-lanterns"


@dataclass(frozen=True)
class Person:
    """A user with a verified address, and their token."""

    address: str
    token: str
    id: str


@pytest.fixture
def page(stack: Stack, tmp_path: Path) -> Open:
    """Return a function that opens the page of a service."""
    return lambda service: Shell(service, stack.url, tmp_path)


@pytest.fixture
def admin(stack: Stack) -> str:
    return stack.authorized()["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def new(stack: Stack) -> Callable[..., Person]:
    """Return a function that registers a customer or a provider and verifies the address."""

    def made(kind: str = "customer") -> Person:
        address = people.register(stack, kind)
        people.prove(stack, address)
        token = people.sign_in(stack, address)
        status, answer = people.ask(stack, "GET", "users/me", token=token)
        assert status == 200
        return Person(address, token, answer["data"]["id"])

    return made


@pytest.mark.parametrize("name", PLAIN)
def test_every_command_of_a_page_with_one_resource_succeeds(
    page: Open, admin: str, name: str
) -> None:
    run = page(name)
    run(f"add_{name}", admin, curl_page.variable(plural_of(name), "id"))
    run(f"list_{plural_of(name)}")
    run(f"get_{name}")
    run(f"change_{name}", admin)
    run(f"remove_{name}", admin)
    run.all_executed()


def test_every_command_of_the_product_page_succeeds(page: Open, admin: str) -> None:
    run = page("product")
    run("add_product", admin, "PRODUCT_ID")
    for operation in ("list_products", "get_product", "change_product", "list_prices"):
        run(operation, admin)
    run("list_movements", admin)
    run("get_product")
    run("remove_product", admin)
    run.all_executed()


def test_every_command_of_the_catalog_page_succeeds(page: Open, admin: str, new) -> None:
    run, provider = page("catalog"), new("provider")
    run("add_category_type", admin, "CATEGORY_TYPE_ID", "TYPE_ID")
    run("add_category", admin, "CATEGORY_ID")
    run("add_subcategory", admin, "SUBCATEGORY_ID")
    run("add_service", admin, "SERVICE_ID")
    for one, several in (
        ("category_type", "category_types"), ("category", "categories"),
        ("subcategory", "subcategories"), ("service", "services"),
    ):  # fmt: skip
        run(f"list_{several}")
        run(f"get_{one}")
        run(f"change_{one}", admin)
    run("list_categories_of_category_type")
    run("list_subcategories_of_category_type")
    run("list_subcategories_of_category")
    run("list_services_of_subcategory")
    run("add_my_service", provider.token)
    run("list_my_services", provider.token)
    run("get_my_service", provider.token)
    run("remove_my_service", provider.token)
    run("add_provider_service", provider.token, PROVIDER_ID=provider.id)
    run("list_provider_services")
    run("get_provider_service")
    run("list_providers_of_service")
    run("remove_provider_service", provider.token)
    for one in ("service", "subcategory", "category", "category_type"):
        run(f"remove_{one}", admin)
    run.all_executed()


def first(page: Open, service: str, operation: str) -> str:
    """Return the ID of the first item of a list."""
    return page(service)(operation)[0]["id"]


def offer(run: Shell, page: Open, customer: Person, provider: Person) -> None:
    """Create an order, and an offer on it."""
    times = {"TIME_START": later(hours=24), "TIME_END": later(hours=32)}
    service = first(page, "catalog", "list_services")
    names = ("SERVICE_ORDER_ID", "ORDER_ID")
    run("add_service_order", customer.token, *names, SERVICE_ID=service, **times)
    currency = first(page, "order", "list_currencies")
    more = {"CURRENCY_ID": currency, "BOOK_TIME": later(hours=26)}
    run("make_offer", provider.token, "OFFER_ID", **more)


def test_every_command_of_the_order_page_succeeds(page: Open, admin: str, new) -> None:
    run, customer, provider = page("order"), new(), new("provider")
    _places(run, admin, provider, new("provider"))
    offer(run, page, customer, provider)
    _offers(run, customer, provider)
    run("get_offer", customer.token)
    run("accept_offer", customer.token, "JOB_ID")
    offer(run, page, customer, provider)
    run("get_offer", customer.token)
    done = run.variables["JOB_ID"]
    run("add_job", customer.token, "JOB_ID")
    _jobs(run, admin, customer, provider)
    _reviews(run, customer, provider, done)
    _goods(run, page("product"), admin, customer)
    run.all_executed()


def _places(run: Shell, admin: str, provider: Person, other: Person) -> None:
    run("add_currency", admin, "CURRENCY_ID")
    run("list_currencies")
    run("get_currency")
    run("change_currency", admin)
    run("remove_currency", admin)
    run("add_city", admin, "CITY_ID")
    run("list_cities")
    run("get_city")
    run("change_city", admin)
    run("add_my_location", provider.token)
    run("get_my_location", provider.token)
    run("change_my_location", provider.token)
    run("add_provider_location", admin, PROVIDER_ID=other.id)
    run("get_provider_location", admin)
    run("change_provider_location", admin)
    run("list_nearest_providers", provider.token)
    run("list_providers_of_city", provider.token)
    kept = run.variables["CITY_ID"]
    city = run.variables["CITY_ID"] = first_of_cities(run, kept)
    run("change_my_location", provider.token, CITY_ID=city)
    run("change_provider_location", admin)
    run("remove_city", admin, CITY_ID=kept)


def first_of_cities(run: Shell, without: str) -> str:
    """Return another city for the workplace of a provider."""
    return next(one["id"] for one in run("list_cities") if one["id"] != without)


def _offers(run: Shell, customer: Person, provider: Person) -> None:
    run("list_service_orders", provider.token)
    run("get_service_order", customer.token)
    run("list_offers_on_service_order", customer.token)
    run("list_my_service_orders_as_customer", customer.token)
    run("list_service_orders_of_customer", customer.token, CUSTOMER_ID=customer.id)
    run("list_my_offers_as_provider", provider.token)
    run("list_offers_of_provider", provider.token, PROVIDER_ID=provider.id)
    run("change_offer", provider.token)
    run("remove_offer", provider.token)
    run("change_service_order", customer.token)
    run("make_offer", provider.token, "OFFER_ID")
    kept = {name: run.variables[name] for name in ("SERVICE_ORDER_ID", "ORDER_ID")}
    run("add_service_order", customer.token, "SERVICE_ORDER_ID")
    run("remove_service_order", customer.token)
    run.variables |= kept


def _jobs(run: Shell, admin: str, customer: Person, provider: Person) -> None:
    run("list_jobs", customer.token)
    run("get_job", customer.token)
    run("list_my_jobs_as_provider", provider.token)
    run("list_jobs_of_provider", provider.token)
    run("list_my_jobs_as_customer", customer.token)
    run("list_jobs_of_customer", customer.token)
    run("change_job", customer.token)
    run("remove_job", admin)


def _reviews(run: Shell, customer: Person, provider: Person, job: str) -> None:
    complete(run, job, customer, provider)
    run("add_review", customer.token, "REVIEW_ID", JOB_ID=job)
    run("get_review")
    run("change_review", customer.token)
    run("list_my_reviews_as_provider", provider.token)
    run("list_reviews_of_provider")
    run("list_my_reviews_as_customer", customer.token)
    run("list_reviews_of_customer", customer.token)
    run("remove_review", customer.token)


def complete(run: Shell, job: str, customer: Person, provider: Person) -> None:
    """Complete a job, by two changes that no command of the page makes."""
    for who, status in ((provider, "IN_PROGRESS"), (customer, "COMPLETED")):
        run.ask("PATCH", f"orders/v1/jobs/{job}", {"status": status}, who.token)


def _goods(run: Shell, products: Shell, admin: str, customer: Person) -> None:
    product = products("add_product", admin)["id"]
    products.ask(
        "PATCH", f"products/v1/products/{product}", {"stock": 9}, admin, products.variables["ETAG"]
    )
    run("place_order", customer.token, "ORDER_ID", PRODUCT_ID=product)
    run("list_orders", customer.token)
    run("get_order", customer.token)
    run("change_order", customer.token)
    run("place_order", customer.token, "ORDER_ID")
    run("get_order", customer.token)
    run("change_order_2", customer.token)
    run("get_order", admin)
    run("remove_order", admin)


def test_every_command_of_the_chat_page_succeeds(page: Open, new) -> None:  # with chat
    run, customer, provider = page("chat"), new(), new("provider")
    orders = page("order")
    offer(orders, page, customer, provider)
    orders("get_offer", customer.token)
    orders("accept_offer", customer.token, "JOB_ID")
    run.variables["CHANNEL_ID"] = channel_of(run, customer, orders.variables["JOB_ID"])
    run("get_channel", customer.token)
    run("send_message", customer.token, "MESSAGE_ID")
    run("list_messages", provider.token)
    run("mark_read", provider.token)
    run("block_channel", customer.token)
    run("unblock_channel", customer.token)
    run.all_executed()


def channel_of(run: Shell, customer: Person, job: str, within: float = 60) -> str:  # with chat
    """Return the channel of a job, after the job's event has opened it."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for one in run("list_channels", customer.token):
            if one["subject_id"] == job:
                return one["id"]
    raise AssertionError(f"no channel of {job}")


def test_every_command_of_the_user_page_succeeds(
    page: Open, stack: Stack, admin: str, new, identity_provider: IdentityProvider
) -> None:
    run = page("user")
    run.variables |= {"PHONE": "+4930123456", "PASSWORD": people.PASSWORD, "NEW_PASSWORD": NEXT}
    address = _registration(run, stack)
    _sessions(run)
    _passwords(run, stack, address)
    _second_factors(run, stack, admin, new)
    _identities(run, identity_provider, new())
    _applications(run, admin, new)
    _accounts(run, admin, new)
    _pictures(run, new())
    _roles(run, admin, new())
    run("list_audit", admin)
    entry = run("list_audit", admin)[0]["id"]
    run("get_audit", admin, AUDIT_ID=entry)
    run.all_executed()


def token_of(link: str) -> str:
    """Return the token in the link of an email."""
    return link.partition("token=")[2]


def unused() -> dict[str, str]:
    """Return an unused address, and an unused provider's number."""
    return {
        "EMAIL": f"ann-{uuid4().hex[:8]}@example.com",
        "PERSONAL_ID": f"{uuid4().int % 10**11:011}",
    }


def _registration(run: Shell, stack: Stack) -> str:
    run("register_provider", **unused())
    run("register_customer", **unused())
    run("resend_verification")
    run("resend_verification_2")
    address = run.variables["EMAIL"]
    run("verify", MAIL_TOKEN=token_of(people.link_to(stack, address, VERIFICATION)))
    _, undo = people.move(stack, people.register(stack))
    run("undo_email", MAIL_TOKEN=token_of(undo))
    return address


def _sessions(run: Shell) -> None:
    run("log_in")
    session = run("log_in")
    run("refresh", REFRESH_TOKEN=session["refresh_token"])
    other = [one for one in run("list_sessions", session["access_token"]) if not one["current"]]
    run("end_session", SESSION_ID=other[0]["id"])
    run("log_out", REFRESH_TOKEN=run("log_in")["refresh_token"])
    run("log_out_everywhere", run("log_in")["access_token"])
    run("jwks")


def _passwords(run: Shell, stack: Stack, address: str) -> None:
    for operation in ("change_password", "change_password_2", "change_password_3"):
        run(operation, run("log_in")["access_token"])
        old, new = run.variables["PASSWORD"], run.variables["NEW_PASSWORD"]
        run.variables |= {"PASSWORD": new, "NEW_PASSWORD": old}
    run("forgot_password")
    run("reset_password", MAIL_TOKEN=token_of(people.link_to(stack, address, "Password reset")))


def _second_factors(run: Shell, stack: Stack, admin: str, new: Callable[..., Person]) -> None:
    person = new()
    secret = run("begin_totp", person.token)["secret"]
    run("confirm_totp", CODE=pyotp.TOTP(secret).at(int(time.time())))
    run("overview")
    run("recovery_codes")
    # A code works once: the next one is good already.
    again = people.sign_in(stack, person.address)
    run("show", again, CODE=pyotp.TOTP(secret).at(int(time.time()) + 30))
    key = SoftwareKey(stack.url)
    options = run("begin_passkey", person.token)
    run("add_passkey", CREDENTIAL=json.dumps(key.create(options)))
    run("ask_passkey")
    run("remove_passkey", PASSKEY_ID=key.id.hex())
    run("remove_totp")
    other = new()
    secret = run("begin_totp", other.token)["secret"]
    run("confirm_totp", CODE=pyotp.TOTP(secret).at(int(time.time())))
    run("remove_all_of", admin, USER_ID=other.id)


def _identities(run: Shell, provider: IdentityProvider, person: Person) -> None:
    run.variables |= {"IDENTITY_PROVIDER_NAME": NAME, "IDENTITY_NAME": NAME}
    run("list_identity_providers")
    jar = {"JAR": str(run.folder / "cookies")}  # of the browser
    for start, finish, token in (
        ("start_provider_sign_in", "sign_in_with_provider", ""),
        ("start_identity_link", "link_identity", person.token),
    ):
        back = provider.authorize(run(start, token, **jar)["url"])
        given = {"PROVIDER_CODE": back["code"], "STATE": back["state"]}
        run(finish, token, **given)
    run.variables.pop("JAR")
    identity = run("list_identities", person.token)[0]["id"]
    run("unlink_identity", IDENTITY_ID=identity)


def _applications(run: Shell, admin: str, new: Callable[..., Person]) -> None:
    person = new()
    run("ask", person.token, **unused())
    run("get")
    run("list_requests", admin)
    run("decide", PROVIDER_REQUEST_ID=person.id)


def _accounts(run: Shell, admin: str, new: Callable[..., Person]) -> None:
    run("add_user", admin, **unused())
    run("list_users")
    person = new()
    run("export_user", person.token)
    run("get_user", USER_ID=person.id)
    run("get_user_2")
    run("get_points")
    run("get_profile", PROFILE_ID=person.id)
    run("get_profile_2")
    for operation in ("change_user", "change_user_2", "change_user_3"):
        run(operation, **unused())
    run("deactivate_user", admin)
    run("activate_user")
    for operation in ("delete_user", "delete_user_2"):
        person = new()
        run(operation, person.token, USER_ID=person.id)


def _pictures(run: Shell, person: Person) -> None:
    file = run.folder / "me.png"
    file.write_bytes(picture())
    who = {"USER_ID": person.id, "PICTURE": f"{file};type=image/png"}
    for operation in ("put_picture", "put_picture_2", "put_picture_3"):
        run(operation, person.token, **who)
    link = urlsplit(run("get_user")["picture_url"])
    signed = {name.upper(): value for name, (value,) in parse_qs(link.query).items()}
    run("get_file", PFP_KEY=link.path.rpartition("/")[2], **signed)
    run("remove_picture")


def _roles(run: Shell, admin: str, person: Person) -> None:
    run("add_permission", admin, PERMISSION_NAME="reports:read")
    run("create_role", ROLE_NAME="REVIEWER")
    for operation in ("list_permissions", "list_roles", "get_role", "put_role"):
        run(operation)
    run("assign_role", USER_ID=person.id)
    run.ask("PUT", f"users/v1/users/{person.id}/role", {"role": "CUSTOMER"}, admin)
    run("delete_role")
    run("remove_permission")
