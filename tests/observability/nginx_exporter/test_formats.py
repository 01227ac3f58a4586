"""Every format gives the same facts of a request, and the number of unreadable lines."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.nginx_exporter.hits import Number, count, seconds
from observability.nginx_exporter.json_lines import JsonLines
from observability.nginx_exporter.log_format import FormatError
from observability.nginx_exporter.text_lines import CLASSIC, TextLines

CLASSIC_START = "172.18.0.1 - - [21/Nov/2025:02:00:00 +0000] "


class Named(NamedTuple):
    method: str
    path: str
    status: int | str
    size: Number
    duration: Number
    upstream: Number


def one(parser, line):
    hits, errors = parser.parse(line.encode() + b"\n" if isinstance(line, str) else line + b"\n")
    assert errors == 0
    (hit,) = hits
    return Named(*hit)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("0.012", 0.012),
        (0.012, 0.012),
        (3, 3.0),
        ("-", None),
        ("", None),
        (None, None),
        ("0.1, 0.2", 0.3),
        ("0.1, 0.2 : 0.3", 0.6),
        ("-, 0.2", 0.2),
        ("- : -", None),
        ("nan", None),
        ("inf", None),
        ("-1", None),
        ("soon", None),
    ],
)
def test_a_time_is_the_sum_of_its_upstreams(written, expected):
    assert seconds(written) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("written", "expected"), [(5, 5), ("5", 5), ("-", 0), (None, 0), (-3, 0), ("x", 0)]
)
def test_a_size_that_is_not_said_is_nothing(written, expected):
    assert count(written) == expected


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (
            '"GET /v1/auth/verify?token=abc HTTP/1.1" 200 0 "-" "curl/8.0" 0.012',
            ("GET", "/v1/auth/verify?token=abc", "200", "0", "0.012"),
        ),
        ('"GET / HTTP/1.1" 304 7 "-" "a" -', ("GET", "/", "304", "7", "-")),
        (
            '"POST /x HTTP/1.1" 502 7 "-" "a" 0.1, 0.2 : 0.3',
            ("POST", "/x", "502", "7", "0.1, 0.2 : 0.3"),
        ),
        (r'"\x16\x03\x01" 400 157 "-" "-" -', ("", "", "400", "157", "-")),
        ('"" 400 0 "-" "-" -', ("", "", "400", "0", "-")),
        ('"GET /" 200 1 "-" "-" -', ("GET", "/", "200", "1", "-")),
    ],
)
def test_the_classic_format_is_read(rest, expected):
    hit = one(TextLines(CLASSIC, upstream_is_duration=True), CLASSIC_START + rest)
    assert (hit.method, hit.path, hit.status, hit.size, hit.upstream) == expected
    assert hit.duration == hit.upstream


def test_a_classic_user_may_have_spaces_in_the_name():
    line = CLASSIC_START.replace("- - [", "- two words [") + '"GET / HTTP/1.1" 200 1 "-" "-" -'
    assert one(TextLines(CLASSIC), line).status == "200"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            (
                '{"method":"GET","path":"/a","status":200,"bytes_sent":5,"duration":0.1,'
                '"upstream_time":"0.1","more":[1]}'
            ),
            ("GET", "/a", 200, 5, 0.1, "0.1"),
        ),
        ('{"status":"404","bytes_sent":"5"}', ("", "", "404", "5", None, None)),
        (b'{"status":400,"path":"/\xff"}', ("", "/�", 400, None, None, None)),
    ],
)
def test_the_json_format_is_read(line, expected):
    hit = one(JsonLines(), line)
    facts = (hit.method, hit.path, hit.status, hit.size, hit.duration, hit.upstream)
    assert facts == expected


def test_json_keys_can_be_renamed():
    hit = one(JsonLines({"path": "uri", "size": "bytes"}), '{"status":200,"uri":"/a","bytes":3}')
    assert (hit.path, hit.size) == ("/a", 3)


@pytest.mark.parametrize(
    ("parser", "good"),
    [(JsonLines(), '{"status":200}'), (TextLines("$status $request"), "200 GET / HTTP/1.1")],
    ids=["json", "text"],
)
def test_a_bad_line_is_counted_and_hides_no_good_one(parser, good):
    hits, errors = parser.parse(f"{good}\nnonsense\n\n{good}\n".encode())
    assert (len(hits), errors) == (2, 1)


@pytest.mark.parametrize(
    ("template", "line", "expected"),
    [
        ("$request_method $request_uri $status", "GET /a?b 200", ("GET", "/a?b", "200")),
        ("$status|$request", "200|PUT /a HTTP/2.0", ("PUT", "/a", "200")),
        ("${status}ms $uri", "200ms /a b", ("", "/a b", "200")),
        (
            "log_format main '$remote_addr ' '\"$request\" $status';",
            '::1 "GET /a HTTP/1.1" 200',
            ("GET", "/a", "200"),
        ),
        (
            'log_format j escape=json \'{"a":"$http_user_agent","s":"$status"}\';',
            '{"a":"say \\"hi\\"","s":"201"}',
            ("", "", "201"),
        ),
    ],
)
def test_a_custom_format_is_read(template, line, expected):
    hit = one(TextLines(template), line)
    assert (hit.method, hit.path, hit.status) == expected


def test_a_custom_format_knows_the_request_time_from_the_upstreams():
    hit = one(TextLines("$status $request_time $upstream_response_time"), "200 0.5 0.1, 0.2")
    assert (hit.duration, hit.upstream) == ("0.5", "0.1, 0.2")
    assert one(TextLines("$status $upstream_response_time"), "200 0.1").duration == ""


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("$remote_addr $request", "no $status"),
        ("$status$request", "needs a character between $status and $request"),
        ("log_format a 'unclosed $status", "never closed"),
        ("log_format a escape=xml '$status';", "escape=xml"),
        ("log_format a;", "contains no format"),
        ("$http_a $http_b $http_c $status", "too many values without quotes"),
    ],
)
def test_a_format_that_cannot_be_read_back_is_refused(template, sentence):
    with pytest.raises(FormatError) as refused:
        TextLines(template)
    assert sentence in str(refused.value)


def nginx_escaped(text):
    """Return a value with NGINX's default escaping."""
    raw = text.encode()
    return (
        "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02X}" for b in raw) or "-"
    )


TEXT = st.text(max_size=20).map(nginx_escaped)
TIMES = st.lists(st.sampled_from(["0.001", "1.250", "-"]), min_size=1, max_size=3)
VALUES = {
    "remote_addr": st.sampled_from(["127.0.0.1", "::1", "unix:"]),
    "http_user_agent": TEXT,
    "http_referer": TEXT,
    "remote_user": TEXT,
    "time_local": st.just("21/Nov/2025:02:00:00 +0000"),
    "request": TEXT | st.just("GET /a?b=c HTTP/1.1"),
    "status": st.sampled_from(["200", "404", "502"]),
    "body_bytes_sent": st.integers(0, 10**12).map(str),
    "request_time": st.sampled_from(["0.000", "12.345"]),
    "upstream_response_time": TIMES.map(", ".join) | TIMES.map(" : ".join),
}


@st.composite
def logged(draw):
    """Return a format, a line in it, and the values in the line."""
    names = draw(st.permutations(sorted(VALUES)))
    values = {name: draw(VALUES[name]) for name in names}
    template = " ".join(f'"${name}"' for name in names)
    line = " ".join(f'"{values[name]}"' for name in names)
    return template, line, values


@given(logged())
def test_what_a_format_writes_is_read_back(case):
    template, line, values = case
    hit = one(TextLines(template), line)
    assert (hit.status, hit.size) == (values["status"], values["body_bytes_sent"])
    assert hit.duration == values["request_time"]
    assert hit.upstream == values["upstream_response_time"]


@given(st.binary(min_size=1, max_size=200).filter(lambda raw: raw.strip()))
def test_no_bytes_make_a_parser_fail(garbage):
    for parser in (JsonLines(), TextLines(CLASSIC)):
        hits, errors = parser.parse(garbage.strip().replace(b"\n", b"?") + b"\n")
        assert len(hits) + errors == 1
