"""From `course lab` to a notebook that can be used: server, start page, kernel; in Chromium.

    course bench lab
    course bench lab --rounds 5

Each round has a fresh folder and a fresh browser; what a browser keeps from the first visit is not used. Processor
time is that of all processes together, the browser's as well; where other programs want the processor too, it tells
more than the clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.browser.lab import running, start_page, wait_for_kernel
from tests.browser.pages import launched

STAGES = ("server answers", "start page seen", "notebook seen", "kernel idle")
GOAL = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    program = shutil.which("chromium")
    if program is None:
        sys.exit("there is no chromium on the path")
    measured = [one_round(program) for _ in range(rounds)]
    table = Table(title=f"seconds from the command on, {rounds} rounds; the goal for an idle kernel is {GOAL:g}; "
                  f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for heading in ("", "fastest", "median", "slowest", "processor time, median"):
        table.add_column(heading, justify="right" if heading else "left")
    for stage, name in enumerate(STAGES):
        clock, processor = zip(*(one[stage] for one in measured), strict=True)
        table.add_row(name, *(f"{value:.1f}" for value in (
            min(clock), statistics.median(clock), max(clock), statistics.median(processor))))
    Console().print(table)


def one_round(program: str) -> list[tuple[float, float]]:
    """Seconds and processor time until each stage."""
    found = []
    with tempfile.TemporaryDirectory() as folder, launched(program) as browser:
        before = processor_time()
        with running(Path(folder, "own"), "--folder", f"{folder}/work") as lab:
            def done() -> None:
                found.append((time.monotonic() - lab.began, processor_time() - before))

            done()
            page = lab.opened(browser)
            link = start_page(page).locator(".next a")
            link.wait_for()
            done()
            link.click()
            page.locator(".jp-Notebook .jp-Cell").first.wait_for()
            done()
            wait_for_kernel(page)
            done()
    return found


def processor_time() -> float:
    """Seconds of the processes that descend from this one and are running, with those that ended in them."""
    parents, seconds = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        pid = int(file.parent.name)
        parents[pid], seconds[pid] = int(fields[1]), sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def ours(pid: int) -> bool:
        while pid in parents and pid != os.getpid():
            pid = parents[pid]
        return pid == os.getpid()

    return sum(value for pid, value in seconds.items() if ours(pid))


if __name__ == "__main__":
    main()
