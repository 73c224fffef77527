"""How libraries round the size of a pooling layer's output."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.pooling.common import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry

RULES: dict[str, Callable[[int, int, int, int], int]] = {
    "Caffe": lambda w, f, s, p: geometry.caffe_pool_output_size(w, f, s, p),
    "PyTorch": lambda w, f, s, p: geometry.pytorch_pool_output_size(w, f, s, p),
    "PyTorch ceil_mode": lambda w, f, s, p: geometry.pytorch_pool_output_size(w, f, s, p, ceil_mode=True),
    "TensorFlow VALID": lambda w, f, s, p: geometry.tensorflow_output_size(w, f, s, padding="VALID"),
    "TensorFlow SAME": lambda w, f, s, p: geometry.tensorflow_output_size(w, f, s, padding="SAME"),
}


def _except(**rules: Callable[[int, int, int, int], float]) -> Callable[..., float]:
    """All rules right but some, given by the library's name with underscores."""
    def size(w: int, f: int, s: int, p: int, library: str) -> float:
        return rules.get(library.replace(" ", "_"), RULES[library])(w, f, s, p)
    return size


def _floor(w: int, f: int, s: int, p: int) -> int:
    return (w + 2 * p - f) // s + 1


def _ceil(w: int, f: int, s: int, p: int) -> int:
    return -((f - w - 2 * p) // s) + 1


def _dropped(w: int, f: int, s: int, p: int) -> int:
    return _ceil(w, f, s, p) - ((_ceil(w, f, s, p) - 1) * s >= w + p)


@exercise("pooled_size", notebook=NOTEBOOK, points=3)
class PooledSize:
    """The size that a pooling layer gives along one axis, in several libraries.

    library is one of "Caffe", "PyTorch", "PyTorch ceil_mode", "TensorFlow VALID" and "TensorFlow SAME"; the rules are
    those of the text. The padding counts on both sides and is 0 for TensorFlow, which chooses its own. Return a whole
    number.
    """

    def pooled_size(input_size, kernel_size, stride, padding, library):
        return RULES[library](input_size, kernel_size, stride, padding)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        for library in RULES:
            yield Case(f"{library}: windows that fit", (8, 2, 2, 0, library))
        for library in RULES:
            yield Case(f"{library}: windows that do not fit", (112, 3, 2, 0, library))
        for library in RULES:
            yield Case(f"{library}: three entries, stride 3, two left over", (14, 3, 3, 0, library))
        for library in RULES:
            yield Case(f"{library}: a stride larger than the window, nearly nothing left over", (21, 2, 5, 0, library))
        for library in RULES:
            yield Case(f"{library}: a stride larger than the window, much left over", (10, 2, 5, 0, library))
        for library in ("Caffe", "PyTorch", "PyTorch ceil_mode"):
            yield Case(f"{library}: padding 1", (12, 3, 2, 1, library))
            yield Case(f"{library}: padding 1, the last window would lie in the padding", (9, 2, 2, 1, library))
            yield Case(f"{library}: padding 2", (11, 5, 3, 2, library))
        for library in RULES:
            kernel, stride = (int(n) for n in rng.integers([2, 2], [6, 6]))
            padding = 0 if library.startswith("T") else int(rng.integers(0, kernel // 2 + 1))
            yield Case(f"{library}: drawn at random", (int(rng.integers(12, 60)), kernel, stride, padding, library))

    misconceptions = (
        Misconception("one rule for all: floor", "Libraries differ. Look at what the text says about each of them.",
                      lambda w, f, s, p, library: _floor(w, f, s, p)),
        Misconception("one rule for all: ceil", "Libraries differ. Look at what the text says about each of them.",
                      lambda w, f, s, p, library: _ceil(w, f, s, p)),
        Misconception("Caffe rounded down",
                      "Caffe rounds down in convolution. In pooling it rounds up: a last window may hang over.",
                      _except(Caffe=_floor)),
        Misconception("window behind the picture kept by both",
                      "Both rules that round up take back a last window that would begin behind the picture, at "
                      "row W + P or later, each under conditions of its own.",
                      _except(Caffe=_ceil, PyTorch_ceil_mode=_ceil)),
        Misconception("window in the padding kept by Caffe",
                      "Where there is padding, Caffe takes back a last window that would begin behind the picture.",
                      _except(Caffe=_ceil)),
        Misconception("window beyond the picture kept by PyTorch",
                      "In ceil_mode PyTorch takes back a last window that would begin behind the picture, with padding "
                      "or without.",
                      _except(PyTorch_ceil_mode=_ceil),
                      also=(_except(PyTorch_ceil_mode=RULES["Caffe"]),)),
        Misconception("Caffe drops a window without padding",
                      "Caffe looks for windows that begin behind the picture only if there is padding. Without any, it "
                      "keeps them: this is where it differs from PyTorch's ceil_mode.",
                      _except(Caffe=_dropped)),
        Misconception("PyTorch rounded up", "PyTorch rounds down, unless ceil_mode is asked for.",
                      _except(PyTorch=RULES["PyTorch ceil_mode"]), also=(_except(PyTorch=_ceil),)),
        Misconception("SAME rounded down",
                      "SAME gives one output for every started stride: the input divided by the stride, rounded up.",
                      _except(TensorFlow_SAME=lambda w, f, s, p: w // s)),
        Misconception("SAME keeps the size",
                      "The size stays the same only for stride 1. With a stride, SAME divides by it.",
                      _except(TensorFlow_SAME=lambda w, f, s, p: w)),
        Misconception("SAME depends on the window",
                      "For SAME the window's size plays no part: the padding is chosen so that it does not.",
                      _except(TensorFlow_SAME=lambda w, f, s, p: -(-(w - f + 1) // s)),
                      also=(_except(TensorFlow_SAME=_ceil), _except(TensorFlow_SAME=_floor))),
        Misconception("VALID rounded up",
                      "The formula of VALID has no + 1 behind the fraction: its rounding up comes to the same as "
                      "rounding down and adding one.",
                      _except(TensorFlow_VALID=_ceil)),
        Misconception("VALID and SAME swapped",
                      "VALID uses windows that lie in the picture as a whole; SAME adds zeros.",
                      _except(TensorFlow_VALID=RULES["TensorFlow SAME"], TensorFlow_SAME=RULES["TensorFlow VALID"])),
        Misconception(*words.PADDING_COUNTED_ONCE,
                      _except(**{name.replace(" ", "_"): lambda w, f, s, p, rule=rule: rule(w - p, f, s, p)
                                 for name, rule in RULES.items()})),
        Misconception(*words.NOT_ROUNDED,
                      lambda w, f, s, p, library: -(-w // s) if library == "TensorFlow SAME"
                      else (w + 2 * p - f) / s + 1),
        Misconception(*words.ONE_FORGOTTEN,
                      _except(**{name.replace(" ", "_"): lambda w, f, s, p, rule=rule: rule(w, f, s, p) - 1
                                 for name, rule in RULES.items() if not name.startswith("T")}),
                      also=(_except(TensorFlow_VALID=lambda w, f, s, p: (w - f + 1) // s),
                            _except(TensorFlow_VALID=lambda w, f, s, p: (w - f) // s))),
    )
    hints = (
        "Take an input of 7, windows of 2 and stride 2, and draw the windows. Which libraries count the last one, of "
        "which only half lies in the picture?",
        "Four of the five rules start with (W - F + 2P) / S, rounded down or up. Two of these may take a last window "
        "back: under which conditions?",
        "With n positions the last window begins at (n - 1) * S, counted from the start of the padding. The picture "
        "ends there at W + P. In whole numbers, -(-a // b) rounds a / b up.",
    )
