"""Steps of the interactive figures in Chromium: the handler of a control, then the style and layout it calls for.

    course bench widgets
    course bench widgets --rounds 5

Where other programs want the processor too, the fastest tenth tells what a step takes by itself.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys

from rich.console import Console
from rich.table import Table

from cnncourse.widgets import static_html
from tests.browser.pages import launched, page_of, step_times
from tests.makers import MAKERS

FRAME = 1000 / 60
"""Milliseconds that a browser has for a picture."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each control goes through its values")
    rounds = parser.parse_args().rounds
    program = shutil.which("chromium")
    if program is None:
        sys.exit("there is no chromium on the path")
    table = Table(title=f"milliseconds per step, {rounds} rounds; a frame has {FRAME:.1f}")
    for heading in ("figure", "control", "steps", "10 %", "median", "95 %"):
        table.add_column(heading, justify="left" if heading in ("figure", "control") else "right")
    with launched(program) as browser:
        for make in MAKERS:
            page = browser.new_page(viewport={"width": 900, "height": 800})
            page.set_content(page_of(static_html(make())))
            found: dict[str, list[float]] = {}
            step_times(page)  # compiles what runs often
            for _ in range(rounds):
                for control, times in step_times(page).items():
                    found.setdefault(control, []).extend(times)
            for control, times in found.items():
                times.sort()
                table.add_row(make.__name__, control, str(len(times)), f"{times[len(times) // 10]:.1f}",
                              f"{statistics.median(times):.1f}", f"{times[int(0.95 * len(times))]:.1f}")
            page.close()
    Console().print(table)


if __name__ == "__main__":
    main()
