"""Classes of any size that nobody graded: reports and answers as grading would leave them."""

from __future__ import annotations

from random import Random

from autograder.cohort import Report
from autograder.exercises.contents import find
from autograder.judging.verdict import Verdict
from autograder.sandbox.outcome import Ending

EXERCISES = ("output_size", "receptive_field_slice", "zero_pad", "conv2d_forward", "conv2d_matmul", "conv1x1",
             "dilated_conv2d", "settings_that_fit")

CHOICES = {
    "shape": ("{n}, {c}, {h}, {w} = x.shape", "{n}, {c} = x.shape[:2]\n    {h}, {w} = x.shape[2:]",
              "{n} = x.shape[0]\n    {h} = x.shape[2]\n    {w} = x.shape[3]"),
    "filters": ("{k}, _, {r}, {s} = weight.shape", "{k} = len(weight)\n    {r}, {s} = weight.shape[-2:]",
                "{k}, {r}, {s} = (weight.shape[axis] for axis in (0, 2, 3))"),
    "pad": ("{p} = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))",
            "{p} = np.zeros(x.shape[:2] + ({h} + 2 * padding, {w} + 2 * padding))\n"
            "    {p}[:, :, padding:padding + {h}, padding:padding + {w}] = x",
            "{p} = np.pad(x, [(0, 0)] * 2 + [(padding,) * 2] * 2)"),
    "size": ("{i} = ({h} + 2 * padding - {r}) // stride + 1\n    {j} = ({w} + 2 * padding - {s}) // stride + 1",
             "{i}, {j} = [(a + 2 * padding - b) // stride + 1 for a, b in (({h}, {r}), ({w}, {s}))]",
             "{i} = 1 + ({p}.shape[2] - {r}) // stride\n    {j} = 1 + ({p}.shape[3] - {s}) // stride"),
    "out": ("{o} = np.zeros(({n}, {k}, {i}, {j}))", "{o} = np.empty(({n}, {k}, {i}, {j}), dtype=np.float64)",
            "{o} = np.full(({n}, {k}, {i}, {j}), 0.0)"),
    "loop": ("for y in range({i}):\n        for z in range({j}):\n"
             "            part = {p}[:, :, y * stride:y * stride + {r}, z * stride:z * stride + {s}]\n",
             "for y, z in np.ndindex({i}, {j}):\n        top, left = y * stride, z * stride\n"
             "        if True:\n            part = {p}[:, :, top:top + {r}, left:left + {s}]\n"),
    "sum": ("            {o}[:, :, y, z] = np.einsum('nchw,kchw->nk', part, weight) + bias\n",
            "            for f in range({k}):\n"
            "                {o}[:, f, y, z] = (part * weight[f]).sum(axis=(1, 2, 3)) + bias[f]\n",
            "            {o}[:, :, y, z] = np.tensordot(part, weight, axes=((1, 2, 3), (1, 2, 3)))\n"
            "            {o}[:, :, y, z] += bias\n"),
}
PLAIN = {letter: letter for letter in "nchwkrspijo"}


def convolution(picks: dict[str, int], names: dict[str, str] = PLAIN, comment: str = "") -> str:
    """A right conv2d_forward, put together from one of the ways for each part."""
    parts = {part: ways[picks[part]].format(**names) for part, ways in CHOICES.items()}
    head = [parts[part] for part in ("shape", "filters", "pad", "size", "out")]
    body = "\n    ".join(head) + f"\n    {parts['loop']}{parts['sum']}"
    return f"def conv2d_forward(x, weight, bias, stride, padding):\n{comment}    {body}    return {names['o']}\n"


def renamed(rng: Random) -> dict[str, str]:
    """Other names for the variables of `convolution`."""
    return {letter: f"{rng.choice(('my', 'the', 'a', 'v'))}_{letter}{rng.randrange(100)}" for letter in PLAIN}


def answers(number: int, seed: int = 0) -> dict[str, dict[str, str]]:
    """What a class writes: a formula that nearly everybody finds, and a convolution in one of 1,458 forms."""
    rng = Random(seed)
    return {f"s{i:05d}": {
        "output_size": "def output_size(input_size, kernel_size, stride, padding):\n"
                       f"    return (input_size {rng.choice('++-')} 2 * padding - kernel_size) // stride + 1\n",
        "conv2d_forward": convolution({part: rng.randrange(len(ways)) for part, ways in CHOICES.items()},
                                      renamed(rng)),
    } for i in range(number)}


def verdict(
    exercise: str, score: float = 1.0, *misconceptions: str, ended: str = "", not_written: bool = False
) -> Verdict:
    """A judge's record of one exercise."""
    points = find(exercise).points
    return Verdict(score, score * points, points, int(10 * score), 10, misconceptions, not_written,
                   Ending(ended) if ended else None)


def reports(number: int, seed: int = 0) -> list[Report]:
    """A class with all kinds of outcomes."""
    rng = Random(seed)
    found = []
    for i in range(number):
        strength = rng.betavariate(4, 1.6)
        verdicts = {}
        for place, name in enumerate(EXERCISES):
            draw = rng.random()
            known = find(name).misconceptions
            if draw < strength * (1.1 - 0.04 * place):
                verdicts[name] = verdict(name)
            elif draw < 0.93:
                mistake = known[min(int(rng.expovariate(0.45)), len(known) - 1)]
                verdicts[name] = verdict(name, rng.choice((0.0, 0.0, 0.5)), mistake.name)
            elif draw < 0.97:
                verdicts[name] = verdict(name, 0.0, ended="", not_written=True)
            else:
                verdicts[name] = verdict(name, 0.0, ended="time")
        total = sum(each.points for each in verdicts.values())
        problems = ("The answer cell zero_pad is missing.",) if rng.random() < 0.03 else ()
        found.append(Report(f"s{i:05d}", "unchanged", total + 2, 27.0, rng.lognormvariate(0, 0.5), verdicts, problems))
    return found
