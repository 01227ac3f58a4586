"""Configuration: typed, with all problems in one message, and without secrets in messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from lib.config import ConfigError, Environment, LogLevel, PostgresSettings, load


class ShopConfig(PostgresSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")

    port: int = 8099
    api_key: SecretStr = SecretStr("for development only")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ENVIRONMENT", "HOST", "LOG_LEVEL", "SHOP_DATABASE_URL", "SHOP_PORT"):
        monkeypatch.delenv(name, raising=False)


URL = "postgresql://shop:hunter2@127.0.0.1/shop"


def test_values_come_typed_from_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL", URL)
    monkeypatch.setenv("SHOP_PORT", "81")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")
    config = load(ShopConfig)
    assert (config.port, config.log_level) == (81, LogLevel.WARNING)
    assert config.cors_origins == ("https://a.example", "https://b.example")


def test_a_dotenv_file_fills_what_the_environment_leaves_open(monkeypatch) -> None:
    Path(".env").write_text(f"SHOP_DATABASE_URL={URL}\nSHOP_PORT=1\n")
    monkeypatch.setenv("SHOP_PORT", "2")
    config = load(ShopConfig)
    assert (config.port, config.database_url.get_secret_value()) == (2, URL)


def test_all_problems_are_in_one_message_by_the_names_of_their_variables(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_PORT", "eighty")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(ConfigError) as caught:
        load(ShopConfig)
    message = str(caught.value)
    assert "SHOP_DATABASE_URL: is not set" in message
    assert "SHOP_PORT: " in message
    assert "LOG_LEVEL: " in message


def test_no_message_repeats_a_value(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL", "mysql://shop:hunter2@127.0.0.1/shop")
    with pytest.raises(ConfigError) as caught:
        load(ShopConfig)
    assert "must start with postgresql://" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_configuration_does_not_show_its_secrets(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL", URL)
    assert "hunter2" not in repr(load(ShopConfig))


def test_in_production_a_secret_has_no_default(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL", URL)
    assert load(ShopConfig).environment is Environment.DEVELOPMENT
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(ConfigError, match="SHOP_API_KEY"):
        load(ShopConfig)
    monkeypatch.setenv("SHOP_API_KEY", "k")
    assert load(ShopConfig).environment is Environment.PRODUCTION


def test_a_configuration_cannot_be_changed(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL", URL)
    with pytest.raises(ValueError, match="frozen"):
        load(ShopConfig).port = 1


def test_replicas_are_of_the_same_engine_and_in_production_their_secret_is_set(monkeypatch) -> None:
    monkeypatch.setenv("SHOP_DATABASE_URL", URL)
    monkeypatch.setenv("SHOP_API_KEY", "k")
    monkeypatch.setenv("ENVIRONMENT", "production")
    assert load(ShopConfig).db_replica_urls == ()
    monkeypatch.setenv("SHOP_DB_REPLICA_URLS", "postgresql://a/x,postgresql://b/x")
    with pytest.raises(ConfigError, match="SHOP_DB_REPLICA_SECRET"):
        load(ShopConfig)
    monkeypatch.setenv("SHOP_DB_REPLICA_SECRET", "hunter2")
    assert len(load(ShopConfig).db_replica_urls) == 2
    monkeypatch.setenv("SHOP_DB_REPLICA_URLS", "mysql://a/x")
    with pytest.raises(ConfigError, match="SHOP_DB_REPLICA_URLS: must start with postgresql://"):
        load(ShopConfig)
