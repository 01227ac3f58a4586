"""Register users.

A new user can log in at once, and gets an email to verify the address.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lib.db import Database, Executor
from lib.events import publish
from lib.ids import new_id
from lib.resource.rules import change_errors, conflict
from services.user.model.account import NewCustomer, NewProvider, check_names
from services.user.model.common_passwords import check_password
from services.user.passwords import Passwords
from services.user.personal_ids import PersonalIds
from services.user.service import audit
from services.user.service.counting import counted
from services.user.service.events import TOPIC, UserRegistered
from services.user.service.providers import keep_number
from services.user.service.throttle import Limits
from services.user.store import accounts, addresses, mail
from services.user.store.models import Account, AccountRole

EMAIL_TAKEN: Final = "email already exists"


async def register_customer(
    db: Database, passwords: Passwords, new: NewCustomer, limits: Limits
) -> Account:
    """Add a customer.

    Raises:
        AppError: CONFLICT if the address is in use in any letter case; VALIDATION_ERROR for invalid
            names and for a password that is easy to guess; RATE_LIMIT_EXCEEDED after too many
            attempts with one address or by one client, because each attempt may email a stranger.
    """
    names, password_hash = await _checked(db, passwords, new, limits)
    async with db.transaction() as tx:
        return await _add(tx, new, names, password_hash, AccountRole.CUSTOMER)


async def register_provider(
    db: Database,
    passwords: Passwords,
    personal_ids: PersonalIds,
    new: NewProvider,
    limits: Limits,
) -> Account:
    """Create a provider and their encrypted personal ID in one transaction.

    Raises:
        AppError: as for customers; CONFLICT also if another account has the personal ID.
    """
    names, password_hash = await _checked(db, passwords, new, limits)
    async with db.transaction() as tx:
        account = await _add(tx, new, names, password_hash, AccountRole.PROVIDER)
        await keep_number(tx, personal_ids, account.id, new.personal_id_number)
    return account


async def _checked(
    db: Database, passwords: Passwords, new: NewCustomer, limits: Limits
) -> tuple[dict[str, str], str]:
    """Check a registration. Return the names in stored form and the hash of the password."""
    names = check_names(first_name=new.first_name, last_name=new.last_name)
    check_password("password", new.password, new.email, *names.values())
    async with counted(db, limits.of("register", new.email)):
        return names, await passwords.hash(new.password)


async def _add(
    tx: Executor, new: NewCustomer, names: dict[str, str], password_hash: str, role: AccountRole
) -> Account:
    account = await add_unverified(
        tx,
        email=new.email,
        phone_number=new.phone_number,
        names=names,
        password_hash=password_hash,
        role=role,
    )
    await ask_to_verify(tx, account)
    return account


async def add_unverified(
    tx: Executor,
    *,
    email: str,
    phone_number: str | None,
    names: dict[str, str],
    password_hash: str,
    role: AccountRole,
    **how: str,
) -> Account:
    """Add the account of a new user, and an entry in the audit trail with the details `how`.

    Raises:
        AppError: CONFLICT if the address is in use in any letter case.
    """
    account_id = new_id()
    with change_errors(taken=EMAIL_TAKEN):
        account = await accounts.add_account(
            tx,
            id=account_id,
            email=email,
            phone_number=phone_number,
            password_hash=password_hash,
            role=role,
            created_by=str(account_id),
            **names,
        )
    await check_free(tx, email, account_id)
    await audit.record(tx, "account.registered", account_id, actor=account_id, role=role, **how)
    await publish(
        tx,
        topic=TOPIC,
        key=str(account_id),
        kind="user.registered",
        payload=UserRegistered(account_id, role),
    )
    return account


async def ask_to_verify(tx: Executor, account: Account) -> None:
    """Email the link that verifies the address of a new account."""
    await mail.add_mail(
        tx, id=new_id(), template="verify_email", account_id=account.id, recipient=account.email
    )


async def check_free(tx: Executor, email: str, account_id: UUID) -> None:
    """Refuse an address that another account had less than a week ago and can still restore.

    Call this function after the address was written: a concurrent transaction that frees this
    address has ended by then.

    Raises:
        AppError: CONFLICT, with the message for an address that is in use.
    """
    if await addresses.is_kept_address(tx, email=email, account_id=account_id):
        raise conflict(EMAIL_TAKEN)
