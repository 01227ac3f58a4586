"""Passwords that attackers try first: common words, keyboard runs, repeats and the owner's name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lib.errors import FieldError, invalid

# What people choose most, by kind; with what they put before, behind and instead of letters (see
# `_words_in`) each stands for thousands.
_WORDS: Final = """
pass password passwords passphrase passwort motdepasse contrasena senha parola parol wachtwoord
haslo heslo passw passwd pwd mypassword yourpassword newpassword thepassword nopassword secret
topsecret mysecret geheim private letmein letmeinnow openup opensesame sesame access accessgranted
enter entrance login logon signin guest user username default changeme changeit changethis temp
temporary test tester testing testtest demo example sample admin administrator adminadmin root
rootroot toor super superuser superadmin sysadmin system master manager owner webmaster server
service backup database oracle mysql postgres redis ubuntu debian linux windows cisco router
security secure computer internet wifi network monitor desktop laptop welcome welcomeback hello
hellohello helloworld hallo bonjour hola ciao goodbye iloveyou iloveu ilove loveyou loveme lovely
lover love forever together always baby babygirl sweetheart honey darling sweet beautiful handsome
cutie angel angels heaven jesus christ god blessed faith trust trustno trustnoone freedom peace
happy happiness lucky sunshine rainbow flower butterfly princess prince queen king football soccer
baseball basketball hockey tennis golf golfer rugby cricket liverpool chelsea arsenal barcelona
realmadrid juventus manchester ronaldo messi jordan lakers yankees cowboys monkey dragon tiger
lion eagle falcon phoenix wolf panther cheese cookie banana orange apple chocolate pepper ginger
coffee whiskey summer winter spring autumn sommer herbst verano january february march april june
july august september october november december monday tuesday wednesday thursday friday saturday
sunday superman batman spiderman ironman pokemon pikachu naruto minecraft fortnite roblox starwars
matrix hunter killer ninja samurai warrior gandalf merlin wizard shadow ghost silver golden
diamond purple yellow black white thunder lightning storm nirvana metallica eminem mustang ferrari
porsche mercedes corvette camaro harley yamaha honda toyota samsung google facebook instagram
whatsapp linkedin twitter youtube amazon netflix adobe dropbox michael jennifer jessica charlie
thomas daniel robert matthew andrew joshua ashley nicole michelle amanda hannah maggie george
william anthony richard martin patrick steven maria anna alex london paris berlin moscow newyork
america canada mexico brasil germany france england whatever nothing something please thankyou
money dollar success winner student teacher school college company office business qwerty azerty
qwertz marketplace shop shopping market customer provider
"""
_COMMON: Final = frozenset(_WORDS.split())
_ROWS: Final = (
    "012345678901234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "`1234567890-=",
    "!@#$%^&*()_+",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujmik",
    "!qaz@wsx#edc$rfv",
    "159753",
    "741852963",
    "147258369",
)
_RUNS: Final = (*_ROWS, *(row[::-1] for row in _ROWS))
_INSTEAD: Final = str.maketrans("013457@$!|+", "oieastasilt")
_DECORATION: Final = re.compile(r"^[^a-z]+|[^a-z]+$")
_SHORTEST_RUN: Final = 3
_SHORTEST_NAME: Final = 3
_LONGEST_REPEATED: Final = 4
# This many digits and signs around a known word do not make it much harder to guess.
_DECORATED_BY: Final = 5
_MESSAGE: Final = "is too common: choose a less common password"


def check_password(field: str, password: str, *about: str) -> None:
    """Refuse a password that is easy to guess. `about` holds the owner's names.

    Raises:
        AppError: VALIDATION_ERROR for the field `field`.
    """
    if is_common(password, about):
        raise invalid(FieldError(field, _MESSAGE))


def is_common(password: str, about: Iterable[str] = ()) -> bool:
    """Return whether a password is a common word, a keyboard run, a repeat or the owner's name."""
    # A repeated word counts as the word itself.
    text = _once(password.lower())
    if len(text) <= _LONGEST_REPEATED or _is_made_of_runs(text):
        return True
    own = {word for name in about for word in _names_in(name)}
    return any(word in _COMMON or word in own for word in _words_in(text))


def _words_in(text: str) -> Iterable[str]:
    """Yield words that a password may contain.

    A few digits and signs around the word are removed. Others may stand for letters, as in `p@ss`.
    """
    for spelled in (text, text.translate(_INSTEAD)):
        word = _DECORATION.sub("", spelled)
        if len(text) - len(word) <= _DECORATED_BY:
            yield word
            yield re.sub(r"[^a-z]", "", word)
    # `P@ssw0rd123`: digits and signs around the word are removed before its letters are read.
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    if len(text) - len(bare) <= _DECORATED_BY:
        yield bare.translate(_INSTEAD)


def _names_in(text: str) -> Iterable[str]:
    """Return the words of a name, or of an email address before the `@`, and all words as one."""
    parts = re.split(r"[\W\d_]+", text.lower().partition("@")[0])
    return [name for name in (*parts, "".join(parts)) if len(name) >= _SHORTEST_NAME]


def _once(text: str) -> str:
    """Return the repeated unit, such as `ab` for `abababab`, or the whole text."""
    for length in range(1, len(text) // 2 + 1):
        if text == (text[:length] * len(text))[: len(text)]:
            return text[:length]
    return text


def _is_made_of_runs(text: str) -> bool:
    """Return whether the text is up to three keyboard runs, such as `12345678` or `qwerty123`."""
    at = pieces = 0
    while at < len(text):
        length = max(_run_at(text, at), _same_at(text, at))
        if length < _SHORTEST_RUN:
            return False
        at += length
        pieces += 1
    return pieces <= 3


def _run_at(text: str, at: int) -> int:
    """Return how many characters from `at` are adjacent keys of a keyboard row."""
    length = 0
    while at + length < len(text) and any(text[at : at + length + 1] in run for run in _RUNS):
        length += 1
    return length


def _same_at(text: str, at: int) -> int:
    rest = text[at:]
    return len(rest) - len(rest.lstrip(rest[0]))
