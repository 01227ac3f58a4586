"""Applications of customers to become providers, decided by a moderator."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.auth import Principal
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.resource.lists import CursorPageQuery, Extent, Walk, page_or_walk_of
from lib.resource.rules import or_not_found
from services.user.model.account import Decision
from services.user.personal_ids import PersonalIds
from services.user.service import accounts as people
from services.user.service import audit, sessions, standing
from services.user.service.providers import keep_number
from services.user.store import keyset, profiles
from services.user.store import provider_requests as store
from services.user.store.models import AccountRole, ProviderRequest, RequestStatus
from services.user.store.provider_requests import ListRequestsRow


async def ask(
    db: Database, principal: Principal, account_id: UUID, personal_ids: PersonalIds, number: str
) -> ProviderRequest:
    """Submit the caller's application, with the personal ID that providers must submit.

    Raises:
        AppError: CONFLICT if the caller is not a customer, an application is pending, or another
            account has the personal ID; FORBIDDEN.
    """
    async with db.transaction() as tx:
        person = await people.lock(tx, principal, account_id, None)
        if person.role is not AccountRole.CUSTOMER:
            raise AppError(Code.CONFLICT, "only customers can become providers")
        made = await store.ask_to_provide(tx, account_id=account_id)
        if made is None:
            raise AppError(Code.CONFLICT, "your application is already pending")
        await profiles.remove_provider(tx, account_id=account_id)
        await keep_number(tx, personal_ids, account_id, number)
        await audit.record(tx, "provider.requested", account_id)
    return made


async def get(db: Executor, account_id: UUID) -> ProviderRequest:
    """Return the provider application of an account. Raises AppError(NOT_FOUND)."""
    return or_not_found(await store.get_request(db, account_id=account_id), "request")


async def list_page(
    db: Executor, wanted: CursorPageQuery
) -> tuple[Sequence[ListRequestsRow], Extent]:
    """Return the page of pending applications that `wanted` selects, oldest application first."""
    return await page_or_walk_of(wanted, store.list_requests, Walk(store.walk_requests, keyset), db)


async def decide(db: Database, principal: Principal, account_id: UUID, given: Decision) -> None:
    """Approve or reject an application. An approval ends the sessions of the account.

    Raises:
        AppError: NOT_FOUND if no application is pending; FORBIDDEN; CONFLICT if the applicant's
            address is not verified, or if the applicant is not a customer any more.
    """
    async with db.transaction() as tx:
        await standing.check(tx, principal)
        person = await profiles.lock_person(tx, id=account_id)
        if person is not None:
            await people.check_rank(tx, principal, account_id, person.role)
        status = RequestStatus.APPROVED if given.approved else RequestStatus.DECLINED
        decided = person is not None and await store.decide(
            tx,
            account_id=account_id,
            status=status,
            reason=given.reason,
            decided_by=principal.subject,
        )
        if person is None or not decided:
            raise not_found("request")
        await audit.record(tx, f"provider.{status}", account_id)
        if not given.approved:
            await profiles.remove_provider(tx, account_id=account_id)
            return
        if person.role is not AccountRole.CUSTOMER:
            raise AppError(Code.CONFLICT, "only customers can become providers")
        role = AccountRole.PROVIDER
        await profiles.set_role(
            tx, id=account_id, role=role, custom_role=None, updated_by=principal.subject
        )
        await sessions.end_all(tx, account_id, because="role_changed")
        await people.publish_account_event(tx, "role_changed", account_id, role=role)
