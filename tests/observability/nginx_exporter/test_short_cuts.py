"""Fast code gives the same results as simple code: for chunks, routes and sums."""

from bisect import bisect_left

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from observability.nginx_exporter.exporter import pieces
from observability.nginx_exporter.hits import count, seconds
from observability.nginx_exporter.routes import OTHER, Router
from observability.nginx_exporter.text_lines import CLASSIC, TextLines
from observability.nginx_exporter.totals import Totals

GOOD = '::1 - - [21/Nov/2025:02:00:00 +0000] "GET /a?b HTTP/1.1" 200 5 "-" "curl" 0.012'
CUT = '::1 - - [21/Nov/2025:02:00:00 +0000] "GET /a'
TEMPLATES = (
    CLASSIC,
    '$status "$request" "$http_user_agent"',
    "$status $request|$uri",
    'log_format j escape=json \'{"a":"$http_user_agent","r":"$request","s":"$status"}\';',
)
PIECES = ("200", " ", '"', "\\", "GET", "/a", "HTTP/1.1", "|", "[", "]", "-", "0.1", "\r", "é", "x")
LINES = st.sampled_from((GOOD, CUT, GOOD[:-5], '200 "GET / H" "x"', '{"a":"","r":"x","s":"200"}'))


@given(
    st.sampled_from(TEMPLATES).map(TextLines),
    st.lists(LINES | st.lists(st.sampled_from(PIECES), max_size=12).map("".join), max_size=12),
)
@example(TextLines(CLASSIC), [CUT, GOOD.partition("GET /a")[2]])
def test_a_chunk_of_lines_says_what_its_lines_say(parser, lines):
    hits, errors = [], 0
    for line in lines:
        more, wrong = parser.parse(line.encode() + b"\n")
        hits, errors = hits + more, errors + wrong
        assert len(more) + wrong == bool(line)
    assert parser.parse("".join(f"{line}\n" for line in lines).encode()) == (hits, errors)


@given(
    st.lists(st.binary(max_size=9).map(lambda raw: raw.replace(b"\n", b"x"))), st.integers(1, 12)
)
def test_pieces_are_all_lines_and_each_is_whole(lines, size):
    text = b"".join(line + b"\n" for line in lines)
    cut = list(pieces(text, size))
    assert b"".join(cut) == text
    assert all(
        piece.endswith(b"\n") and (len(piece) <= size or piece.count(b"\n") == 1) for piece in cut
    )


WORDS = st.sampled_from(("", "a", "b", "{x}", "me"))
PATTERNS = st.builds(
    lambda words, rest: "/" + "/".join([*filter(None, words), *rest]),
    st.lists(WORDS, max_size=4),
    st.sampled_from(([], ["*"])),
)


def tried(patterns, path):
    """Return the route by trying patterns: the one with the most literal words from the left."""
    words = path.removesuffix("/").split("/")[1:]
    best = None
    for pattern in patterns:
        parts = pattern.removesuffix("/").split("/")[1:]
        rest = parts[-1:] == ["*"]
        parts = parts[:-1] if rest else parts
        if len(words) < len(parts) or (len(words) > len(parts) and not rest):
            continue
        ranks = []
        for part, word in zip(parts, words, strict=False):
            if "{" in part and word:
                ranks.append(1)
            elif part == word:
                ranks.append(0)
            else:
                break
        else:
            rank = [*ranks, 3 if rest and len(words) > len(parts) else 2, rest]
            if best is None or rank < best[0]:
                best = rank, pattern
    return best[1] if best else OTHER


@given(
    st.lists(PATTERNS, max_size=8),
    st.lists(st.sampled_from(("", "a", "b", "me", "7", "{x}")), min_size=1, max_size=6),
)
@example(["/me/a", "/{x}/b"], ["me", "b"])
@example(["/a/*", "/{x}/b"], ["a", "b"])
@example(["/{x}", "/*"], ["a", ""])
def test_one_walk_finds_what_trying_every_pattern_finds(patterns, words):
    path = "/" + "/".join(words)
    if "//" not in path:
        assert Router(patterns).route(path) == tried(patterns, path)


NUMBERS = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.sampled_from(("-", "", "0.1, 0.2", "7", "0.010", "-1", "nan", "1e400", "9" * 5000, "x")),
)


@given(st.lists(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=6), max_size=4))
def test_sums_and_buckets_are_those_of_one_line_after_the_other(chunks):
    totals = Totals(Router(["/a"]), buckets=(0.01, 0.1, 1.0))
    for chunk in chunks:
        totals.add([("GET", "/a", 200, *values) for values in chunk])
    lines = [line for chunk in chunks for line in chunk]
    if not lines:
        assert totals.series == []
        return
    (series,) = totals.series
    assert series.requests == len(lines)
    assert series.size == sum(count(size) for size, _, _ in lines)
    for at, counts, total in (
        (1, series.duration, series.duration_sum),
        (2, series.upstream, series.upstream_sum),
    ):
        times = [time for line in lines if (time := seconds(line[at])) is not None]
        expected = [0, 0, 0, 0]
        for time in times:
            expected[bisect_left(totals.buckets, time)] += 1
        assert counts == expected
        assert total == pytest.approx(sum(times))
