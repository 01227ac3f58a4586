"""gRPC between user and point over TLS, with certificates of the test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr, ValidationError

from devstack.testing.tls import Authority
from lib.errors import AppError, StartError
from lib.ids import new_id
from services.order.config import OrderConfig
from services.point.config import PointConfig
from services.user.config import UserConfig
from services.user.points_client import open_points
from tests.services.running import points_reader, running_point

PLAIN = SecretStr("postgresql://x/y")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def user(port: int, **settings: Any) -> UserConfig:
    return UserConfig(
        _env_file=None,
        database_url=PLAIN,
        point_grpc_address=f"localhost:{port}",
        points_seconds=30,
        **settings,
    )


async def ask(config: UserConfig) -> None:
    async with open_points(config, points_reader(), registry=CollectorRegistry()) as points:
        await points.of_users([new_id()])


def server(pair: Path, **more: Path) -> dict[str, Path]:
    return {"grpc_tls_certificate": pair, "grpc_tls_key": pair, **more}


async def test_points_are_asked_for_over_tls_and_not_in_the_clear(new_database, authority) -> None:
    tls = server(authority.signed())
    async with running_point(await new_database("point"), **tls) as point:
        await ask(user(point.grpc_port, point_grpc_tls_ca=authority.file))
        with pytest.raises(AppError):
            await ask(user(point.grpc_port))


async def test_a_server_of_another_authority_or_name_is_not_believed(
    new_database, authority, tmp_path
) -> None:
    database = await new_database("point")
    for pair in (authority.signed("elsewhere"), Authority(tmp_path, "other").signed()):
        async with running_point(database, **server(pair)) as point:
            with pytest.raises(AppError):
                await ask(user(point.grpc_port, point_grpc_tls_ca=authority.file))


async def test_where_the_server_asks_who_calls_only_those_with_a_certificate_are_heard(
    new_database, authority, tmp_path
) -> None:
    stranger = Authority(tmp_path, "stranger").signed("stranger")
    ours = authority.signed("user")
    tls = server(authority.signed(), grpc_tls_client_ca=authority.file)
    async with running_point(await new_database("point"), **tls) as point:
        for pair in (None, stranger):
            own = {"point_grpc_tls_certificate": pair, "point_grpc_tls_key": pair}
            with pytest.raises(AppError):
                await ask(user(point.grpc_port, point_grpc_tls_ca=authority.file, **own))
        own = {"point_grpc_tls_certificate": ours, "point_grpc_tls_key": ours}
        await ask(user(point.grpc_port, point_grpc_tls_ca=authority.file, **own))


async def test_a_renewed_certificate_is_shown_without_a_restart(new_database, authority) -> None:
    pair = authority.signed(days=-1)
    async with running_point(await new_database("point"), **server(pair)) as point:
        config = user(point.grpc_port, point_grpc_tls_ca=authority.file)
        with pytest.raises(AppError):
            await ask(config)
        renewed = authority.signed().read_bytes()
        pair.with_suffix(".new").write_bytes(renewed)
        pair.with_suffix(".new").replace(pair)
        await ask(config)


async def test_a_file_that_is_not_there_is_told_before_anything_listens(
    new_database, tmp_path
) -> None:
    tls = server(tmp_path / "nothing.pem")
    with pytest.raises(StartError, match=r"nothing\.pem cannot be read"):
        async with running_point(await new_database("point"), **tls):
            pass


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        (PointConfig, {"grpc_tls_certificate": "a.pem"}),
        (PointConfig, {"grpc_tls_key": "a.pem"}),
        (PointConfig, {"grpc_tls_client_ca": "a.pem"}),
        (UserConfig, {"point_grpc_tls_ca": "a.pem", "point_grpc_tls_key": "a.pem"}),
        (UserConfig, {"point_grpc_tls_key": "a.pem", "point_grpc_tls_certificate": "a.pem"}),
    ],
)
def test_half_a_setting_is_refused(spec, given) -> None:
    with pytest.raises(ValidationError, match="TLS_C"):
        spec(_env_file=None, database_url=PLAIN, **given)


PRODUCTION = {"environment": "production", "public_url": "https://shop.example.com"}


@pytest.mark.parametrize(
    ("spec", "name", "elsewhere", "near"),
    [
        (OrderConfig, "user_url", "http://users.example.com", "http://user:8081"),
        (OrderConfig, "product_url", "http://9.9.9.9:8084", "http://10.0.0.7:8084"),
        (OrderConfig, "catalog_url", "http://c.example.com", "https://c.example.com"),
        (UserConfig, "order_url", "http://orders.example.com", "http://order:8082"),
        (UserConfig, "chat_url", "http://9.9.9.9:8086", "http://chat.local:8086"),  # with chat
        (UserConfig, "point_grpc_address", "points.example.com:50051", "point:50051"),
    ],
)
def test_in_production_nothing_goes_in_the_clear_to_another_network(
    spec, name, elsewhere, near
) -> None:
    def refused(url: str) -> bool:
        with pytest.raises(ValidationError) as caught:  # Secrets are missing in any case.
            spec(_env_file=None, database_url=PLAIN, **{**PRODUCTION, name: url})
        return "unless the host is in a private network" in str(caught.value)

    assert refused(elsewhere)
    assert not refused(near)
