"""Passwords that are easy to guess are refused, and no others."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.user.model.common_passwords import is_common

ABOUT = ("ann.oneil@example.com", "Ann", "O'Neil")


@pytest.mark.parametrize(
    "password",
    [
        "password", "Password1", "PASSWORD!", "P@ssw0rd", "P@ssw0rd123", "pa$$word1",
        "passw0rd2024", "123password", "!password!", "letmein1", "Welcome1!", "welcome2024",
        "Summer2024", "iloveyou", "1loveyou", "trustno1", "football7", "changeme!",
        "administrator", "Adm1n1strat0r", "qwertyui", "Qwerty123", "12345678", "123456789012",
        "87654321", "abcd1234", "1q2w3e4r", "zxcvbnm,", "!@#$%^&*", "11112222", "aaa11111",
        "asdfghjkl", "qazwsxedc", "1qaz2wsx", "xxxxxxxx", "abababab", "passpass",
        "passwordpassword", "ann-oneil", "annoneil1", "O'Neil99", "ANN.ONEIL", "oneil2024",
    ],
)  # fmt: skip
def test_what_others_try_first_is_common(password: str) -> None:
    assert is_common(password, ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-7", "another-horse-8", "quite-Long-0", "tK7!mzq2", "first-password-1",
        "passwordless-travel", "dragonfly-hums-low", "summer-in-the-shed",
        "mypasswordisverylong", "anniversary-cake", "qwe-plum-river", "12-angry-horses",
        "annabel-lee-sleeps", "oneilburger", "river-stone-river-stone",
    ],
)  # fmt: skip
def test_what_only_begins_like_one_is_not(password: str) -> None:
    assert not is_common(password, ABOUT)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=128))
def test_any_password_is_judged_quickly(password: str) -> None:
    began = time.process_time()
    is_common(password, ABOUT)
    assert time.process_time() - began < 5  # not for minutes


def test_random_passwords_are_hardly_ever_common() -> None:
    import secrets

    assert sum(is_common(secrets.token_urlsafe(9), ABOUT) for _ in range(2_000)) == 0
