"""Similar answers: which are found, which are no sign of anything, and how much work that is."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from random import Random

import pytest

from autograder.report.columns import MOST_LINES, side_by_side
from autograder.report.files import write_files
from autograder.report.normalize import MOST_CHARACTERS, normalize
from autograder.report.numbers import ClassNumbers
from autograder.report.similar import BANDS, MOST_IN_BAND, Similarities, find_similar
from tests.autograder import fabricated
from tests.autograder.fabricated import CHOICES, convolution, renamed


@pytest.mark.parametrize("other", [
    "def f(x, k):\n    '''Says what it does.'''\n    total = 0  # none yet\n    for i in range(k): total += x[i]\n"
    "    return total",
    "def f(a: list, b: int) -> int:\n\n    s: int = 0\n    for step in range(b):\n        s += a[step]\n    return (s)",
])
def test_form_does_not_depend_on_layout_comments_and_names(other: str) -> None:
    source = "def f(x, k):\n    t = 0\n    for i in range(k):\n        t += x[i]\n    return t\n"
    assert normalize(other, frozenset({"f"})).key == normalize(source, frozenset({"f"})).key


@pytest.mark.parametrize("other", [
    "def f(x, k):\n    t = 1\n    for i in range(k):\n        t += x[i]\n    return t\n",
    "def f(x, k):\n    t = 0\n    for i in range(k):\n        t += x[k]\n    return t\n",
    "def f(x, k):\n    t = 0\n    for i in range(k):\n        t += x[i]\n        return t\n",
    "def f(x, k):\n    t = 0\n    for i in len(k):\n        t += x[i]\n    return t\n",
    "def f(x, k):\n    t = 0\n    for i in range(k):\n        t += x[i:]\n    return t\n",
    "def f(x, k):\n    t = 0\n    for i in range(k):\n        t += x[:i]\n    return t\n",
])
def test_form_depends_on_what_is_computed(other: str) -> None:
    source = "def f(x, k):\n    t = 0\n    for i in range(k):\n        t += x[i]\n    return t\n"
    keys = {normalize(text, frozenset({"f"})).key for text in (source, other)}
    assert len(keys) == 2


@pytest.mark.parametrize("source", [
    "def f(:\n", "(" * 5000, "x = " + "-" * 15000 + "1", "a" * (MOST_CHARACTERS + 1), "\x00", "x = 0x" + "f" * 9000,
    "'\\d'", "", "x" + ".a" * 9000, "[" * 90 + "]" * 90, "\ud800",
])
def test_no_source_stops_the_comparison(source: str) -> None:
    answered = f"def f(x):\n    return x + 1\n{source}"
    form, longer = (normalize(text, frozenset({"f"})) for text in (source, answered))
    assert form.key != longer.key


def test_names_that_are_asked_for_are_not_the_writers_choice() -> None:
    asked, other = "def im2col(x):\n    return x\n", "def mine(x):\n    return x\n"
    assert normalize(asked, frozenset({"im2col"})).key != normalize(other, frozenset({"im2col"})).key
    assert normalize(asked, frozenset()).key == normalize(other, frozenset()).key


def test_of_a_very_long_answer_the_rest_is_left_out() -> None:
    text = "def f(x):\n    return x\n" + "y = f(1)\n" * MOST_CHARACTERS
    began = time.process_time()
    form = normalize(text, frozenset("f"))
    assert form.prints
    assert form.key == normalize(text + "z = f(2)\n", frozenset("f")).key
    assert time.process_time() - began < 10


def many(copies: dict[str, str]) -> dict[str, dict[str, str]]:
    """A class of a hundred, none like another where that can be, and some whose answers are given."""
    everybody = fabricated.answers(100, seed=3)
    taken = {normalize(source, frozenset({"conv2d_forward"})).key for source in copies.values()}
    everybody = {student: those for student, those in everybody.items()
                 if normalize(those["conv2d_forward"], frozenset({"conv2d_forward"})).key not in taken}
    return everybody | {student: {"conv2d_forward": source} for student, source in copies.items()}


def group_of(found: Similarities, *students: str) -> list[tuple[str, str]]:
    return [(match.answer, match.kind) for group in found.groups if group.students == students
            for match in group.matches]


def test_copies_are_found_whatever_they_are_called() -> None:
    rng = Random(0)
    ways = dict.fromkeys(CHOICES, 1)
    original = convolution(ways, renamed(rng))
    found = find_similar(many({"a": original, "b": convolution(ways, renamed(rng), "    # my own idea\n")}), {})
    assert group_of(found, "a", "b") == [("conv2d_forward", "form")]
    assert group_of(find_similar(many({"a": original, "b": original}), {}), "a", "b") == [("conv2d_forward", "letter")]


def test_formula_that_everybody_finds_is_not_listed() -> None:
    everybody = fabricated.answers(200)
    texts = {those["output_size"] for those in everybody.values()}
    assert len(texts) == 2
    copied = everybody["s00000"] | {"conv2d_forward": convolution(dict.fromkeys(CHOICES, 1))}
    found = find_similar(everybody | {"a": copied, "b": copied}, {})
    assert {match.answer for group in found.groups for match in group.matches} == {"conv2d_forward"}


def test_form_weighs_less_the_more_students_have_it() -> None:
    source = convolution(dict.fromkeys(CHOICES, 1))

    def weight(copies: int) -> float:
        found = find_similar(many({f"a{i:02d}": source for i in range(copies)}), {})
        return max((group.weight for group in found.groups if "a00" in group.students), default=0.0)

    assert weight(2) > weight(5) > weight(20) > 0
    everybody = {f"s{i}": {"conv2d_forward": source} for i in range(50)}
    assert find_similar(everybody, {}).groups == []


def test_instructors_own_answer_is_no_sign_of_anything() -> None:
    source = convolution(dict.fromkeys(CHOICES, 1))
    copies = many({"a": source, "b": source.replace("f in range", "filt in range").replace("f,", "filt,")})
    assert [group for group in find_similar(copies, {"conv2d_forward": [source]}).groups if "a" in group.students] == []


def test_pieces_of_the_instructors_answer_are_no_likeness() -> None:
    source = "def conv2d_forward" + Path(fabricated.__file__).read_text(encoding="utf-8").split("def reports")[1]
    copies = many({"a": source.replace("betavariate(4, 1.6)", "betavariate(3, 2)"),
                   "b": source.replace("rng.random() < 0.03", "rng.random() > 0.5")})
    assert group_of(find_similar(copies, {}), "a", "b") == [("conv2d_forward", "near")]
    assert group_of(find_similar(copies, {"conv2d_forward": [source]}), "a", "b") == []


def test_answer_with_one_change_is_nearly_the_same(tmp_path: Path) -> None:
    base = Path(fabricated.__file__).read_text(encoding="utf-8").split("def reports")[1]
    source = "def conv2d_forward" + base
    changed = source.replace("betavariate(4, 1.6)", "betavariate(3, 2)").replace("strength", "power")
    found = find_similar(many({"a": source, "b": changed}), {})
    assert group_of(found, "a", "b") == [("conv2d_forward", "near")]
    numbers = ClassNumbers([], {})
    rows = list(csv.reader(write_files(tmp_path, numbers, {}, found)[3].open(newline="")))
    assert [row[-1] for row in rows if row[2:4] == ["conv2d_forward", "near"] and row[-1] in "ab"] == ["a", "b"]


@pytest.mark.slow
def test_work_grows_with_the_class_and_not_with_its_square() -> None:
    comparisons = {}
    for number in (1250, 5000):
        found = find_similar(fabricated.answers(number), {})
        forms = len({normalize(those["conv2d_forward"], frozenset({"conv2d_forward", "output_size"})).key
                     for those in fabricated.answers(number).values()})
        comparisons[number] = found.comparisons
        assert found.comparisons <= forms * BANDS * (MOST_IN_BAND - 1) / 2
    # Sixteen times as many pairs, but no more than four times as many comparisons.
    assert comparisons[5000] <= 4 * comparisons[1250]


def test_columns_stand_beside_each_other_after_an_added_line() -> None:
    lines = side_by_side("a = 1\nfor i in b:\n    c(i)\n", "# mine\nx = 1\nfor i in b:\n    c(i)\n")
    assert [(line.left_number, line.right_number, line.differs) for line in lines] == [
        (0, 1, True), (1, 2, True), (2, 3, False), (3, 4, False)]
    assert lines[1].left == (("a", True), (" = 1", False)) and lines[1].right == (("x", True), (" = 1", False))
    assert "".join(text for text, _ in lines[0].right) == "# mine"
    assert len(side_by_side("x\n" * 5000, "y\n" * 5000)) == MOST_LINES + 1


def before_return(source: str, lines: str) -> str:
    head, returns, tail = source.rpartition("    return ")
    return head + lines + returns + tail


def indented(text: str) -> str:
    return "".join(f"        {line}\n" for line in text.splitlines())


def other_code(rng: Random, lines: int) -> str:
    names = ("x", "weight", "bias")
    return "".join(f"    v{i} = abs(bias.sum() - {rng.randrange(99)}) * {rng.choice(names)}.shape[0]\n"
                   f"    w{i} = [v{i}, {rng.randrange(99)}][{rng.randrange(2)}:]\n" for i in range(lines))


DISGUISES = {
    "a long comment": lambda source, rng: source + "# " + "so " * 50_000 + "\n",
    "long comments above": lambda source, rng: f"# {'x' * 90}\n" * 2_000 + source,
    "a long text": lambda source, rng: f'NOTES = """{"so it is. " * 5_000}"""\n' + source,
    "a magic": lambda source, rng: "%matplotlib inline\n" + source,
    "a question": lambda source, rng: source + "np.pad?\n",
    "a magic inside": lambda source, rng: before_return(source, "    %time\n"),
    "a command": lambda source, rng: "!pip list\n" + source + "files = !ls\n",
    "never true": lambda source, rng: before_return(source, "    if 0:\n" + indented(
        other_code(rng, 8))),
    "after the return": lambda source, rng: source + other_code(rng, 30),
    "unused values": lambda source, rng: before_return(source, other_code(rng, 12)),
    "unused functions": lambda source, rng: source + "".join(
        f"def more{i}(x, weight, bias):\n{other_code(rng, 4)}    return w0\n" for i in range(9)),
    "never called": lambda source, rng: before_return(
        source, "    if len(x) < 0 > len(bias):\n" + indented(other_code(rng, 12))),
    "run as a text": lambda source, rng: f"exec({source!r})\n",
    "a text in pieces": lambda source, rng: "exec('\\n'.join([" + ", ".join(map(repr, source.splitlines())) + "]))\n",
    "two texts": lambda source, rng: f"exec(compile({source[:90]!r} + {source[90:]!r}, 'mine', 'exec'))\n",
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_copy_is_found_in_any_disguise(disguise: str) -> None:
    rng = Random(7)
    ways = dict.fromkeys(CHOICES, 1)
    original = convolution(ways, renamed(rng))
    plain = convolution(ways, renamed(rng))
    copy = DISGUISES[disguise](plain, rng)
    assert copy != plain
    found = find_similar(many({"a": original, "b": copy}), {})
    assert group_of(found, "a", "b"), disguise


@pytest.mark.parametrize("accomplices", [2, 16, 40])
def test_a_copy_does_not_hide_among_near_copies(accomplices: int) -> None:
    rng = Random(accomplices)
    ways = dict.fromkeys(CHOICES, 1)
    crowd = {f"c{i:02d}": before_return(convolution(ways, renamed(rng)), f"    w{i} = {i} * len(bias) - {i}\n"
                                        f"    bias += 0 * w{i}\n") for i in range(accomplices)}
    copies = {"a": convolution(ways, renamed(rng)),
              "b": before_return(convolution(ways, renamed(rng)), "    x = 1 * x\n")}
    found = find_similar(many(copies | crowd), {})
    together = [set(group.students) for group in found.groups if "b" in group.students]
    assert any({"a", "b", *crowd} <= students for students in together)
