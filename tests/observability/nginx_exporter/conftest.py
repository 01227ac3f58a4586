"""Start exporters with the command that users run, and read their metrics."""

import re
import subprocess
import sys
import time
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.observability.nginx_exporter.world import World

DEADLINE = 60.0


class Exporter:
    """One running exporter process."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "observability.nginx_exporter", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--interval", "0.02", *map(str, arguments)],
            stderr=subprocess.PIPE,
            text=True,
        )
        printed = []
        for line in self.process.stderr:
            printed.append(line)
            if found := re.search(r"http://\S+(?=/metrics)", line):
                break
        else:
            code = self.process.wait(60)
            pytest.fail(f"the exporter ended with {code}: {''.join(printed)}")
        self.url = found[0]

    def text(self, path="/metrics"):
        with urllib.request.urlopen(self.url + path, timeout=60) as response:
            return response.read().decode()

    def samples(self):
        """Return every sample by name and sorted labels."""
        families = text_string_to_metric_families(self.text())
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def total(self, name, **labels):
        """Return the sum of a metric's samples with the labels."""
        wanted = set(labels.items())
        return sum(v for (n, *ls), v in self.samples().items() if n == name and wanted <= set(ls))

    def wait_for(self, expected, name, **labels):
        """Poll until the total is as expected; at the deadline, fail with the last total."""
        limit = time.monotonic() + DEADLINE
        while (seen := self.total(name, **labels)) != expected:
            assert time.monotonic() < limit, f"{name} is {seen}, not {expected}"
            time.sleep(0.02)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(60)
        self.process.stderr.close()
        return code


@pytest.fixture
def start_exporter():
    started = []

    def start(*arguments):
        started.append(Exporter(*arguments))
        return started[-1]

    yield start
    for exporter in started:
        if exporter.process.poll() is None:
            exporter.kill()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.follower.close()
