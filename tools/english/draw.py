"""Draw random sentences: `python -m tools.english.draw [--seed 1] [-n 100] [--places]`.

A person reads the sentences and counts those that are clear at the first reading. A quarter is
drawn from each of documentation, API summaries, messages and docstrings. Tests, generated pages and
decision records are not drawn from.
"""

from __future__ import annotations

import argparse
import io
import random
import re
import subprocess
import tarfile
from collections.abc import Iterator
from textwrap import indent
from typing import Final

from devstack.settings import ROOT
from tools.english.places import place
from tools.english.texts import Kind, Text, read, sentences, without_code, words

DRAWN: Final = (Kind.DOCS, Kind.SUMMARY, Kind.MESSAGE, Kind.DOCSTRING)
SKIPPED: Final = re.compile(
    r"(^|/)tests/|devstack/testing/|/adr/|^bench/|/bench/|CHANGELOG|_pb2|/(schema|settings|events|real-projects)\.md"
    r"|^sql/|^deploy/|/examples/|/store/|^lib/pb/"
)


def files(ref: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file of a commit."""
    archive = subprocess.run(
        ["git", "archive", ref],  # noqa: S607 - the git of the developer
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            data = tar.extractfile(member)
            if data is not None and member.name.endswith((".md", ".py", ".yaml")):
                yield member.name, data.read().decode()


def candidates(ref: str) -> dict[Kind, list[Text]]:
    """Return the sentences of four words or more, by kind."""
    found: dict[Kind, list[Text]] = {kind: [] for kind in DRAWN}
    for path, source in sorted(files(ref)):
        if SKIPPED.search(path):
            continue
        for text in read(path, source):
            if text.kind in found:
                first = text.text.split("\n\n")[0] if text.kind is Kind.DOCSTRING else text.text
                found[text.kind] += [
                    Text(text.kind, path, text.line, sentence)
                    for sentence in sentences(first)
                    if words(without_code(sentence)) >= 4
                ]
    return found


def main() -> None:
    """Print the sample, one sentence a line, with its path and line number."""
    parser = argparse.ArgumentParser(prog="tools.english.draw", description=__doc__)
    parser.add_argument("--ref", default="HEAD", help="commit to draw from")
    parser.add_argument("--seed", type=int, default=1, help="random seed")
    parser.add_argument("-n", type=int, default=100, help="number of sentences")
    parser.add_argument("--places", action="store_true", help="show the text around each sentence")
    options = parser.parse_args()
    sources = dict(files(options.ref)) if options.places else {}
    number = 0
    for kind, texts in candidates(options.ref).items():
        chosen = random.Random(f"{options.seed} {kind}")  # noqa: S311 - a repeatable sample
        picked = chosen.sample(texts, options.n // len(DRAWN))
        for text in picked:
            number += 1
            print(f"{number:3} {kind:9} {text.path}:{text.line}  {text.text}")
            if text.path in sources:
                print(indent(place(text, sources[text.path]), "        | "))


if __name__ == "__main__":
    main()
