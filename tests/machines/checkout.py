"""A checkout in small: the launcher and a package that installs in a second, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "cnncourse"
version = "0.1.0"
requires-python = ">=3.11,<3.16"
"""

BACKEND = '''\
"""Builds wheels, slowly where it is told so."""
import os, time, zipfile

NAME = "cnncourse-0.1.0"

def build_editable(folder, settings=None, metadata=None):
    info = NAME + ".dist-info"
    with zipfile.ZipFile(os.path.join(folder, NAME + "-py3-none-any.whl"), "w") as wheel:
        files = {
            "cnncourse.pth": os.path.dirname(os.path.abspath(__file__)),
            f"{info}/METADATA": "Metadata-Version: 2.1\\nName: cnncourse\\nVersion: 0.1.0\\n"
                                + "".join(f"Provides-Extra: {extra}\\n" for extra in ("lab", "grade", "book")),
            f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: backend\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        }
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\\n" for name in [*files, f"{info}/RECORD"]))
    open("building", "w").close()
    time.sleep(float(os.environ.get("SLOWLY", "0")))
    return NAME + "-py3-none-any.whl"
'''

COMMAND = """\
import importlib.metadata, pip, sys
print("handed over", *sys.argv[1:], sys.prefix, importlib.metadata.version("cnncourse"), sep="|")
"""


def make(folder: Path) -> Path:
    """Write the checkout into a folder that is not there yet."""
    (folder / "autograder").mkdir(parents=True)
    shutil.copy(ROOT / "course.py", folder)
    for name, text in {"pyproject.toml": PROJECT, "backend.py": BACKEND, "constraints.txt": "",
                       "autograder/__init__.py": "", "autograder/cli.py": COMMAND}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def environment(**more: str) -> dict[str, str]:
    """What the launcher gets: nothing of the tests' own environment."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")} | more


def launch(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Call the launcher to its end."""
    return subprocess.run([sys.executable, str(folder / "course.py"), *arguments], cwd=folder, env=environment(**more),
                          capture_output=True, text=True, check=False)


def works(ran: subprocess.CompletedProcess[str], folder: Path, *arguments: str) -> bool:
    """Whether the command was reached, in the environment of this folder."""
    return ran.stdout == "|".join(["handed over", *arguments, str(folder / ".venv"), "0.1.0"]) + "\n"
