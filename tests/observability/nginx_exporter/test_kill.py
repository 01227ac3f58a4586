"""After random kills and rotations, the exporter's totals are exact and never decrease."""

import os
import random
import shutil
import threading
import time

import pytest

JSON = (
    '{"method":"GET","path":"/items/%d","status":%d,"bytes_sent":%d,"duration":0.25,'
    '"upstream_time":"0.125, 0.125","request_id":"%032x"}\n'
)


CLASSIC = (
    '::1 - - [21/Nov/2025:02:00:00 +0000] "GET /items/%d HTTP/1.1" %d %d "-" "%032x" 0.125, 0.125\n'
)


def write_and_rotate(log, line, dice, written, lines):
    """Write lines in bursts, and sometimes rotate the log in one of the two usual ways."""
    number = 0
    while number < lines:
        with log.open("a") as file:
            for _ in range(dice.randint(1, 200)):
                status = dice.choice([200, 404, 502])
                file.write(line % (number, status, number, dice.getrandbits(128)))
                written.append((status, number))
                number += 1
        if dice.random() < 0.3:
            for old in range(99, 0, -1):
                if (path := log.with_name(f"access.log.{old}")).exists():
                    path.rename(log.with_name(f"access.log.{old + 1}"))
            if dice.random() < 0.5:
                log.rename(log.with_name("access.log.1"))
            else:
                shutil.copy(log, log.with_name("access.log.1"))
                os.truncate(log, 0)
        time.sleep(dice.uniform(0, 0.08))


@pytest.mark.parametrize(
    ("form", "line"), [("json", JSON), ("classic", CLASSIC)], ids=["json", "classic"]
)
def test_totals_are_exact_after_any_number_of_kills_and_rotations(
    tmp_path, start_exporter, form, line, full
):
    lines = full(12_000, sample=4_000)
    dice = random.Random(20251121)
    log = tmp_path / "access.log"
    log.touch()
    written = []
    writer = threading.Thread(target=write_and_rotate, args=(log, line, dice, written, lines))
    seen = {}
    kills = 0
    # Its own dice: the two threads would otherwise disturb each other's order.
    chance = random.Random(7)
    options = ("--log", log, "--format", form, "--route", "/items/{id}")
    exporter = start_exporter(*options)
    exporter.wait_for(1, "nginx_exporter_up")
    writer.start()
    # Where each start takes long, there are kills when all is written, too.
    while writer.is_alive() or kills < 3:
        time.sleep(chance.uniform(0, 0.3))
        now = counters(exporter)
        assert not {k: (v, now.get(k)) for k, v in seen.items() if now.get(k, 0) < v}
        seen = now
        if chance.random() < 0.6:
            time.sleep(chance.uniform(0, 0.1))
            exporter.kill()
            kills += 1
            exporter = start_exporter(*options)
    exporter.wait_for(len(written), "nginx_http_requests_total")
    for status in (200, 404, 502):
        expected = sum(1 for s, _ in written if s == status)
        assert exporter.total("nginx_http_requests_total", status=str(status)) == expected
    assert exporter.total("nginx_size_bytes_total") == sum(size for _, size in written)
    for family in ("request", "upstream"):
        name = f"nginx_http_{family}_duration_seconds"
        assert exporter.total(f"{name}_count") == len(written)
        assert exporter.total(f"{name}_sum") == len(written) / 4
    assert exporter.total("nginx_exporter_parse_errors_total") == 0


def counters(exporter):
    return {
        key: value
        for key, value in exporter.samples().items()
        if key[0].startswith("nginx_") and key[0].endswith(("_total", "_bucket", "_count", "_sum"))
    }
