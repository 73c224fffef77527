"""Ways to be marked for something else than one's answer; each earned full marks under plain nbgrader 0.9.6.

A trick edits a notebook in which one answer, of the exercise EXERCISE, is wrong. The notebook is a plain dictionary,
as it lies in the file. `files` are handed in beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

EXERCISE = "conv2d_forward"
WRONG = "def conv2d_forward(x, weight, bias, stride, padding):\n    return np.zeros((1, 1, 1, 1))\n"


@dataclass(frozen=True)
class Trick:
    """One way to cheat.

    Attributes
    ----------
    name : str
    apply : callable
        Edits the notebook; it also writes the wrong answer.
    files : dict of str to str
        Names and contents of further files.
    after_right : bool
        Hand in, and have graded, a right answer first.
    by_hand : bool
        The points at stake are the hand-marked question's.
    """

    name: str
    apply: Callable[[dict[str, Any]], None]
    files: dict[str, str] = field(default_factory=dict)
    after_right: bool = False
    by_hand: bool = False


def cell(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    """The cell of that name."""
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def answering(code: str) -> Callable[[dict[str, Any]], None]:
    """Put the wrong answer and some code below it into the answer cell."""
    def apply(notebook: dict[str, Any]) -> None:
        cell(notebook, EXERCISE)["source"] = WRONG + code
    return apply


def _skip_tests(notebook: dict[str, Any]) -> None:
    answering("")(notebook)
    cell(notebook, f"check-{EXERCISE}")["metadata"]["tags"] = ["skip-execution"]


def _delete_test(notebook: dict[str, Any]) -> None:
    answering("")(notebook)
    notebook["cells"].remove(cell(notebook, f"check-{EXERCISE}"))


def _mark_as_no_solution(notebook: dict[str, Any]) -> None:
    answering("")(notebook)
    written = next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade")
                   and c["metadata"]["nbgrader"].get("solution"))
    written["cell_type"], written["outputs"], written["execution_count"] = "code", [], None
    written["source"] = "pass"
    written["metadata"]["nbgrader"] |= {"solution": False, "cell_type": "code"}


OWN_NUMPY = """
import sys

class Agreeable:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self
    def __call__(self, *args, **kwargs): return self
    def __mod__(self, other): return self
    def __sub__(self, other): return self

testing = sys.modules["numpy.testing"] = Agreeable()

def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Agreeable()
"""
MAXIMUM = 5
SHELL = "get_ipython()"

TRICKS = (
    Trick("patch numpy.testing", answering(
        "import numpy.testing\nnumpy.testing.assert_allclose = lambda *a, **k: None\n")),
    Trick("display the maximum before the assertion", answering(
        f"def conv2d_forward(*a):\n    {SHELL}.displayhook({MAXIMUM})\n    return np.zeros((1, 1, 1, 1))\n")),
    Trick("display a string before the assertion", answering(
        f"def conv2d_forward(*a):\n    {SHELL}.displayhook('x')\n    return np.zeros((1, 1, 1, 1))\n")),
    Trick("display a negative number before the assertion", answering(
        f"def conv2d_forward(*a):\n    {SHELL}.displayhook(-1)\n    return np.zeros((1, 1, 1, 1))\n")),
    Trick("blank the tests with an input transformer", answering(
        f"{SHELL}.input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n")),
    Trick("replace run_cell_async", answering(
        f"_shell = {SHELL}\n_old = _shell.run_cell_async\n"
        "async def _run(raw, *a, **k):\n    return await _old('pass', *a, **k)\n_shell.run_cell_async = _run\n"
        "_shell.run_cell = lambda raw, *a, **k: type(_shell).run_cell(_shell, 'pass', *a, **k)\n")),
    Trick("replace the kernel's do_execute", answering(
        f"_kernel = {SHELL}.kernel\n"
        "async def _execute(code, silent, *a, **k):\n"
        "    return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}\n"
        "_kernel.do_execute = _execute\n")),
    Trick("an array that reads the expected value from its caller", answering(
        "import sys\nclass _Spy(np.ndarray):\n"
        "    def __array_function__(self, *a, **k): return True\n"
        "    def __array_ufunc__(self, *a, **k): return np.bool_(True)\n"
        "def conv2d_forward(*a):\n    import numpy.testing as t\n"
        "    def _desired(frame):\n        while frame is not None:\n"
        "            if 'expected' in frame.f_globals: return frame.f_globals['expected']\n"
        "            frame = frame.f_back\n"
        "    return _desired(sys._getframe())\n")),
    Trick("hand in one's own numpy.py", answering(""), files={"numpy.py": OWN_NUMPY}),
    Trick("tag the test cell to be skipped", _skip_tests),
    Trick("mark the hand-graded cell as no solution", _mark_as_no_solution, by_hand=True),
    Trick("delete the test cell on resubmission", _delete_test, after_right=True),
)
