"""For any log content, totals are finite, labels are few, and the next line is counted."""

import pytest
from prometheus_client import CollectorRegistry

from observability.nginx_exporter.exporter import Exporter
from observability.nginx_exporter.json_lines import JsonLines
from observability.nginx_exporter.page import Page
from observability.nginx_exporter.routes import Router
from observability.nginx_exporter.snapshot import StateFile
from observability.nginx_exporter.text_lines import CLASSIC, TextLines
from observability.nginx_exporter.totals import Totals

JSON = b'{"method":"GET","path":"/","status":200,"bytes_sent":1,"duration":0.1}'
TEXT = b'::1 - - [21/Nov/2025:02:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "curl" 0.1'
NINES = b"9" * 5000


def counted(folder, parser, lines):
    """Return totals and counts after the lines, read back from the state file, and the scrape."""
    log = folder / "access.log"
    log.write_bytes(b"".join(line + b"\n" for line in lines))
    file = StateFile(folder / "state.json")
    totals = Totals(Router(["/"]))
    exporter = Exporter([log], parser, totals, file, None)
    exporter.step()
    scrape = Page(exporter, CollectorRegistry()).text()
    past = file.load()
    file.close()
    return past.series, past.logs[0].counts, scrape


@pytest.mark.parametrize(
    ("line", "errors"),
    [
        (b'{"status":200,"x":' + b"[" * 900_000, 1),
        (b'{"status":200,"x":' + b'{"a":' * 100_000, 1),
        (b'{"status":200,"bytes_sent":18446744073709551615}', 0),
        (b'{"status":200,"bytes_sent":123456789012345678901234567890}', 0),
        (b'{"status":200,"bytes_sent":' + NINES + b"}", 1),
        (b'{"status":200,"bytes_sent":"' + NINES + b'"}', 0),
        (b'{"status":200,"duration":1e308}', 0),
        (b'{"status":200,"duration":1e999}', 1),
        (b'{"status":200,"duration":"1e308, 1e308"}', 0),
        (b'{"status":200,"duration":-1,"bytes_sent":-1}', 0),
        (b'{"status":200,"duration":"nan","upstream_time":"inf","bytes_sent":"nan"}', 0),
        (b'{"status":-1}', 0),
        (b'{"status":"' + NINES + b'"}', 0),
        (b'{"status":null}', 1),
        (b'{"status":200,"path":"/\\ud800"}', 1),
        (b'{"status":200,"path":"/\xed\xa0\x80","method":"\\u0000"}', 0),
        (b"\0" * 10_000, 1),
        (b"x" * 10_000_000, 1),
        (b'{"status":200,"path":"/' + b"x" * 10_000_000 + b'"}', 1),
    ],
)
def test_a_hostile_json_line_spoils_nothing(tmp_path, line, errors):
    series, counts, scrape = counted(tmp_path, JsonLines(), [line] * 3 + [JSON])
    assert (counts.lines, counts.parse_errors) == (4, 3 * errors)
    assert sum(s.requests for s in series) == 4 - 3 * errors
    assert (sum(s.size for s in series), sum(s.duration_sum for s in series)) == (1, 0.1)
    assert b'nginx_http_requests_total{method="GET",route="/",status="200"} 1\n' in scrape


@pytest.mark.parametrize(
    ("line", "errors"),
    [
        (TEXT.replace(b"GET", b"GE\0T"), 0),
        (TEXT.replace(b" 1 ", b" " + NINES + b" ").replace(b"0.1", NINES), 0),
        (TEXT.replace(b" 1 ", b" -1 ").replace(b"0.1", b"-1"), 0),
        (TEXT.replace(b"0.1", b"nan"), 1),
        (TEXT.replace(b"0.1", b"0.1" + b", 1e9" * 9), 1),
        (TEXT.replace(b"- - [", b"- " + b" [" * 4000 + b" ["), 0),
        (TEXT.replace(b"curl", b'"' * 4000), 1),
        (TEXT.partition(b" 200")[0], 1),
        (b'\x00\xff"[ ' * 4000, 1),
    ],
)
def test_a_hostile_text_line_spoils_nothing(tmp_path, line, errors):
    parser = TextLines(CLASSIC, upstream_is_duration=True)
    series, counts, _ = counted(tmp_path, parser, [line.replace(b" 200 ", b" 201 ")] * 3 + [TEXT])
    assert (counts.lines, counts.parse_errors) == (4, 3 * errors)
    assert sum(s.requests for s in series) == 4 - 3 * errors
    (mine,) = (s for s in series if s.status == "200")
    assert (mine.requests, mine.size, mine.duration_sum) == (1, 1, 0.1)


def test_no_client_makes_labels_or_memory_grow(tmp_path):
    lines = [b'{"status":200,"method":"M%d","path":"/%d/%d"}' % (n, n, n) for n in range(60_000)]
    totals = Totals(Router(["/{x}/a", "/b/*"]))
    totals.add(JsonLines().parse(b"\n".join(lines) + b"\n")[0])
    assert [(s.method, s.status, s.route) for s in totals.series] == [("other", "200", "other")]
    remembered = (totals._known, totals._times, totals._route.__self__._above)
    assert all(len(memory) <= 16_384 for memory in remembered)
