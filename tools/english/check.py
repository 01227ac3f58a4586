"""Find private words: `python -m tools.english.check [--show PATH] [--renew]`.

`words.toml` has the private words and their replacements. `allowed.json` has the allowed number of
private words in each area. A count above its allowance fails; `--renew` lowers the allowances and
never raises one.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from devstack.settings import ROOT
from tools.english.texts import Kind, Text, parts, read, without_code

HERE: Final = Path(__file__).parent
ALLOWED: Final = HERE / "allowed.json"
PROSE: Final = frozenset({Kind.DOCS, Kind.SUMMARY, Kind.MESSAGE, Kind.DOCSTRING, Kind.COMMENT})
_KINDS: Final = {
    "both": PROSE | {Kind.NAME},
    "prose": PROSE,
    "names": frozenset({Kind.NAME}),
    "identifiers": frozenset({Kind.NAME}),
    "docs": frozenset({Kind.DOCS}),
    "docstrings": frozenset({Kind.DOCSTRING}),
}
# Generated files, records of the past, and texts that are not ours.
SKIPPED: Final = re.compile(
    r"^CHANGELOG|_pb2|^sql/|(?<!aiosqlc)/store/|/(schema|settings|events|real-projects)\.md$"
    r"|^api/openapi/|^codegen/tests/cases/|^tools/english/|^tests/tools/test_english|^lib/pb/"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A private word.

    A `whole` pattern matches an identifier as it is written.
    """

    pattern: re.Pattern[str]
    use: str
    kinds: frozenset[Kind]
    whole: bool
    paths: tuple[str, ...]
    exempt: tuple[str, ...]

    def applies(self, text: Text) -> bool:
        """Return whether the word is not allowed in a text of this kind and path."""
        return (
            text.kind in self.kinds
            and text.path not in self.exempt
            and (not self.paths or text.path.startswith(self.paths))
        )

    def hits(self, text: str, *, name: bool) -> list[str]:
        """Return the parts of a text, or of an identifier, that match the word's pattern."""
        if name and not self.whole:
            return [part for part in parts(text) if self.pattern.fullmatch(part)]
        return [match[0] for match in self.pattern.finditer(text)]


def load(path: Path = HERE / "words.toml") -> list[Word]:
    """Read the list of words."""
    return [
        Word(
            re.compile(
                row["pattern"] if row["pattern"].startswith("^") else rf"\b(?:{row['pattern']})\b",
                re.IGNORECASE,
            ),
            row["use"],
            _KINDS[row.get("in", "both")],
            row.get("in") == "identifiers",
            tuple(row.get("paths", ())),
            tuple(row.get("except", ())),
        )
        for row in tomllib.loads(path.read_text())["word"]
    ]


def area(path: str) -> str:
    """Return a file's area: its first two folders, or four folders in `codegen/src/aiosqlc`."""
    folders = path.split("/")[:-1]
    return "/".join(folders[: 4 if path.startswith("codegen/src") else 2]) or "."


def tracked() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each tracked file that is checked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - the git of the developer
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for path in listed.stdout.split("\0"):
        file = ROOT / path
        checked = path.endswith((".md", ".py", ".yaml", "Makefile")) and not SKIPPED.search(path)
        if checked and file.is_file():
            yield path, file.read_text()


def findings(
    files: Iterable[tuple[str, str]], words: list[Word]
) -> Iterator[tuple[Text, str, str]]:
    """Yield each text with a private word, this word, and the word to use instead."""

    @cache
    def matches(text: str, *, name: bool) -> list[tuple[Word, str]]:
        plain = text if name else without_code(text)
        return [(word, hit) for word in words for hit in word.hits(plain, name=name)]

    for path, source in files:
        for text in read(path, source):
            for word, hit in matches(text.text, name=text.kind is Kind.NAME):
                if word.applies(text):
                    yield text, hit, word.use


def above(counts: Counter[str], allowed: dict[str, int]) -> list[str]:
    """Return a line for each area that contains more private words than it may contain."""
    return [
        f"{name}: {count} private words, {allowed.get(name, 0)} allowed"
        for name, count in sorted(counts.items())
        if count > allowed.get(name, 0)
    ]


def main() -> int:
    """Check the tree, list the words below a path, or lower the allowances."""
    parser = argparse.ArgumentParser(prog="tools.english.check", description=__doc__)
    parser.add_argument("--show", metavar="PATH", help="list the private words below a path")
    parser.add_argument("--renew", action="store_true", help="lower the allowances")
    options = parser.parse_args()
    found = list(findings(tracked(), load()))
    if options.show is not None:
        for text, hit, use in found:
            if text.path.startswith(options.show):
                line = " ".join(text.text.split())[:160]
                print(f"{text.path}:{text.line}: {text.kind} `{hit}` → {use} | {line}")
        return 0
    counts = Counter(area(text.path) for text, _, _ in found)
    allowed: dict[str, int] = json.loads(ALLOWED.read_text()) if ALLOWED.exists() else {}
    if options.renew:
        lowered = {
            name: min(counts[name], allowed.get(name, 0) if allowed else counts[name])
            for name in sorted(counts)
        }
        ALLOWED.write_text(
            json.dumps({name: n for name, n in lowered.items() if n}, indent=1) + "\n"
        )
    problems = above(counts, allowed)
    for line in problems:
        print(line, file=sys.stderr)
    if problems:
        print(
            "list the words with: python -m tools.english.check --show AREA; "
            "tools/english/words.toml names the word to use",
            file=sys.stderr,
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
