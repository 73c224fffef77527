"""Ways in which honest people write a notebook: a right answer, and what they do to the cells around it.

A notebook is a list of cells here, each a kind, a grade_id and a source. A way takes it and changes it; every way
leaves the answers right, so that each notebook that comes out has to earn everything, at home and in grading.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

SIZE, PAD, MATMUL, COLUMNS = "output_size", "zero_pad", "conv2d_matmul", "im2col"
ANSWERS = {
    SIZE: "def output_size(input_size, kernel_size, stride, padding):\n"
          "    return (input_size - kernel_size + 2 * padding) // stride + 1\n",
    PAD: "def zero_pad(x, padding):\n"
         "    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))\n",
    COLUMNS: "def im2col(x, kernel_size, stride, padding):\n"
             "    x = zero_pad(x, padding)\n"
             "    rows, columns = kernel_size\n"
             "    high = (x.shape[2] - rows) // stride + 1\n"
             "    wide = (x.shape[3] - columns) // stride + 1\n"
             "    out = np.zeros((len(x), x.shape[1] * rows * columns, high * wide), x.dtype)\n"
             "    for i in range(high):\n"
             "        for j in range(wide):\n"
             "            block = x[:, :, i * stride : i * stride + rows, j * stride : j * stride + columns]\n"
             "            out[:, :, i * wide + j] = block.reshape(len(x), -1)\n"
             "    return out\n",
    MATMUL: "def conv2d_matmul(x, weight, bias, stride, padding):\n"
            "    columns = im2col(x, weight.shape[2:], stride, padding)\n"
            "    out = weight.reshape(len(weight), -1) @ columns + bias[:, None]\n"
            "    high = output_size(x.shape[2], weight.shape[2], stride, padding)\n"
            "    return out.reshape(len(x), len(weight), high, -1)\n",
}
EXERCISES = {SIZE: (SIZE,), PAD: (PAD,), MATMUL: (COLUMNS, MATMUL)}
ORDER = {name: place for place, name in enumerate(ANSWERS)}


@dataclass
class Cell:
    """A cell of a notebook: its source, and nbgrader's name for it."""

    source: str
    name: str = ""
    kind: str = "code"

    def as_json(self, number: int) -> dict[str, Any]:
        """As it lies in the file."""
        cell: dict[str, Any] = {"cell_type": self.kind, "id": f"c{number}", "metadata": {}, "source": self.source}
        if self.kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        if self.name:
            cell["metadata"] = {"nbgrader": {"grade_id": self.name, "schema_version": 3, "solution": True}}
        return cell


class Notebook:
    """A notebook on its way to be handed in.

    Parameters
    ----------
    template : list of dict
        The cells of the released notebook, in which stubs stand.
    """

    def __init__(self, template: list[dict[str, Any]]) -> None:
        self.cells = []
        for cell in template:
            own = cell["metadata"].get("nbgrader", {})
            self.cells.append(Cell(cell["source"], own.get("grade_id", ""), cell["cell_type"]))
        self.stubs = copy.deepcopy(self.cells)

    def solve(self) -> Notebook:
        """Write the answers into their cells."""
        for cell in self.cells:
            cell.source = ANSWERS.get(cell.name, cell.source)
        return self

    def place(self, name: str) -> int:
        """Where the last cell of that name that is written stands."""
        found = [i for i, cell in enumerate(self.cells) if cell.name == name]
        stub = next(cell.source for cell in self.stubs if cell.name == name)
        return next((i for i in reversed(found) if self.cells[i].source != stub), found[-1])

    def at(self, name: str) -> Cell:
        """The last cell of that name that is written."""
        return self.cells[self.place(name)]

    def above(self, name: str, source: str) -> None:
        """Insert a cell of one's own above the first of a name."""
        first = next(i for i, cell in enumerate(self.cells) if cell.name == name)
        self.cells.insert(first, Cell(source))

    def below(self, name: str, source: str) -> None:
        """Insert a cell of one's own below the last of a name."""
        last = max(i for i, cell in enumerate(self.cells) if cell.name == name)
        self.cells.insert(last + 1, Cell(source))

    def as_json(self) -> dict[str, Any]:
        """The file."""
        return {"nbformat": 4, "nbformat_minor": 5, "metadata": {},
                "cells": [cell.as_json(number) for number, cell in enumerate(self.cells)]}


Way = Callable[[Notebook, Random], None]
WAYS: dict[str, Way] = {}
"""By name; all of them leave the answers right."""
NEVER_AT_HOME: set[str] = set()
"""Ways that at home have to be interrupted, or end the kernel."""

RESCUED = {"a stub left below in the cell", "all answers merged", "an old copy pasted below", "everything twice"}
"""Ways after which at home a stub stands last: what was written counts all the same."""


def way(function: Way) -> Way:
    """Declare a way; its name is the function's in words."""
    WAYS[function.__name__.strip("_").replace("_", " ")] = function
    return function


def helper(name: str, above: str, answer: str, old: str, new: str) -> None:
    """Declare a way: an answer that uses something that a cell of one's own above it defines."""
    def change(notebook: Notebook, rng: Random) -> None:
        cell = notebook.at(answer)
        if old not in cell.source:
            return  # another way has written it otherwise
        cell.source = cell.source.replace(old, new)
        notebook.above(answer, above)
    WAYS[name] = change


def beside(name: str, source: str, home: bool = True) -> None:
    """Declare a way: a cell of one's own somewhere, which no answer needs."""
    def change(notebook: Notebook, rng: Random) -> None:
        notebook.cells.insert(rng.randint(1, len(notebook.cells)), Cell(source))
    WAYS[name] = change
    if not home:
        NEVER_AT_HOME.add(name)


def within(name: str, old: str, new: str, answer: str = SIZE) -> None:
    """Declare a way: an answer cell with something else in it."""
    def change(notebook: Notebook, rng: Random) -> None:
        cell = notebook.at(answer)
        cell.source = cell.source.replace(old, new) if old else new.format(cell.source)
    WAYS[name] = change


SUM, PADDED = "(input_size - kernel_size + 2 * padding) // stride + 1", "np.pad(x,"
helper("an alias of a function", "pad = np.pad\n", PAD, PADDED, "pad(x,")
helper("a constant that is computed", "TWO = 4 // 2\nONE = TWO - 1", SIZE, SUM,
       "(input_size - kernel_size + TWO * padding) // stride + ONE")
helper("a list made by a loop", "AXES = [k for k in range(1, 4)]\n", SIZE, SUM, SUM[:-1] + "AXES[0]")
helper("a table built by a loop", "table = {}\nfor k in range(300):\n    table[k] = 2 * k\n", SIZE, "2 * padding",
       "table[padding]")
helper("a list filled in a second statement", "powers = []\npowers.append(1)\npowers += [2]\n", SIZE, "+ 1",
       "+ powers[0]")
helper("an empty set that the answer fills", "SEEN = set()\n", SIZE, "    return", "    SEEN.add(stride)\n    return")
helper("a type by another name", "DT = np.float32\n", PAD, "    return", "    assert DT is np.float32\n    return")
helper("a function under if", "if True:\n    def ends(n):\n        return 2 * n\nelse:\n    ends = None\n", SIZE,
       "2 * padding", "ends(padding)")
helper("a function under try", "try:\n    import no_such_package\nexcept ImportError:\n    def ends(n):\n"
       "        return 2 * n\n", SIZE, "2 * padding", "ends(padding)")
helper("a function under with", "import contextlib\nwith contextlib.suppress(ZeroDivisionError):\n    def ends(n):\n"
       "        return 2 * n\n    1 / 0\n", SIZE, "2 * padding", "ends(padding)")
helper("a function in a loop", "for factor in (2,):\n    def ends(n, factor=factor):\n        return factor * n\n",
       SIZE, "2 * padding", "ends(padding)")
helper("a lambda", "ends = lambda n: 2 * n\n", SIZE, "2 * padding", "ends(padding)")
helper("a class with state", "class Counter:\n    count = 0\n    def ends(self, n):\n        self.count += 1\n"
       "        return 2 * n\ncounter = Counter()\n", SIZE, "2 * padding", "counter.ends(padding)")
helper("a dataclass", "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Sides:\n    n: int\n"
       "    both: int = 2\n", SIZE, "2 * padding", "Sides(padding).both * padding")
helper("a named tuple", "from collections import namedtuple\nSides = namedtuple('Sides', 'left right')\n", SIZE,
       "2 * padding", "sum(Sides(padding, padding))")
helper("a partial function", "from functools import partial\nends = partial(lambda k, n: k * n, 2)\n", SIZE,
       "2 * padding", "ends(padding)")
helper("a cached function", "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef ends(n): return 2 * n\n",
       SIZE, "2 * padding", "ends(padding)")
helper("a decorator of one's own", "def twice(f):\n    def inner(n):\n        return 2 * f(n)\n    return inner\n\n"
       "@twice\ndef ends(n):\n    return n\n", SIZE, "2 * padding", "ends(padding)")
helper("a function made by a function", "def scaled(k):\n    return lambda n: k * n\nends = scaled(2)\n", SIZE,
       "2 * padding", "ends(padding)")
helper("a recursive function", "def ends(n):\n    return 0 if n == 0 else 2 + ends(n - 1)\n", SIZE, "2 * padding",
       "ends(padding)")
helper("several names at once", "(one, *rest), two = (1, 5, 6), 2\n", SIZE, "2 * padding", "two * padding")
helper("a conditional expression", "two = 2 if np.pi > 3 else 3\n", SIZE, "2 * padding", "two * padding")
helper("a name bound while asking", "if (two := 2) > 1:\n    pass\n", SIZE, "2 * padding", "two * padding")
helper("an import under another name", "import math as m\n", SIZE, SUM,
       "m.floor((input_size - kernel_size + 2 * padding) / stride) + 1")
helper("an import of everything", "from math import *\n", SIZE, SUM,
       "floor((input_size - kernel_size + 2 * padding) / stride) + 1")
helper("NumPy imported again", "import numpy\nfrom numpy import pad as fill\n", PAD, PADDED, "fill(x,")
helper("an array computed by NumPy", "both = np.array([1, 1]).sum()\n", SIZE, "2 * padding", "int(both) * padding")
helper("a random generator", "rng = np.random.default_rng(0)\nnoise = rng.random()\n", PAD, "    return",
       "    assert 0 <= noise < 1\n    return")
helper("text that makes code", "exec('def ends(n): return 2 * n')\n", SIZE, "2 * padding", "ends(padding)")
helper("names in globals", "globals()['two'] = 2\n", SIZE, "2 * padding", "two * padding")
helper("names that are changed by a function", "two = 0\ndef set_up():\n    global two\n    two = 2\nset_up()\n", SIZE,
       "2 * padding", "two * padding")
helper("an annotated constant", "two: int = 2\nlater: int\n", SIZE, "2 * padding", "two * padding")
helper("a constant in another script", "größe = 2\n变 = 1\n", SIZE, "2 * padding", "größe * padding * 变")
helper("a generator", "def twos():\n    while True:\n        yield 2\nstream = twos()\n", SIZE, "2 * padding",
       "next(stream) * padding")
helper("a slice by name", "inner = slice(0, None)\n", PAD, "return np", "x = x[inner]\n    return np")
helper("a magic above a helper", "%matplotlib inline\n%load_ext autoreload\ndef ends(n):\n    return 2 * n\n", SIZE,
       "2 * padding", "ends(padding)")
helper("a cell that is timed", "%%time\ndef ends(n):\n    return 2 * n\n", SIZE, "2 * padding", "ends(padding)")
helper("a cell whose output is captured", "%%capture out\nprint('much')\ndef ends(n):\n    return 2 * n\n", SIZE,
       "2 * padding", "ends(padding)")
helper("a statement that is timed", "%time two = 2\nthree = %time 3\n", SIZE, "2 * padding",
       "two * (three - 2) * padding")
helper("commands in a cell", "!true\nfiles = !ls\ncount = len(files)\ndef ends(n):\n    return 2 * n\n", SIZE,
       "2 * padding", "ends(padding)")
helper("a question in a cell", "np.zeros?\n?np.pad\ndef ends(n):\n    return 2 * n\n", SIZE, "2 * padding",
       "ends(padding)")
helper("a cell with waiting", "import asyncio\nawait asyncio.sleep(0)\nasync def get():\n"
       "    await asyncio.sleep(0.01)\n    return 2\ntwo = await get()\n", SIZE, "2 * padding", "two * padding")
helper("a cell indented as a whole", "    two = 2\n    def ends(n):\n        return two * n\n", SIZE, "2 * padding",
       "ends(padding)")
helper("a cell copied from a terminal", ">>> two = 2\n>>> def ends(n):\n...     return two * n\n...\n", SIZE,
       "2 * padding", "ends(padding)")
helper("a helper above a statement that fails", "def ends(n):\n    return 2 * n\n1 / 0\n", SIZE, "2 * padding",
       "ends(padding)")
helper("a helper in a cell that uses the reference", "shape = F.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), "
       "np.zeros(1)).shape\ndef ends(n):\n    return 2 * n\n", SIZE, "2 * padding", "ends(padding)")
helper("a helper in a cell that imports the course", "from cnncourse import functional as F, geometry\n"
       "from autograder import check\ntwo = 2\n", SIZE, "2 * padding", "two * padding")
helper("a helper that keeps its main part apart", "if __name__ == '__main__':\n    two = 2\n", SIZE, "2 * padding",
       "two * padding")

within("a magic in an answer cell", "", "%matplotlib inline\n{}")
within("an answer cell that is timed", "", "%%time\n{}")
within("an answer cell whose output is captured", "", "%%capture\n{}\nprint(output_size(7, 3, 2, 0))")
within("a question in an answer cell", "", "{}\noutput_size?\n")
within("commands in an answer cell", "", "files = !ls\n{}\n!ls\n")
within("a magic within an answer", "    return", "    %time sum([1])\n    return")
within("waiting in an answer cell", "", "import asyncio\nawait asyncio.sleep(0)\n{}")
within("annotations stay text", "", "from __future__ import annotations\n{}")
within("annotations that name the reference", "(input_size,", "(input_size: 'geometry.Window',")
within("tests below an answer", "", "{}\nassert output_size(7, 3, 2, 0) == 3\nprint(output_size(10, 3, 1, 0));")
within("a test with the reference below an answer", "", "{}\nprint(F.zero_pad) if hasattr(F, 'zero_pad') else None\n"
       "print(geometry.output_size(7, 3, stride=2))\n")
within("a check in the answer cell", "", "{}\ncheck('output_size', output_size)\n")
within("something shown within an answer", "    return", "    display(stride)\n    return")
within("windows line ends", "", "import math\r\n{}\r\n")
within("an older answer left above", "", "def output_size(*settings):\n    raise NotImplementedError\n\n{}")
within("a stub left below in the cell", "", "{}\n\ndef output_size(*settings):\n    # YOUR CODE HERE\n"
       "    raise NotImplementedError\n")
within("an answer under try", "", "try:\n    del nothing_here\nexcept NameError:\n    pass\n{}")
within("an answer that is a lambda", "", "output_size = lambda n, k, s, p: (n - k + 2 * p) // s + 1\n")
within("an answer by another name", "",
       "def size(n, k, s, p):\n    return (n - k + 2 * p) // s + 1\n\noutput_size = size\n")
within("an answer with a cache", "", "from functools import lru_cache\n\n@lru_cache(maxsize=None)\n{}")
within("a docstring with prompts and percent signs", "):\n", "):\n    '''\n    >>> output_size(7, 3, 2, 0)\n    3\n\n"
       "    %time is for others, and so is !ls. 100 %?\n    '''\n")

beside("a cell that prints", "print('hello', np.arange(3))\nfor i in range(3):\n    print(i)\n")
beside("a cell that is no Python", "this is no Python (\n")
beside("a cell of notes", "# only a comment\n")
beside("an empty cell", "\n")
beside("a cell that raises", "raise ValueError('stop here')\n")
beside("a cell that stops", "import sys\nsys.exit()\n")
beside("a cell that asks", "answer = input('your name? ')\n", home=False)
beside("a cell that never ends", "n = 0\nwhile True:\n    n += 1\n", home=False)
beside("a cell that never ends and may do anything", "import sys\nn = 0\nwhile True:\n    n += len(sys.argv)\n",
       home=False)
beside("a cell that catches every interruption", "import sys\nwhile True:\n    try:\n        while sys: pass\n"
       "    except: sys.exc_info()\n", home=False)
beside("a cell that prints without end", "import sys\nwhile True:\n    sys.stdout.write('x' * 1000)\n", home=False)
beside("a cell that waits for ever", "import time, os\nos.getcwd(), time.sleep(10 ** 6)\n", home=False)
beside("a cell that is busy in C", "import sys\nsys.getsizeof(sum(iter(int, 1)))\n", home=False)
beside("a cell that ends the kernel", "import os\nos._exit(1)\n", home=False)
beside("a cell that fills memory", "kept = []\nwhile True:\n    kept.append(bytearray(1 << 26))\n", home=False)
beside("a cell that installs", "%pip install tqdm\n!pip install scipy\n", home=False)
beside("a cell that changes the folder", "import os, tempfile\nwas = os.getcwd()\nos.chdir(tempfile.gettempdir())\n"
       "os.chdir(was)\n")
beside("a cell that draws", "import matplotlib\nmatplotlib.use('Agg')\nfrom matplotlib import pyplot as plt\n"
       "plt.plot([1, 2])\nplt.show()\n")
beside("a cell that reads a file", "data = open('my-data.txt').read()\n")
beside("a cell of shell", "%%bash\nls\n")
beside("a cell of another language", "%%html\n<b>x</b>\n")
beside("a cell that measures", "%timeit -n 1 -r 1 sum([1])\n")
beside("a cell that deletes a name", "helper = 1\ndel helper\n")
beside("a cell with an import that is not there", "import no_such_package\n")


@way
def the_helper_in_a_cell_above(notebook: Notebook, rng: Random) -> None:
    """An answer cell split in two, of which the lower keeps the name."""
    notebook.above(SIZE, "def positions(free, stride):\n    return free // stride + 1\n")
    notebook.at(SIZE).source = ("def output_size(n, k, stride, padding):\n"
                                "    return positions(n - k + 2 * padding, stride)\n")


@way
def the_helper_in_the_answer_cell_and_the_answer_below(notebook: Notebook, rng: Random) -> None:
    """An answer cell split in two, of which the upper keeps the name."""
    source = notebook.at(SIZE).source
    notebook.at(SIZE).source = "def positions(free, stride):\n    return free // stride + 1\n"
    notebook.below(SIZE, source)


@way
def both_halves_with_the_same_name(notebook: Notebook, rng: Random) -> None:
    """An answer cell split in two by an editor that copies the metadata."""
    place = notebook.place(PAD)
    source = notebook.cells[place].source
    notebook.cells[place].source = "def around(n):\n    return n, n\n"
    notebook.cells.insert(place + 1, Cell(source, PAD))


@way
def the_function_above_and_its_helper_below(notebook: Notebook, rng: Random) -> None:
    """A function in the answer cell, what it calls in a cell below."""
    notebook.at(SIZE).source = ("def output_size(n, k, stride, padding):\n"
                                "    return positions(n - k + 2 * padding, stride)\n")
    notebook.below(SIZE, "def positions(free, stride):\n    return free // stride + 1\n")


@way
def the_stub_left_and_the_answer_below(notebook: Notebook, rng: Random) -> None:
    """The answer in a new cell under the answer cell."""
    _leave_stub(notebook, PAD)


@way
def the_answer_below_its_check(notebook: Notebook, rng: Random) -> None:
    """The answer in a new cell under the check, which is asked again there."""
    source = _restub(notebook, SIZE)
    notebook.below(f"check-{SIZE}", source + f"\ncheck('{SIZE}', {SIZE})\n")


@way
def the_answer_at_the_end(notebook: Notebook, rng: Random) -> None:
    """The answer in the last cell."""
    notebook.cells.append(Cell(_restub(notebook, MATMUL)))


@way
def the_answer_in_its_check_cell(notebook: Notebook, rng: Random) -> None:
    """The answer written into the cell that checks it."""
    check = next(cell for cell in notebook.cells if cell.name == f"check-{SIZE}")
    check.source = _restub(notebook, SIZE) + "\n" + check.source


@way
def everything_twice(notebook: Notebook, rng: Random) -> None:
    """A copy of the whole below."""
    notebook.cells += copy.deepcopy(notebook.cells)


@way
def an_old_copy_pasted_below(notebook: Notebook, rng: Random) -> None:
    """The notebook as it was handed out, below what was written."""
    notebook.cells += copy.deepcopy(notebook.stubs)


@way
def an_old_copy_pasted_above(notebook: Notebook, rng: Random) -> None:
    """The notebook as it was handed out, above what was written."""
    notebook.cells = copy.deepcopy(notebook.stubs) + notebook.cells


@way
def two_answers_merged(notebook: Notebook, rng: Random) -> None:
    """One cell with two answers, the other cell gone."""
    lower = notebook.cells.pop(notebook.place(MATMUL))
    notebook.at(COLUMNS).source += "\n\n" + lower.source


@way
def all_answers_merged(notebook: Notebook, rng: Random) -> None:
    """All answers in the first answer cell, the others left as they were."""
    notebook.at(SIZE).source = "\n\n".join(_restub(notebook, name) for name in ANSWERS)


@way
def names_lost(notebook: Notebook, rng: Random) -> None:
    """A notebook that went through a program that drops metadata."""
    for cell in notebook.cells:
        cell.name = ""


@way
def checks_deleted(notebook: Notebook, rng: Random) -> None:
    """No check is left."""
    notebook.cells = [cell for cell in notebook.cells if not cell.name.startswith("check-")]


@way
def the_name_of_the_answer_used_again(notebook: Notebook, rng: Random) -> None:
    """A result called like the function, after the check and where nothing needs it any more."""
    notebook.cells.append(Cell(f"{SIZE} = {SIZE}(7, 3, 2, 0)\n"))


@way
def a_constant_used_again(notebook: Notebook, rng: Random) -> None:
    """A name of the answer's bound to something else, after its check."""
    cell = notebook.at(MATMUL)
    cell.source = "new = None\n" + cell.source.replace("bias[:, None]", "bias[:, new]")
    notebook.below(f"check-{MATMUL}", "for new in (1, 2):\n    pass\n")


@way
def a_helper_used_again(notebook: Notebook, rng: Random) -> None:
    """A helper's name for another helper, after the check."""
    notebook.above(SIZE, "def count(free, stride):\n    return free // stride + 1\n")
    notebook.at(SIZE).source = ("def output_size(n, k, stride, padding):\n"
                                "    return count(n - k + 2 * padding, stride)\n")
    notebook.cells.append(Cell("def count(letters):\n    return len(letters)\n"))
    if any(cell.name == MATMUL for cell in notebook.cells):
        notebook.at(MATMUL).source = notebook.at(MATMUL).source.replace(
            "high = output_size(x.shape[2], weight.shape[2], stride, padding)",
            "high = (x.shape[2] - weight.shape[2] + 2 * padding) // stride + 1")


@way
def imports_added_to_the_given_cell(notebook: Notebook, rng: Random) -> None:
    """The course's cell of imports with one more."""
    given = next(cell for cell in notebook.cells if "from autograder import" in cell.source)
    given.source += "\nimport math\n"
    notebook.at(SIZE).source = ("def output_size(n, k, stride, padding):\n"
                                "    return math.floor((n - k + 2 * padding) / stride) + 1\n")


@way
def imports_added_to_the_setup_cell(notebook: Notebook, rng: Random) -> None:
    """The setup cell with one more import."""
    given = next(cell for cell in notebook.cells if cell.source.startswith("import numpy as np"))
    given.source += "\nimport math\n"
    notebook.at(SIZE).source = ("def output_size(n, k, stride, padding):\n"
                                "    return math.floor((n - k + 2 * padding) / stride) + 1\n")


@way
def wrong_at_first_and_right_below(notebook: Notebook, rng: Random) -> None:
    """An attempt that is wrong, and the answer in a cell of its own below."""
    source = notebook.at(SIZE).source
    notebook.at(SIZE).source = "def output_size(n, k, stride, padding):\n    return n\n"
    notebook.below(SIZE, source)


def _restub(notebook: Notebook, name: str) -> str:
    """Put the stub back where an answer was; what had been written."""
    cell = notebook.at(name)
    source, cell.source = cell.source, next(stub.source for stub in notebook.stubs if stub.name == name)
    return source


def _leave_stub(notebook: Notebook, name: str) -> None:
    source = _restub(notebook, name)
    notebook.below(name, source)


def drawn(template: list[dict[str, Any]], seed: int) -> tuple[Notebook, list[str]]:
    """A notebook written in two or three ways, drawn by chance, and their names."""
    rng = Random(seed)
    names = rng.sample(sorted(WAYS.keys() - NEVER_AT_HOME), rng.randint(2, 3))
    return written(template, names, rng), names


def written(template: list[dict[str, Any]], names: list[str], rng: Random) -> Notebook:
    """A notebook written in these ways, one after the other; those that drop names or copy all come last."""
    notebook = Notebook(template).solve()
    for name in sorted(names, key=lambda name: (name in LATE, LATE.index(name) if name in LATE else 0)):
        WAYS[name](notebook, rng)
    return notebook


LATE = ["all answers merged", "two answers merged", "an old copy pasted above", "an old copy pasted below",
        "everything twice", "the name of the answer used again", "checks deleted", "names lost"]
