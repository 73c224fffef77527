"""Values that are no answer: objects that agree with everything, and numbers at the edge of what a computer can write."""

from __future__ import annotations

from dataclasses import replace

from tests.attacks.model import EXERCISE, HEADER, ZEROS, Attack, Notebook, Target, below, body, cell, source

SHAPE = ("shape = (len(x), len(weight), (x.shape[2] + 2 * padding - weight.shape[2]) // stride + 1,\n"
         "         (x.shape[3] + 2 * padding - weight.shape[3]) // stride + 1)\n")


def _attack(name: str, expression: str, told: str = r"forward: \d+ of \d+ cases pass", before: str = "") -> Attack:
    """Returning something that knows at most the right shape."""
    return Attack(name, "values", body(before + SHAPE + f"return {expression}"), told=told)


def _size(name: str, value: str) -> Attack:
    def edit(notebook: Notebook, target: Target) -> None:
        cell(notebook, "output_size")["source"] = f"def output_size(*settings):\n    return {value}\n"

    return Attack(name, "values", edit, points={"output_size": 0.0, EXERCISE: 0.0}, told=r"output_size: \d+ of \d+ cases pass")


def _spoil_input(notebook: Notebook, target: Target) -> None:
    cell(notebook, "zero_pad")["source"] = (
        "def zero_pad(x, padding):\n    out = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))\n"
        "    x *= 0\n    return out\n")


AGREEABLE = """
class Agreeable(np.ndarray):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __array_ufunc__(self, *args, **kwargs): return np.bool_(True)
    def __array_function__(self, *args, **kwargs): return True
    def __array_finalize__(self, other): pass
    def __bool__(self): return True
    def tobytes(self, *a): return b"\\0" * 8
"""
PRETENDER = """
class Pretender:
    def __array__(self, *args, **kwargs): raise SystemExit(0)
    def __eq__(self, other): return True
    def __getattr__(self, name):
        if name == "__array_interface__":
            return {"shape": (1 << 40,), "typestr": "<f8", "data": (1, False), "version": 3}
        raise AttributeError(name)
"""

ATTACKS = (
    Attack("an array that agrees with everything", "values", source(
        AGREEABLE + HEADER + f"    return {ZEROS}.view(Agreeable)\n")),
    Attack("an object whose __array__ exits and whose interface points anywhere", "values", source(
        PRETENDER + HEADER + "    return Pretender()\n"), told="of type Pretender"),
    Attack("a class that claims to be an array", "values", source(
        "class Claim:\n    __class__ = np.ndarray\n    shape, dtype, ndim, nbytes = (1,), np.dtype(float), 1, 8\n"
        "    def __eq__(self, other): return True\n" + HEADER + "    return Claim()\n")),
    Attack("a number that is equal to every number", "values", source(
        "class Any(float):\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0.0\n"
        "    def hex(self): return '0x1p0'\n" + HEADER + "    return Any(1)\n")),
    Attack("an array of objects that agree", "values", source(
        "class Any:\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0.0\n"
        "    def __float__(self): return 1.0\n" + HEADER +
        f"    out = np.empty({ZEROS}.shape, dtype=object)\n    out[...] = Any()\n    return out\n"),
        told="array of object"),
    _attack("NaN everywhere", "np.full(shape, np.nan)", "not finite"),
    _attack("infinity everywhere", "np.full(shape, np.inf)", "not finite"),
    _attack("both infinities in turn", "np.where(np.arange(np.prod(shape)).reshape(shape) % 2, np.inf, -np.inf)"),
    _attack("the largest numbers of both signs", "np.full(shape, 1.7e308) * np.where(np.arange(shape[3]) % 2, 1, -1)"),
    _attack("subnormal numbers", "np.full(shape, 5e-324)"),
    _attack("complex numbers", "np.full(shape, 1 + 1j)"),
    _attack("complex numbers with NaN as imaginary part", "np.full(shape, complex(0, np.nan))"),
    _attack("half precision that overflows", "np.full(shape, 6e4, dtype=np.float16) * np.float16(2)"),
    _attack("the smallest of all integers", "np.full(shape, np.iinfo(np.int64).min)"),
    _attack("truth values", "np.ones(shape, dtype=bool)"),
    _attack("a masked array with everything masked", "np.ma.masked_all(shape)"),
    _attack("a record array", "np.zeros(shape, dtype=[('a', 'f8'), ('b', 'O')])", "array of"),
    _attack("an array of text", "np.full(shape, '0.0')", "array of"),
    _attack("dates", "np.zeros(shape, dtype='datetime64[s]')", "array of"),
    _attack("long doubles", "np.zeros(shape, dtype=np.longdouble)"),
    _attack("a memory map of the judge's own file", "np.memmap('/grader/tenant.py', mode='r', dtype='u1', shape=8)"),
    _attack("one number in the shape of a gigantic array", "np.broadcast_to(0.0, (1 << 20, 1 << 20))", "could not be read"),
    _attack("an array of thirty-two dimensions", "np.zeros((1,) * 32)", "array of"),
    _attack("an array without entries and with a gigantic side", "np.zeros((0, 1 << 26, 1, 1))", "shape is"),
    replace(_attack("eight million numbers on every call", "np.ones((1, 8, 1000, 1000))", "could not be read"),
            harms_itself=True),  # they take so long that a slow machine has no time left for the exercises behind
    _attack("as many rows as there may be on every call", "np.zeros((1 << 19, 1), np.int8)", "shape is"),
    _attack("a gigantic array on every call", "np.zeros(10 ** 8, dtype=np.float32)", "could not be read"),
    _attack("a scalar in place of an array", "0.0"),
    _attack("text in place of an array", "'x' * 10 ** 6"),
    _attack("a generator", "(value for value in iter(int, 1))", "of type generator"),
    _attack("an endless iterator that claims a length", "Endless()", "of type Endless",
            "class Endless:\n    def __len__(self): return 4\n    def __getitem__(self, i): return self\n"),
    _attack("a list that contains itself", "loop", "did not finish", "loop = []\nloop.append(loop)\nloop.append(loop)\n"),
    _attack("a dictionary, a set and a function", "{'passed': True}, {1}, (lambda: True)"),
    _attack("thousands of values", "tuple(range(4000))", "shape is"),
    _attack("a type with a name of markup and escape sequences", "type('<img src=x onerror=alert(`XSS`)>\\x1b]0;XSS\\x07"
            "[bold red]', (), {})()", "of type"),
    _size("an integer of three hundred digits", "10 ** 300"),
    _size("an integer of a hundred thousand digits", "10 ** 10 ** 5"),
    _size("minus zero, NaN and infinity as a size", "(-0.0, float('nan'), float('inf'))[len(str(settings)) % 3]"),
    _size("a truth value as a size", "True"),
    Attack("write into the inputs and return what is right otherwise", "values", _spoil_input, points={},
           told="wrote into its input"),
    Attack("patch NumPy for the answers that follow", "values", below(
        "_pad = np.pad\nnp.pad = lambda x, *a, **k: _pad(0 * x, *a, **k)\nnp.sum = lambda *a, **k: 0.0\n"
        "np.zeros = np.ones\n"), points={
            EXERCISE: 0.0, "zero_pad": 0.0, "conv2d_matmul": 0.0, "dilated_conv2d": 0.0}),
)
