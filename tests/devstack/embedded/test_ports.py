"""Free ports: concurrent processes never get the same port."""

from __future__ import annotations

import pytest

from devstack.embedded import ports


def test_processes_side_by_side_take_ports_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_every", "_which", "_given"):
        monkeypatch.setattr(ports, name, getattr(ports, name))  # put back behind the test
    taken = []
    for which in range(3):
        ports.keep_to_every(3, which)
        taken.append({ports.free_port() % 3 for _ in range(20)})
    assert len(set.union(*taken)) == sum(map(len, taken)) == 3
