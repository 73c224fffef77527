"""Kernels compiled ahead of time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cnncourse.warming import warm

PROGRAM = """
import time
import numpy as np
from numba.core import event
from cnncourse import functional as F
x, weight = np.ones((1, 3, 9, 9), {dtype!r}), np.ones((2, 3, 3, 3), {dtype!r})
with event.install_recorder("numba:compile") as compiled:
    out = F.conv2d(x, weight, padding=1)
    F.conv2d_backward(out, x, weight, padding=1)
    F.max_pool2d_backward(F.max_pool2d(x, 3), x, 3)
    F.relu_backward(F.relu(x), x)
print(len(compiled.buffer))
"""


def test_what_was_warmed_is_not_compiled_again():
    announced = []
    warmed = warm(lambda name, number, total: announced.append((name, number, total)))
    assert Path(warmed.folder).is_dir()
    assert [number for _, number, _ in announced] == list(range(announced[0][2]))
    from_the_middle = []
    warm(lambda name, number, total: from_the_middle.append(name), begin=0.5)
    names, half = [name for name, _, _ in announced], len(announced) // 2
    assert from_the_middle == names[half:] + names[:half]
    for dtype in ("float32", "float64"):
        ran = subprocess.run([sys.executable, "-c", PROGRAM.format(dtype=dtype)], capture_output=True, text=True,
                             check=True)
        assert ran.stdout.strip() == "0"

