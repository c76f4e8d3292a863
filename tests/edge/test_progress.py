"""What a person sees while a run takes its time: bytes and rate of a transfer, the phase of a boot."""

import pytest

from zerotoil.edge import connector
from zerotoil.layers import site

MiB = 1024**2


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_a_transfer_says_how_far_it_is_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, said = Clock(), list[str]()
    monkeypatch.setattr(site, "time", clock)
    report = site.progress(said.append, "OS image")
    for seconds, done in ((0, 0), (4, 40), (10, 100), (11, 110), (20, 300)):
        clock.now = 100 + seconds
        report(done * MiB, 600 * MiB)
    assert said == ["OS image: 100 of 600 MiB, 10.0 MiB/s", "OS image: 300 of 600 MiB, 15.0 MiB/s"]


def test_a_boot_says_each_phase_and_that_it_still_waits() -> None:
    said: list[str] = []
    say = connector.phases(said.append)
    for seconds in (2, 20, 40):
        say("matrix: the VM has no address yet", seconds)
    say("Connection refused", 44)
    assert said == [
        "booting, 2 s: no address yet (firmware, kernel, Ignition)",
        "booting, 40 s: no address yet (firmware, kernel, Ignition)",
        "booting, 44 s: SSH does not answer yet",
    ]
