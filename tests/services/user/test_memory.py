"""The memory of the service fits into the limit of every deployment file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.user.config import MOST_PASSWORD_THREADS
from services.user.images import MAX_PIXELS, MAX_PROGRESSIVE_PIXELS, MEMORY_MIB
from services.user.memory import needed_mib

ROOT = Path(__file__).parents[3]
UNITS = {"M": 1.0, "Mi": 1.0, "G": 1024.0, "Gi": 1024.0}
# Made in one process and drawn in another: the peak is that of drawing.
MEASURE = """
import resource, sys
from services.user.images import redraw
small = sys.stdin.buffer.read()
size = int.from_bytes(small[:8], "big")
redraw(small[8 : 8 + size])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
redraw(small[8 + size :])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
SIDE = int(MAX_PIXELS**0.5)
PROGRESSIVE = int(MAX_PROGRESSIVE_PIXELS**0.5)


def drawn(kind: str, mode: str, size: tuple[int, int], **saved: Any) -> bytes:
    """Return a picture of one colour, created in another process to keep its memory apart."""
    script = (
        "import io, sys, json\n"
        "from PIL import Image\n"
        "kind, mode, w, h, saved = json.loads(sys.argv[1])\n"
        "file = io.BytesIO()\n"
        "Image.new(mode, (w, h)).save(file, kind, **saved)\n"
        "sys.stdout.buffer.write(file.getvalue())\n"
    )
    given = json.dumps([kind, mode, *size, saved])
    return subprocess.run(
        [sys.executable, "-c", script, given], check=True, capture_output=True, cwd=ROOT
    ).stdout


@pytest.mark.parametrize(
    ("kind", "mode", "size", "saved"),
    [
        ("PNG", "RGB", (SIDE, SIDE), {}),
        ("PNG", "RGBA", (SIDE, SIDE), {}),
        ("PNG", "P", (SIDE, SIDE), {}),
        ("PNG", "LA", (SIDE, SIDE), {}),
        ("PNG", "RGB", (MAX_PIXELS // 100, 100), {}),
        ("JPEG", "RGB", (SIDE, SIDE), {"subsampling": 0}),
        ("JPEG", "RGB", (PROGRESSIVE, PROGRESSIVE), {"progressive": True, "subsampling": 0}),
        ("JPEG", "CMYK", (PROGRESSIVE, PROGRESSIVE), {"progressive": True}),
    ],
)
def test_drawing_the_largest_picture_takes_no_more_than_is_promised(
    kind: str, mode: str, size: tuple[int, int], saved: dict[str, Any]
) -> None:
    small, large = drawn(kind, mode, (40, 40), **saved), drawn(kind, mode, size, **saved)
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=len(small).to_bytes(8, "big") + small + large,
        check=True,
        capture_output=True,
        cwd=ROOT,
    )
    assert int(answer.stdout) <= MEMORY_MIB


def _mib(text: str) -> float:
    found = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    assert found, text
    return float(found[1]) * UNITS[found[2] or "M"]


def limits() -> dict[str, float]:
    """Return the MiB that each deployment file gives the user service."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    found = {
        "compose": _mib(compose["services"]["user"]["deploy"]["resources"]["limits"]["memory"])
    }
    for document in yaml.safe_load_all((ROOT / "deploy/kubernetes/base/user.yaml").read_text()):
        if document and document["kind"] == "Deployment":
            (container,) = (
                one for one in document["spec"]["template"]["spec"]["containers"]
                if one["name"] == "user"
            )  # fmt: skip
            found["kubernetes"] = _mib(container["resources"]["limits"]["memory"])
    text = re.sub(r"\$\{[A-Za-z_]+\}", "1", (ROOT / "deploy/ecs/user.json").read_text())
    found["ecs"] = _mib(json.loads(text)["memory"])
    return found


def test_every_deployment_gives_what_the_service_needs() -> None:
    """The case: all password checks at once while a picture is processed."""
    found = limits()
    assert found.keys() == {"compose", "kubernetes", "ecs"}
    for place, given in found.items():
        assert needed_mib(MOST_PASSWORD_THREADS) <= given, place


def test_the_sum_counts_each_thread_and_the_picture() -> None:
    assert needed_mib(3) - needed_mib(2) == 46
    assert needed_mib(0) > MEMORY_MIB
