"""From a budget to a batch, and from measurements to a rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from autograder.exercises import words
from autograder.exercises.memory.common import NOTEBOOK
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise

UNITS = {"MB": 10**6, "MiB": 2**20, "GB": 10**9, "GiB": 2**30}


def _batch(
    units: Mapping[str, int] = UNITS, fixed_times: int = 1, whole: Callable[[float], float] = math.floor,
    least: float = 0,
) -> Callable[[float, str, int, int], float]:
    """Largest batch by some rule; by default the right one."""
    def batch(amount: float, unit: str, fixed_bytes: int, bytes_per_sample: int) -> float:
        free = amount * units[unit] - fixed_times * fixed_bytes
        return max(whole(free / bytes_per_sample), least)
    return batch


def _power_of_two(amount: float, unit: str, fixed_bytes: int, bytes_per_sample: int) -> int:
    most = int(_batch()(amount, unit, fixed_bytes, bytes_per_sample))
    return 1 << (most.bit_length() - 1) if most else 0


@exercise("largest_batch", notebook=NOTEBOOK, points=3)
class LargestBatch:
    """The largest batch that fits into a budget.

    The budget is `amount` times `unit`, which is "MB", "MiB", "GB" or "GiB". `fixed_bytes` do not depend on the batch;
    every sample of the batch takes `bytes_per_sample`. Return the largest number of samples with which the sum is not
    more than the budget, as a whole number; 0 if not even one sample fits.
    """

    def largest_batch(amount, unit, fixed_bytes, bytes_per_sample):
        return _batch()(amount, unit, fixed_bytes, bytes_per_sample)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("an even number of samples fits exactly", (1, "MB", 200_000, 50_000))
        yield Case("a part of a sample is left over", (1, "MB", 200_000, 70_000))
        yield Case("nearly one sample more", (1, "MB", 100_000, 90_909))
        yield Case("mebibytes", (2, "MiB", 300_000, 10_000))
        yield Case("gigabytes", (12, "GB", 1_660_000_000, 61_000_000))
        yield Case("gibibytes", (12, "GiB", 1_660_000_000, 61_000_000))
        yield Case("an amount that is not whole", (1.5, "GiB", 700_000_000, 3_000_000))
        yield Case("exactly one sample", (1, "MB", 400_000, 600_000))
        yield Case("not even one sample", (1, "MB", 400_000, 700_000))
        yield Case("the parameters alone are too large", (1, "MiB", 5_000_000, 1000))
        yield Case("nothing is fixed", (80, "GB", 0, 61_000_000))
        for number, unit in enumerate(UNITS):
            fixed, sample = int(rng.integers(2, 9)) * UNITS[unit] // 10, int(rng.integers(3, 9)) * UNITS[unit] // 1000
            yield Case(f"drawn at random, {unit}", (float(rng.integers(6, 30)) / 2, unit, fixed, sample + number + 1))

    misconceptions = (
        Misconception("one sample too many",
                      "A part of a sample does not fit: the quotient has to be rounded down, or the step runs out of "
                      "memory.", _batch(whole=math.ceil)),
        Misconception(*words.ROUNDED_TO_NEAREST, _batch(whole=lambda value: math.floor(value + 0.5))),
        Misconception(*words.NOT_ROUNDED, _batch(whole=float)),
        Misconception("one sample too few",
                      "The batch may use up the budget to the last byte: not more than the budget is enough.",
                      _batch(whole=lambda value: math.ceil(value) - 1)),
        Misconception("fixed memory not subtracted",
                      "Parameters, gradients and caches are there before the first sample is: the batch gets what "
                      "they leave.", _batch(fixed_times=0)),
        Misconception("fixed memory subtracted for each sample",
                      "The fixed part is there once, whatever the number of samples.",
                      lambda amount, unit, fixed, sample: int(amount * UNITS[unit] // (fixed + sample))),
        Misconception("fixed memory added", "What is fixed takes from the budget.", _batch(fixed_times=-1)),
        Misconception("negative batches",
                      "If the fixed part alone is larger than the budget, no sample fits; fewer than none do not "
                      "exist.", _batch(least=-math.inf),
                      also=(_batch(least=-math.inf, whole=int),
                            lambda amount, unit, fixed, sample: abs(math.floor(
                                (amount * UNITS[unit] - fixed) / sample)))),
        Misconception("amount cut off", "The amount need not be a whole number: 1.5 GiB are more than one.",
                      lambda amount, unit, fixed, sample: _batch()(int(amount), unit, fixed, sample),
                      also=(lambda amount, unit, fixed, sample: _batch()(round(amount), unit, fixed, sample),)),
        Misconception("a wrong power", "Mega is the second power of 1,000, or of 1,024, and giga the third.",
                      _batch(units={"MB": 10**3, "MiB": 2**10, "GB": 10**6, "GiB": 2**20}),
                      also=(_batch(units={"MB": 10**6, "MiB": 2**20, "GB": 10**6, "GiB": 2**20}),
                            _batch(units={"MB": 10**9, "MiB": 2**30, "GB": 10**12, "GiB": 2**40}))),
        Misconception("units of mixed powers",
                      "A mebibyte is 1,024 times 1,024 bytes, and a gibibyte 1,024 times as much: no factor is 1,000.",
                      _batch(units={**UNITS, "MiB": 1024 * 1000, "GiB": 1024 * 1000**2}),
                      also=(_batch(units={**UNITS, "MiB": 1024 * 1000, "GiB": 1024**2 * 1000}),)),
        Misconception("a text instead of a number", "The result is a number, which can be computed with.",
                      lambda *given: str(_batch()(*given))),
        Misconception("at least one sample", "If not even one sample fits, the answer is 0.", _batch(least=1)),
        Misconception("decimal units for both", "GiB and MiB, with an i, are 2**30 and 2**20 bytes.",
                      _batch(units={**UNITS, "MiB": 10**6, "GiB": 10**9})),
        Misconception("binary units for both", "GB and MB, without an i, are 10**9 and 10**6 bytes.",
                      _batch(units={**UNITS, "MB": 2**20, "GB": 2**30})),
        Misconception(*words.BINARY_AND_DECIMAL_SWAPPED,
                      _batch(units={"MB": 2**20, "MiB": 10**6, "GB": 2**30, "GiB": 10**9})),
        Misconception("every budget in giga", "The budget may be in MB or MiB: look at the unit.",
                      _batch(units={"MB": 10**9, "MiB": 2**30, "GB": 10**9, "GiB": 2**30}),
                      also=(_batch(units={"MB": 2**30, "MiB": 2**30, "GB": 10**9, "GiB": 2**30}),)),
        Misconception("only powers of two",
                      "Batches of 32 or 64 are a habit. The largest batch that fits may be any number.", _power_of_two,
                      also=(lambda *given: _batch()(*given) // 8 * 8,)),
    )
    hints = (
        "How many bytes is the budget? How many of them are left for the batch?",
        "Subtract what is fixed, divide by what one sample takes, and think about what to do with the remainder, and "
        "with a negative result.",
        "A dictionary from unit to bytes makes the budget a number of bytes. // rounds down, max(..., 0) keeps the "
        "result from being negative, int makes it whole.",
    )


def _line(batch_1, peak_1, batch_2, peak_2):
    """A right answer, of which wrong ones are edits."""
    slope = (peak_2 - peak_1) / (batch_2 - batch_1)
    fixed = peak_1 - slope * batch_1
    return fixed, slope


LINE = Written.of(_line)


@exercise("fixed_and_per_sample", notebook=NOTEBOOK, points=2)
class FixedAndPerSample:
    """From two measurements of memory: what is fixed, and what each sample takes.

    A step with `batch_1` samples took `peak_1` bytes, one with `batch_2` samples `peak_2` bytes. If the memory is a
    fixed part plus the same amount for each sample, how much is fixed, and how much does one sample take? Return these
    two numbers, in this order. The two batches are different; either may be the larger one.
    """

    def fixed_and_per_sample(batch_1, peak_1, batch_2, peak_2):
        return _line(batch_1, peak_1, batch_2, peak_2)

    returns = ("fixed", "per_sample")

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        def case(name: str, fixed: int, sample: int, one: int, other: int) -> Case:
            return Case(name, (one, fixed + sample * one, other, fixed + sample * other))

        some, each = (int(n) for n in rng.integers([1000, 40], [9000, 90]))
        yield case("batches of 1 and 2", some, each, 1, 2)
        yield case("batches of 10 and 20", 3 * some, 7 * each, 10, 20)
        yield case("the larger batch first", 5 * some, each + 7, 64, 16)
        yield case("little is fixed", 10, 700, 3, 9)
        yield case("nothing is fixed", 0, 123, 4, 7)
        yield case("nearly all is fixed", 9_000_000, 12, 32, 256)
        yield Case("a sample does not take a whole number of bytes", (2, 1003, 6, 1013))
        yield case("drawn at random", *(int(n) for n in rng.integers([500, 20, 2, 30], [9000, 200, 30, 90])))
        yield case("drawn at random, the larger batch first",
                   *(int(n) for n in rng.integers([500, 20, 50, 2], [9000, 200, 99, 40])))

    misconceptions = (
        Misconception("memory divided by the batch",
                      "A peak holds the fixed part, too. What one sample takes shows in the difference of the two "
                      "measurements.", lambda b1, p1, b2, p2: (0.0, p2 / b2),
                      also=(lambda b1, p1, b2, p2: (0.0, p1 / b1), lambda b1, p1, b2, p2: (p1, p2 / b2))),
        Misconception("results in the other order", "The fixed part comes first, what one sample takes second.",
                      LINE.edited({"fixed, slope": "slope, fixed"})),
        Misconception("the first measurement taken as fixed",
                      "The first step had samples, too: its peak is not the fixed part.",
                      LINE.edited({" - slope * batch_1": ""})),
        Misconception("one sample subtracted for the whole batch",
                      "To get from a peak to the fixed part, the memory of all its samples has to be subtracted.",
                      LINE.edited({"slope * batch_1": "slope"})),
        Misconception("the difference not divided",
                      "Between the two measurements there are several samples: divide the difference by their number.",
                      LINE.edited({" / (batch_2 - batch_1)": ""})),
        Misconception("batches mixed up",
                      "To get to the fixed part, subtract from a peak what its own samples take, not those of the "
                      "other batch.", LINE.edited({"slope * batch_1": "slope * batch_2"}),
                      also=(LINE.edited({"= peak_1": "= peak_2"}),)),
        Misconception("measurements added",
                      "In a sum of two peaks the fixed part is in it twice. In which combination of them does it "
                      "vanish?", LINE.edited({"peak_2 -": "peak_2 +", "batch_2 -": "batch_2 +"})),
        Misconception("samples by bytes", "What one sample takes is bytes by samples, not samples by bytes.",
                      LINE.edited({" / ": " ** -1 * "})),
        Misconception("the fixed part negative",
                      "The fixed part is the peak less its samples, not the other way round.",
                      LINE.edited({"fixed, slope": "-fixed, slope"})),
        Misconception("only one of the two", "Two numbers are wanted: the fixed part, and what one sample takes.",
                      LINE.edited({"fixed, slope": "fixed"}), also=(LINE.edited({"fixed, slope": "slope"}),)),
        Misconception("samples added instead of subtracted",
                      "The fixed part is what would remain with no sample at all, less than either peak.",
                      LINE.edited({"- slope": "+ slope"})),
        Misconception("divided by the second batch",
                      "The difference of the peaks comes from the difference of the batches, not from one of them.",
                      LINE.edited({"batch_2 - batch_1": "batch_2"})),
        Misconception("divided by the sum of the batches",
                      "The second batch has only so many samples more than the first: divide by the difference.",
                      LINE.edited({"batch_2 - batch_1": "batch_2 + batch_1"})),
        Misconception("rounded down", "Measured values need not come out whole. Here the quotient was rounded down.",
                      LINE.edited({"/": "//"})),
        Misconception("slope turned around", "A larger batch takes more memory: what one sample takes is not negative.",
                      LINE.edited({"batch_2 - batch_1": "batch_1 - batch_2"})),
        Misconception("the larger batch is always second",
                      "Either batch may be the larger one. Here a distance without its sign seems to be used.",
                      LINE.edited({"(batch_2 - batch_1)": "abs(batch_2 - batch_1)"}),
                      also=(LINE.edited({"(peak_2 - peak_1)": "abs(peak_2 - peak_1)"}),)),
    )
    hints = (
        "Draw the two measurements as points, the batch to the right and the memory upward. What does the line through "
        "them say?",
        "The steepness of the line is what one sample takes: difference of the memory by difference of the batches. "
        "Where does the line meet the axis on the left?",
        "Take one of the measurements and subtract what all its samples take together: the rest is fixed.",
    )
