"""The rules of accounts as values: names, addresses, passwords, keys and encrypted values."""

from __future__ import annotations

import base64
import unicodedata
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lib.auth import SigningKey
from lib.config import ConfigError, load
from lib.errors import AppError
from lib.events.signing import EventSigner
from lib.ids import new_id
from lib.mail import Mail
from services.user.config import UserConfig
from services.user.model.account import Email, NewPassword, Phone, check_names
from services.user.passwords import Passwords
from services.user.personal_ids import PersonalIds, UnreadableError, parse_keys, preview
from services.user.signing import read_signing_keys

KEY, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
ANN = UUID("01890000-0000-7000-8000-000000000001")


def accepts(kind: object, text: str) -> bool:
    try:
        msgspec.convert(text, kind)
    except msgspec.ValidationError:
        return False
    return True


@given(st.text(max_size=60))
def test_a_name_that_is_accepted_is_letters_and_what_stands_between_them(text: str) -> None:
    try:
        name = check_names(name=text)["name"]
    except AppError:
        return
    assert name == name.strip()
    assert all(unicodedata.category(c)[0] in "LM" or c in " -'\u2019" for c in name), ascii(name)
    assert check_names(name=name)["name"] == name


def test_every_bad_name_is_reported() -> None:
    with pytest.raises(AppError) as caught:
        check_names(first_name="R2", last_name="--", middle="Ann")
    assert {detail.field for detail in caught.value.details} == {"first_name", "last_name"}


@given(st.emails(domains=st.sampled_from(["example.com", "a.b.example"])) | st.text(max_size=40))
def test_a_mail_can_be_written_to_every_address_that_is_accepted(address: str) -> None:
    if accepts(Email, address):
        mail = Mail("1", address, "Hello", "text", "<p>text</p>").compose("shop@example.com")
        assert mail["To"] == address
        assert "\n" not in address


@given(st.text(max_size=140))
def test_a_password_that_is_accepted_is_8_to_128_visible_ascii_characters(text: str) -> None:
    visible = all("!" <= character <= "~" for character in text)
    assert accepts(NewPassword, text) == (visible and 8 <= len(text) <= 128)


@given(st.text(alphabet="0123456789+ \n٣", max_size=18))
def test_a_phone_number_is_7_to_15_digits_with_or_without_a_plus(text: str) -> None:
    digits = text.removeprefix("+")
    is_number = all("0" <= digit <= "9" for digit in digits)
    assert accepts(Phone, text) == (is_number and 7 <= len(digits) <= 15)


@given(st.text(alphabet="0123456789", min_size=5, max_size=32))
def test_a_personal_id_comes_back_and_shows_its_last_two_digits(number: str) -> None:
    ids = PersonalIds(parse_keys(f"first:{KEY}"))
    sealed = ids.encrypt(number, ANN)
    assert preview(number) == number[-2:]
    assert ids.decrypt(sealed.ciphertext, sealed.key_id, ANN) == number
    assert ids.encrypt(number, ANN).ciphertext != sealed.ciphertext


def test_an_older_key_still_reads_and_the_first_one_writes() -> None:
    former = PersonalIds(parse_keys(f"2025:{OTHER}")).encrypt("12345", ANN)
    ids = PersonalIds(parse_keys(f"2026:{KEY}, 2025:{OTHER}"))
    assert ids.decrypt(former.ciphertext, former.key_id, ANN) == "12345"
    assert ids.encrypt("12345", ANN).key_id == "2026"


@pytest.mark.parametrize("damage", ["bit", "short", "account", "key"])
def test_a_personal_id_that_was_changed_or_moved_is_not_read(damage: str) -> None:
    ids = PersonalIds(parse_keys(f"first:{KEY},second:{OTHER}"))
    sealed = ids.encrypt("12345", ANN)
    flipped = bytes([sealed.ciphertext[20] ^ 1])
    ciphertext = {
        "bit": sealed.ciphertext[:20] + flipped + sealed.ciphertext[21:],
        "short": sealed.ciphertext[:7],
    }.get(damage, sealed.ciphertext)
    account = new_id() if damage == "account" else ANN
    with pytest.raises(UnreadableError):
        ids.decrypt(ciphertext, "second" if damage == "key" else "first", account)
    with pytest.raises(UnreadableError, match="no key"):
        ids.decrypt(ciphertext, "gone", account)


@pytest.mark.parametrize(
    "text",
    ["", "nokey", f":{KEY}", "a:!!", "a:c2hvcnQ=", f"a:{KEY},a:{OTHER}"],
)
def test_encryption_keys_that_make_no_sense_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|entry") as caught:
        parse_keys(text)
    assert KEY not in str(caught.value)


def test_signing_keys_are_read_from_text_from_one_line_and_from_a_file(tmp_path) -> None:
    keys = [SigningKey.generate(), SigningKey.generate()]
    text = "".join(key.pem().decode() for key in keys)
    file = tmp_path / "keys.pem"
    file.write_text(text)
    for given_as in (text, text.replace("\n", "\\n"), str(file)):
        assert [key.kid for key in read_signing_keys(given_as)] == [key.kid for key in keys]


@pytest.mark.parametrize("text", ["/no/such/file", "x" * 5000, "-----BEGIN PRIVATE KEY-----"])
def test_what_holds_no_signing_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither|keys"):
        read_signing_keys(text)


async def test_a_password_is_verified_whatever_it_is_made_of() -> None:
    with Passwords(threads=2, memory_kib=64) as passwords:
        for password in ("abcdefghijklmnopqrstuvwxyz123456789", "пароль 🔑 密码", " "):
            stored = await passwords.hash(password)
            assert await passwords.verify(password, stored)
            assert not await passwords.verify(password + "x", stored)
        assert not await passwords.verify("x", None)
        assert not await passwords.verify("x", "not a hash")


def test_production_names_everything_that_is_missing_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # where no .env is
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("S3_BUCKET", "pictures")
    monkeypatch.setenv("S3_ACCESS_KEY", "half-of-a-pair")
    monkeypatch.setenv("CLOUDFRONT_PRIVATE_KEY", "/nowhere.pem")
    monkeypatch.setenv("USER_LOGIN_ATTEMPTS", "many")
    with pytest.raises(ConfigError) as caught:
        load(UserConfig)
    assert {line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]} == {
        "USER_DATABASE_URL",
        "USER_JWT_PRIVATE_KEYS",
        "USER_ENCRYPTION_KEYS",
        "USER_LOGIN_ATTEMPTS",
        "AUTH_CSRF_SECRET",
        "AUTH_ISSUER",
        "FILES_URL",
        "USER_UNDO_LINK",
        "USER_VERIFICATION_LINK",
        "USER_RESET_LINK",
        "SMTP_HOST",
        "S3_SECRET_KEY",
        "CLOUDFRONT_PRIVATE_KEY",
        "EVENTS_PUBLIC_KEYS",
        "EVENTS_SIGNING_KEY",
    }


def production(**given: object) -> UserConfig:
    """Return a production configuration with its own secrets and `given`."""
    secrets = {
        "database_url": "postgresql://db/user",
        "jwt_private_keys": SigningKey.generate().pem().decode(),
        "encryption_keys": f"first:{KEY}",
        "auth_csrf_secret": "x" * 40,
        "smtp_host": "mail.example.com",
        "files_folder": "/var/lib/files",
        "events_signing_key": KEY,
        "events_public_keys": f"order:{EventSigner.of(KEY).public}",
    }
    return UserConfig(_env_file=None, environment="production", **secrets | given)


def test_production_starts_with_secrets_and_an_address_of_its_own() -> None:
    assert production(public_url="https://shop.example.com").smtp_host


def test_every_address_we_hand_out_follows_from_one_setting() -> None:
    config = production(
        public_url="https://shop.example.com/", files_url="https://pictures.example.com"
    )
    assert config.auth_issuer == "https://shop.example.com"
    assert config.verification_link == "https://shop.example.com/verify-email#token={token}"
    assert config.reset_link == "https://shop.example.com/reset-password#token={token}"
    assert config.files_url == "https://pictures.example.com"  # said, so it does not follow


@pytest.mark.parametrize("wrong", ["shop.example.com", "ftp://shop", "https://", "https://x/#y"])
def test_a_public_url_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        production(public_url=wrong)


def test_in_production_pictures_go_where_somebody_said_they_last() -> None:
    kept = {"public_url": "https://shop.example.com", "files_folder": Path(".run/files")}
    with pytest.raises(ValidationError, match="set S3_BUCKET or a permanent FILES_FOLDER"):
        production(**kept)
    assert production(**kept, s3_bucket="b").s3_bucket  # its keys may be a role's
