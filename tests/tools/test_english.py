"""The check of the project's English."""

from __future__ import annotations

from collections import Counter

import pytest

from tools.english.check import above, area, findings, load
from tools.english.places import place
from tools.english.texts import Kind, Text, parts, read, sentences

CAUGHT = {
    "a metaphor in a page": ("docs/a.md", "Both doors answer.", "doors"),
    "a pronoun in a comment": ("lib/a.py", "x = 1  # nobody reads it", "nobody"),
    "a clause as the subject of a docstring": (
        "lib/a.py", '"""Whether it is done."""', "Whether",
    ),
    "a riddle in a message": (
        "lib/a.py", 'raise ValueError("this is no number of a port")', "is no",
    ),
    "a formatted message": ("lib/a.py", 'x = f"{y} was told about this"', "told"),
    "an identifier": ("lib/a.py", "class JobTold: ...", "told"),
    "the name of a test": ("tests/a.py", "def test_of_two_one_wins(): ...", "test_of_"),
    "a table without a header word": ("docs/a.md", "| port | what |", "what"),
    "a comment of the Makefile": ("Makefile", "run: ## make it anew", "anew"),
    "a summary of the API": (
        "api/swagger/a.yaml", "summary: Get one's own account", "one's own",
    ),
}  # fmt: skip
PASSED = {
    "code in a page": ("docs/a.md", "Read `JobTold` first."),
    "a block of code": ("docs/a.md", "```sh\ntell nobody\n```"),
    "a word inside a word": ("lib/a.py", "outdoors = retold = 1"),
    "there is no": ("docs/a.md", "There is no limit."),
    "a shell outside the platform": ("codegen/docs/a.md", "Run it in a shell."),
    "a query in a string": ("lib/a.py", 'x = "SELECT nobody FROM people WHERE a = 1"'),
    "a setting of a session": ("lib/a.py", 'x = "SET LOCAL whoever = nobody to tell"'),
    "an expression of Prometheus": ("lib/a.py", 'x = "sum by (nobody) (rate(whoever[1m] and b))"'),
    "an edge of a diagram": ("lib/a.py", 'x = "nobody -->|tells all| whoever or b"'),
    "a query in lower case": ("lib/a.py", 'x = "select nobody from whoever, told, b"'),
    "a list of names": ("lib/a.py", 'x = "nobody whoever told b".split()'),
    "names of functions": ("lib/a.py", 'x = "NOBODY WHOEVER TOLD B"'),
    "a regular expression": ("lib/a.py", 'x = "nobody told ([^,]+) or b"'),
    "a condition of Python": ("lib/a.py", 'x = "if nobody is not whoever and told:"'),
    "a line of Python": ("lib/a.py", 'x = "from nobody import whoever, told, b"'),
}


@pytest.mark.parametrize("case", CAUGHT)
def test_check_finds_the_private_word_in(case: str) -> None:
    path, source, word = CAUGHT[case]
    found = findings([(path, source)], load())
    assert word.lower() in [hit.lower() for _, hit, _ in found]


@pytest.mark.parametrize("case", PASSED)
def test_check_passes_over(case: str) -> None:
    assert list(findings([PASSED[case]], load())) == []


def test_check_refuses_a_count_above_its_allowance() -> None:
    counts = Counter({"docs": 3, "lib/db": 2})
    assert above(counts, {"docs": 3, "lib/db": 1}) == ["lib/db: 2 private words, 1 allowed"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("README.md", "."),
        ("lib/db/pool.py", "lib/db"),
        ("services/user/routes/a.py", "services/user"),
        ("codegen/src/aiosqlc/mysql/infer/a.py", "codegen/src/aiosqlc/mysql"),
    ],
)
def test_area_is_the_folder_of_a_part_of_the_project(path: str, name: str) -> None:
    assert area(path) == name


def test_sentences_end_at_a_full_stop_before_a_capital() -> None:
    assert sentences("Use `a.b` of 1.5. Then\nstop.") == ["Use `a.b` of 1.5.", "Then stop."]


def test_parts_splits_snake_and_camel_case() -> None:
    assert (parts("_job_toldTwice"), parts("HTTPDoor")) == (
        ["job", "told", "twice"], ["http", "door"],
    )  # fmt: skip


def test_python_texts_have_their_kind() -> None:
    source = '"""A module."""\nx: int\n"""A field of it."""\nprint("four words are enough")\n'
    kinds = [(text.kind, text.text) for text in read("a.py", source) if text.kind is not Kind.NAME]
    assert kinds == [
        (Kind.DOCSTRING, "A module."),
        (Kind.DOCSTRING, "A field of it."),
        (Kind.MESSAGE, "four words are enough"),
    ]


PLACES = {
    "a paragraph with its heading": (
        "a.md", 6, "Two.", "# Top\n\n## Ports\n\nOne.\nTwo.\n\nThree.\n",
        "## Ports\nOne.\nTwo.",
    ),
    "a row with the header of its table": (
        "a.md", 5, "taken",
        "# Ports\n\n| port | state |\n|---|---|\n| 80 | taken |\n| 81 |\n",
        "# Ports\n| port | state |\n| 80 | taken |",
    ),
    "a message from its function on": (
        "a.py", 3, "the port is taken", "x = 1\ndef f():\n    raise E('the port is taken')\n",
        "def f():\n    raise E('the port is taken')",
    ),
    "a description with the keys that lead to it": (
        "api/a.yaml", 0, "The port.", "definitions:\n  Port:\n    description: The port.\n",
        "definitions > Port > description: The port.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_place_shows(case: str) -> None:
    path, line, sentence, source, shown = PLACES[case]
    assert place(Text(Kind.DOCS, path, line, sentence), source) == shown
