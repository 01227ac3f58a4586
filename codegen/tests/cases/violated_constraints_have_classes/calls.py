"""What the generated functions must raise on a real server."""

import sys

import asyncpg
import pytest


async def run(db, queries):
    errors = sys.modules[queries.__package__ + ".errors"]
    await queries.add_customer(db, id=1, email="a@b", age=20)
    with pytest.raises(errors.CustomerEmailKey) as caught:
        await queries.add_customer(db, id=2, email="a@b", age=20)
    assert isinstance(caught.value, asyncpg.UniqueViolationError)
    assert caught.value.detail == "Key (email)=(a@b) already exists."
    with pytest.raises(errors.CustomerPkey):
        await queries.add_customer(db, id=1, email="c@d", age=20)
    with pytest.raises(errors.CustomerAgeCheck):
        await queries.add_customer(db, id=3, email="c@d", age=7)
    with pytest.raises(errors.PurchaseCustomerIdFkey):
        await queries.add_purchase(db, id=1, customer_id=9)
    with pytest.raises(errors.PurchaseCustomerIdNotNull) as caught:
        await queries.add_purchase(db, id=1, customer_id=None)
    assert isinstance(caught.value, asyncpg.NotNullViolationError)
    assert caught.value.column_name == "customer_id"
    with pytest.raises(errors.CustomerEmailIsNotNull):
        await queries.add_email(db, is_="x")
    with pytest.raises(errors.CustomerEmailIsNotNull2):
        await queries.add_email(db, is_=None)
    await queries.add_purchase(db, id=1, customer_id=1)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await queries.remove_customer(db, id=1)
