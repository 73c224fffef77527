"""What runs in Gradescope's container for each submission, and once when the image is built, to see whether it would.

    python -m autograder.platforms.gradescope.run /autograder
    python -m autograder.platforms.gradescope.run --check /autograder/source

The folder holds what Gradescope lays out: source/ (the instructor's zip), submission/ (the student's files, whatever
they are called), submission_metadata.json, and results/ for what is found. A process of its own judges, within limits;
this one waits, so that there are results even if that one is ended.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from autograder.platforms.gradescope import results
from cnncourse.language import LANGUAGES, say, speaking

SECONDS = 540.0
"""For everything; Gradescope ends a run after 600 unless its settings say otherwise."""


def main() -> None:
    """Judge, check, or wait for a process that judges."""
    parser = argparse.ArgumentParser(description="Judge one submission in a folder laid out as on Gradescope.")
    parser.add_argument("place", type=Path, help="usually /autograder; with --check the unpacked zip")
    parser.add_argument("--here", action="store_true", help="judge in this process")
    parser.add_argument("--check", action="store_true", help="judge nothing, only look whether that would go")
    options = parser.parse_args()
    if options.here or options.check:
        from autograder.platforms.gradescope import judge

        judge.check(options.place) if options.check else judge.judge(options.place)
        return
    with speaking(_language(options.place / "source")):
        _wait(options.place, [sys.executable, "-P", "-m", __spec__.name, "--here", str(options.place)])


def _wait(place: Path, command: list[str]) -> None:
    results.write(results.not_judged(say("the judge was ended before it was done")), place)
    try:
        ran = subprocess.run(command, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        print(f"The judge was ended after {SECONDS:g} s.")
        results.write(results.not_judged(say("it took more than {seconds:g} s", seconds=SECONDS)), place)
    else:
        if ran.returncode < 0:
            print(f"The judge was ended by signal {-ran.returncode}; for want of memory, if that is 9. Give the "
                  "container more in the assignment's settings.")


def _language(source: Path) -> str:
    """That of the notebooks, and so of what students read."""
    try:
        for path in sorted((source / "notebooks").glob("*.ipynb")):
            found = json.loads(path.read_text(encoding="utf-8"))["metadata"]["cnncourse"]["language"]
            return found if found in LANGUAGES else "en"
    except (OSError, ValueError, LookupError, TypeError):
        pass
    return "en"


if __name__ == "__main__":
    main()
