"""Bytes as people read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.memory.common import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise

DECIMAL, BINARY = ("B", "kB", "MB", "GB", "TB"), ("B", "KiB", "MiB", "GiB", "TiB")


def _formatted(
    steps: tuple[int, int] = (1000, 1024), units: tuple[tuple[str, ...], tuple[str, ...]] = (DECIMAL, BINARY),
    threshold: Callable[[int], float] = float, show: Callable[[float], str] = lambda value: f"{value:.1f}",
    show_bytes: Callable[[int], str] = str, times: int = 1, separator: str = " ",
) -> Callable[[int, bool], str]:
    """A way to write bytes; by default the right one."""
    def formatted(count: int, binary: bool) -> str:
        step, names, count = steps[bool(binary)], units[bool(binary)], count * times
        power = 0
        while power < len(names) - 1 and count / step**power >= threshold(step):
            power += 1
        number = show(count / step**power) if power else show_bytes(count)
        return f"{number}{separator}{names[power]}"
    return formatted


def _always(power: int) -> Callable[[int, bool], str]:
    """The same unit whatever the number."""
    def always(count: int, binary: bool) -> str:
        return f"{count / (1024 if binary else 1000)**power:.1f} {(BINARY if binary else DECIMAL)[power]}"
    return always


def _divided_whole(count: int, binary: bool) -> str:
    """Each division cuts the fraction off."""
    step, names, power = 1024 if binary else 1000, BINARY if binary else DECIMAL, 0
    while power < len(names) - 1 and count >= step:
        count, power = count // step, power + 1
    return f"{count:.1f} {names[power]}" if power else f"{count} B"


def _apart(count: int, binary: bool) -> tuple[float, str]:
    number, unit = _formatted()(count, binary).split()
    return float(number), unit


def _number_only(count: int, binary: bool) -> str:
    return _formatted()(count, binary).split()[0]


@exercise("format_bytes", notebook=NOTEBOOK, points=2)
class FormatBytes:
    """Write a number of bytes with the unit that suits it.

    With `binary` False the units are B, kB, MB, GB, TB, each 1,000 times the one before; with `binary` True they are
    B, KiB, MiB, GiB, TiB, each 1,024 times the one before. Take the largest unit of which there is at least one, and
    write one digit after the point, a space and the unit: "61.0 MB". Bytes themselves are whole numbers: "512 B".
    """

    def format_bytes(count, binary):
        return _formatted()(count, binary)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def drawn(step: int, power: int) -> int:
            """So many bytes that one digit after the point is never a matter of taste."""
            tenths = int(rng.integers(30, 9000)) + rng.choice([0.25, 0.7])
            return int(tenths / 10 * step**power)

        yield Case("fewer than a thousand", (int(rng.integers(300, 900)), False))
        yield Case("megabytes", (drawn(1000, 2), False))
        yield Case("mebibytes", (drawn(1024, 2), True))
        yield Case("the activations of VGG-16 in megabytes", (60950432, False))
        yield Case("the same in mebibytes", (60950432, True))
        yield Case("nothing", (0, True))
        yield Case("just below a kilobyte", (999, False))
        yield Case("exactly a kilobyte", (1000, False))
        yield Case("a thousand bytes in binary units", (1000, True))
        yield Case("exactly a kibibyte", (1024, True))
        yield Case("exactly a mebibyte, in decimal units", (2**20, False))
        yield Case("12 GB in binary units", (12 * 10**9, True))
        yield Case("12 GiB in decimal units", (12 * 2**30, False))
        for power in (1, 2, 3):
            yield Case(f"decimal, drawn at random ({power})", (drawn(1000, power), False))
            yield Case(f"binary, drawn at random ({power})", (drawn(1024, power), True))
        yield Case("terabytes", (drawn(1000, 4), False))
        yield Case("tebibytes", (drawn(1024, 4), True))
        yield Case("more than a thousand of the largest unit", (int((4321.3 + int(rng.integers(999))) * 1e12), False))

    misconceptions = (
        Misconception(*words.BINARY_AND_DECIMAL_SWAPPED, _formatted(steps=(1024, 1000))),
        Misconception("powers of 1,024 for both",
                      "A megabyte is a million bytes. Only the units with an i are powers of 1,024.",
                      _formatted(steps=(1024, 1024))),
        Misconception("powers of 1,000 for both",
                      "A mebibyte is 1,024 times 1,024 bytes. Only the units without an i are powers of 1,000.",
                      _formatted(steps=(1000, 1000))),
        Misconception("binary units without their i",
                      "The number is right, but MB means a million bytes. The unit of 2**20 bytes is called MiB.",
                      _formatted(units=(DECIMAL, ("B", "kB", "MB", "GB", "TB")))),
        Misconception("a capital K for a thousand",
                      "In decimal units the letter for a thousand is a small k; the capital K stands in KiB.",
                      _formatted(units=(("B", "KB", "MB", "GB", "TB"), BINARY))),
        Misconception(*words.BITS, _formatted(times=8)),
        Misconception("always the same unit",
                      "The unit depends on the number: the largest one of which there is at least one.", _always(2),
                      also=(_always(1), _always(3))),
        Misconception("the unit comes one byte too late",
                      "A unit is used as soon as there is at least one of it: exactly 1,000 bytes are a kilobyte.",
                      _formatted(threshold=lambda step: step + 1e-9)),
        Misconception("a new unit at 1,000 in binary, too",
                      "1,000 bytes are less than one KiB, so they are still written in bytes.",
                      _formatted(threshold=lambda step: 1000)),
        Misconception("cut off instead of rounded",
                      "One digit after the point is rounded to the nearest; here the rest was thrown away.",
                      _formatted(show=lambda value: f"{math.floor(value * 10) / 10:.1f}")),
        Misconception("fractions lost on the way",
                      "The digit after the point has to survive every division: // throws it away.", _divided_whole),
        Misconception("a small k in binary units",
                      "In binary units the letter for 1,024 is a capital K; the small k stands in kB.",
                      _formatted(units=(DECIMAL, ("B", "kiB", *BINARY[2:])))),
        Misconception("units in small letters", "Units are written as in the table: M is mega, and B is byte.",
                      lambda count, binary: _formatted()(count, binary).lower()),
        Misconception("commas in the number", "Bytes are written as a plain whole number, without a comma.",
                      _formatted(show_bytes=lambda value: f"{value:,}"),
                      also=(_formatted(show=lambda value: f"{value:,.1f}", show_bytes=lambda value: f"{value:,}"),)),
        Misconception("number and unit apart", "One text is wanted, with the number and the unit in it.", _apart,
                      also=(lambda count, binary: tuple(_formatted()(count, binary).split()),)),
        Misconception("another number of digits", "There has to be one digit after the point, even if it is a zero.",
                      _formatted(show=lambda value: f"{value:.0f}"),
                      also=(_formatted(show=lambda value: f"{value:.2f}"),
                            _formatted(show=lambda value: f"{value:g}"), _formatted(show=str),
                            _formatted(show=lambda value: str(round(value))),
                            _formatted(show=lambda value: f"{value:.3f}"))),
        Misconception("bytes with a fraction", "A number of bytes is whole: it is written without a point.",
                      _formatted(show_bytes=lambda value: f"{value:.1f}")),
        Misconception("no space before the unit", "Between the number and its unit there is a space.",
                      _formatted(separator="")),
        Misconception("no unit", "A number without its unit says nothing: 61 what?", _number_only),
    )
    hints = (
        "How often can you divide by 1,000, or 1,024, before less than one is left?",
        "A loop over the units: as long as the number is at least one step, divide it by the step and go to the next "
        "unit. There is no unit after the last.",
        'f"{number:.1f}" writes one digit after the point. Bytes, which were never divided, are written as they are.',
    )
