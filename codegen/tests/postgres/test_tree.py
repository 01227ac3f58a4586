"""The reader of node trees: any text of the server, with the server's line breaks."""

from __future__ import annotations

from typing import Any

import pytest
from aiosqlc.postgres.tree import Datum, Node, Reader, located, unwrap, walk
from hypothesis import given
from hypothesis import strategies as st

from tests.postgres.asking import answers

_LINE = 78
_ESCAPED = set(" \n\t(){}\\")
names = st.text(alphabet="abcdefghijkXYZ", min_size=1, max_size=12)
words = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\n\0", exclude_categories=["Cs"]),
    min_size=1,
    max_size=120,
) | st.sampled_from(["speed [km]", "5 [ 1 2 ]", "a\rb", "a\fb"])


def _token(text: str) -> str:
    """Write a string as the server does."""
    lead = "\\" if text[0] in '<"0123456789+-' else ""
    return lead + "".join("\\" + c if c in _ESCAPED else c for c in text)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31),
    words.filter(lambda w: w not in {"true", "false", "[", "]"} and not w.startswith("[")),
    st.frozensets(st.integers(0, 500), max_size=5),
    st.binary(max_size=9).map(lambda b: Datum(len(b), b)),
)
nodes = st.recursive(
    st.tuples(names, st.dictionaries(names, scalars, max_size=5)),
    lambda inner: st.tuples(
        names, st.dictionaries(names, scalars | inner | st.lists(inner, min_size=1, max_size=3),
                               max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip


def _write(value: Any) -> str:
    if value is None:
        return "<>"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _token(value)
    if isinstance(value, Datum):
        return f"{value.length} [ {' '.join(map(str, value.data))} ]"
    if isinstance(value, frozenset):
        return "(b" + "".join(f" {n}" for n in sorted(value)) + ")"
    if isinstance(value, list):
        return "(" + " ".join(map(_write, value)) + ")"
    kind, fields = value
    return "{" + kind + "".join(f" :{k} {_write(v)}" for k, v in fields.items()) + "}"


def _wrap(text: str) -> str:
    """Break lines as `format_node_dump` does, byte for byte."""
    data, lines, i = text.encode(), [], 0
    while True:
        line = data[i : i + _LINE]
        i += len(line)
        if i >= len(data):
            lines.append(line)
            break
        if data[i : i + 1] == b" ":
            i += 1
        else:
            k = line.rfind(b" ")
            if k > 0:
                i -= len(line) - k - 1
                line = line[:k]
        lines.append(line)
    return b"\n".join(lines).decode(errors="surrogateescape")


def _same(node: Any, value: Any) -> bool:
    if isinstance(value, Datum):
        return isinstance(node, Datum) and (node.length, node.data) == (value.length, value.data)
    if isinstance(value, tuple):
        kind, fields = value
        return (
            isinstance(node, Node)
            and node.kind == kind
            and node.names() == list(fields)
            and all(_same(node[name], inner) for name, inner in fields.items())
        )
    if isinstance(value, list):
        return len(node) == len(value) and all(map(_same, node, value))
    return bool(node == value and type(node) is type(value))


@pytest.mark.parametrize("name", ["speed [km]", "x [m/s]", "w [1]", "a\rb"])
def test_a_name_is_one_word_whatever_it_contains(name: str) -> None:
    sql = f'select id, "{name}", c from t'
    known, problems = answers(f'create table t (id int primary key, "{name}" int, c text)', (sql,))
    assert not problems
    assert [column.name for column in known[sql].columns] == ["id", name, "c"]


@given(nodes)
def test_what_is_written_is_read_back(value: Any) -> None:
    (node,) = located(_write(value))
    assert _same(node, value)


ascii_words = st.text(alphabet="abc(){}\\ ", min_size=1, max_size=60)


@given(st.lists(ascii_words.map(_token), min_size=1, max_size=40))
def test_wrapped_lines_are_joined_again(parts: list[str]) -> None:
    text = " ".join(p for p in parts if p.strip("\\ "))
    ends = text.endswith(" ") or not text
    wrapped = _wrap(text)
    # A word of exactly one line, at a line's end, reads the same as one that was cut.
    ambiguous = any(len(x) == _LINE and " " not in x[1:] for x in wrapped.split("\n"))
    assert ends or ambiguous or unwrap(wrapped) == text.strip()


def test_a_word_longer_than_a_line_is_put_together() -> None:
    word = "x" * 200
    assert unwrap(_wrap(f"{{A :name {word} :b 1}}")) == f"{{A :name {word} :b 1}}"


def test_equal_expressions_are_one_node_wherever_they_stand() -> None:
    reader = Reader()
    (one,) = reader.read_text("{A :x {VAR :varno 1 :location 7} :y 1}")
    (two,) = reader.read_text("{B :z {VAR :varno 1 :location 99}}")
    assert one["x"] is two["z"]
    assert located("{A :x {VAR :varno 1 :location 7}}")[0]["x"]["location"] == 7


def test_trees_long_past_are_forgotten_and_equal_ones_are_equal_still() -> None:
    reader = Reader()
    wanted = "{A :x {VAR :varno 1}}"
    (one,) = reader.read(wanted)
    for number in range(3_000):
        (other,) = reader.read(f"{{B :n {number} :x {{VAR :varno {number}}}}}")
        assert other["x"]["varno"] == number
    (two,) = reader.read(wanted)
    assert one is not two
    assert (one, hash(one)) == (two, hash(two))
    assert one != other


def test_an_unknown_field_does_no_harm() -> None:
    (node,) = Reader().read_text("{QUERY :commandType 1 :newField (i 1 2) :other {X :y <>}}")
    assert node["newField"] == [1, 2]
    assert node.get("missing", 5) == 5
    assert [n.kind for n in walk(node)] == ["QUERY", "X"]


def test_no_query_at_all_is_an_empty_list() -> None:
    assert Reader().read("<>") == []
    assert Reader().read("") == []
