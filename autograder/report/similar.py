"""Answers that are the same, or nearly, although few others in the class wrote them so.

Two students who write the same one-line formula have both read the text; two who share eighty names, constants and
operations in the same order that nobody else has are worth a talk. So a group of answers weighs as much as its form
is long and rare: its size times the logarithm of how many students there are to each one who has it. What the
instructor wrote, stub or solution, is no sign of anything, and its pieces are not compared.

The work grows with the class, not with its square: forms are found by their hash, near ones by locality-sensitive
hashing of their fingerprints (Broder's MinHash in bands), which compares a form with few others.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np

from autograder.report.normalize import Form, normalize

FEWEST_PARTS = 30
"""A form with fewer names and constants is a formula that everybody finds."""

LEAST_WEIGHT = 100.0
NEAR = 0.75
"""Share of all fingerprints of two answers that both have, from which on they count as nearly the same."""

WITHIN, FEWEST_WITHIN = 0.9, 12
"""The same where one answer has much that the other lacks: share of the shorter one's fingerprints, and how many these
have to be."""

SAMPLED = 4
"""Of so many fingerprints one leads to those that have it as well; which one is the same for all."""

FEWEST_PRINTS = 6
BANDS, ROWS = 10, 3
"""Two forms with three quarters of their fingerprints in common meet in a band with a probability of 99.6 %."""

MOST_IN_BAND = 12
"""Where more forms than this have something in common, each is compared with those beside it only, when they are put
in an order in which like ones come together: the work stays small, and nobody hides in a crowd."""

BESIDE = 3

MIXERS = np.random.default_rng(0).integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)


@dataclass(frozen=True)
class Match:
    """One answer that a group of students has in common.

    Attributes
    ----------
    answer : str
        Name of the function.
    kind : str
        "letter": same text; "form": the same after renaming and formatting; "near": few changes.
    similarity : float
        1, or for near ones the share of fingerprints in common; of the shorter one's, where one lies in the other.
    of : int
        How many students wrote this answer, in their own way.
    weight : float
    pair : tuple of str
        The two students to show.
    """

    answer: str
    kind: Literal["letter", "form", "near"]
    similarity: float
    of: int
    weight: float
    pair: tuple[str, str]


@dataclass(frozen=True)
class Group:
    """Students with answers in common, the weightiest answer first."""

    students: tuple[str, ...]
    matches: tuple[Match, ...]

    @property
    def weight(self) -> float:
        """How long and rare all the answers are together."""
        return sum(match.weight for match in self.matches)


@dataclass
class Similarities:
    """What was found, the weightiest first, and how many pairs of answers were compared for it."""

    groups: list[Group] = field(default_factory=list)
    comparisons: int = 0


def find_similar(
    sources: Mapping[str, Mapping[str, str]], own: Mapping[str, Iterable[str]], keep: Iterable[str] = ()
) -> Similarities:
    """Find groups of students whose answers are the same, or nearly.

    Parameters
    ----------
    sources : mapping of str to mapping of str to str
        By student, then by name of the answer.
    own : mapping of str to iterable of str
        What the instructor wrote for an answer: stub and solution.
    keep : iterable of str, optional
        Names of functions that are asked for, besides those of the answers.
    """
    by_answer: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for student, answers in sources.items():
        for answer, source in answers.items():
            by_answer[answer][source].append(student)
    names = frozenset({*by_answer, *keep})
    found = Similarities()
    matches: dict[tuple[str, ...], list[Match]] = defaultdict(list)
    for answer, texts in by_answer.items():
        base = [normalize(text, names) for text in own.get(answer, ())]
        for students, match in _Answer(answer, texts, base, names).matches(found):
            matches[students].append(match)
    found.groups = [Group(students, tuple(sorted(those, key=lambda match: -match.weight)))
                    for students, those in matches.items()]
    found.groups.sort(key=lambda group: (-group.weight, group.students))
    return found


class _Answer:
    """All that a class wrote for one answer."""

    def __init__(self, name: str, texts: Mapping[str, list[str]], base: list[Form], names: frozenset[str]) -> None:
        self.name = name
        ignored = {form.key for form in base}
        self.base = frozenset().union(*(form.prints for form in base))
        self.of = 0
        self.forms: dict[int | str, Form] = {}
        self.texts: dict[int | str, list[list[str]]] = defaultdict(list)
        for text, students in texts.items():
            form = normalize(text, names)
            if form.key in ignored:
                continue
            self.of += len(students)
            if form.size >= FEWEST_PARTS:
                self.forms[form.key] = form
                self.texts[form.key].append(students)

    def matches(self, found: Similarities) -> Iterable[tuple[tuple[str, ...], Match]]:
        for key, form in self.forms.items():
            students = self._students([key])
            if len(students) > 1 and (weight := self._weight(form.size, len(students))) >= LEAST_WEIGHT:
                same = len(self.texts[key]) == 1
                # Of each text one writer, where there is more than one text: the page shows what was changed.
                pair = (students[0], students[1]) if same else (self.texts[key][0][0], self.texts[key][1][0])
                yield students, Match(self.name, "letter" if same else "form", 1.0, self.of, weight, pair)
        for keys, similarity, nearest in self._near(found):
            students = self._students(keys)
            size = min(self.forms[key].size for key in nearest)
            if (weight := self._weight(size, len(students)) * similarity) >= LEAST_WEIGHT:
                first, second = (self.texts[key][0][0] for key in nearest)
                yield students, Match(self.name, "near", similarity, self.of, weight, (first, second))

    def _students(self, keys: Iterable[int | str]) -> tuple[str, ...]:
        return tuple(sorted(student for key in keys for students in self.texts[key] for student in students))

    def _weight(self, size: int, students: int) -> float:
        # Two more than there are, or two who are alone in a class could never stand out.
        return size * math.log2((self.of + 2) / students)

    def _near(
        self, found: Similarities
    ) -> Iterable[tuple[list[int | str], float, tuple[int | str, int | str]]]:
        """Sets of forms that hang together by few changes, with the nearest two of them."""
        prints = {key: form.prints - self.base for key, form in self.forms.items()}
        bands: dict[tuple[int, bytes], list[int | str]] = defaultdict(list)
        samples: dict[int, list[int | str]] = defaultdict(list)
        order: dict[int | str, list[bytes]] = {}
        for key, own in prints.items():
            if len(own) >= FEWEST_PRINTS:
                order[key] = [low.tobytes() for low in _least_hashes(own)]
                for band, low in enumerate(order[key]):
                    bands[band, low].append(key)
                for sample in own:
                    if sample % SAMPLED == 0:
                        samples[sample].append(key)
        candidates = dict.fromkeys(pair for (band, _), keys in bands.items() for pair in _pairs(
            sorted(keys, key=lambda key: order[key][band + 1 :] + order[key][:band])))
        met = Counter(pair for sample, keys in samples.items() for pair in _pairs(
            sorted(keys, key=lambda key: order[key][sample // SAMPLED % BANDS :])))
        candidates |= dict.fromkeys(pair for pair, times in met.items() if times > 1)
        leader = {key: key for key in self.forms}
        near = []
        found.comparisons += len(candidates)
        for a, b in candidates:
            common, least = len(prints[a] & prints[b]), min(len(prints[a]), len(prints[b]))
            similarity = common / len(prints[a] | prints[b])
            if least >= FEWEST_WITHIN and common >= WITHIN * least:
                similarity = common / least
            if similarity >= NEAR:
                near.append((similarity, a, b))
                leader[_lead(leader, a)] = _lead(leader, b)
        together: dict[int | str, list[int | str]] = defaultdict(list)
        nearest: dict[int | str, tuple[float, int | str, int | str]] = {}
        for key in leader:
            together[_lead(leader, key)].append(key)
        for similarity, a, b in near:
            group = _lead(leader, a)
            if group not in nearest or similarity > nearest[group][0]:
                nearest[group] = (similarity, a, b)
        for group, (similarity, a, b) in nearest.items():
            yield together[group], similarity, (a, b)


def _pairs(keys: list[int | str]) -> Iterator[tuple[int | str, int | str]]:
    """Whom to compare of those that have something in common, each pair always the same way round."""
    if len(keys) <= MOST_IN_BAND:
        pairs: Iterable[tuple[int | str, ...]] = combinations(keys, 2)
    else:
        pairs = (pair for beside in range(1, BESIDE + 1) for pair in zip(keys, keys[beside:], strict=False))
    for a, b in pairs:
        yield (a, b) if str(a) < str(b) else (b, a)


def _least_hashes(prints: frozenset[int]) -> np.ndarray:
    """For each band the least values of the fingerprints under `ROWS` hash functions."""
    values = np.fromiter(prints, dtype=np.uint64, count=len(prints))
    mixed = values[:, None] * MIXERS
    mixed ^= mixed >> np.uint64(31)
    return (mixed * MIXERS).min(axis=0).reshape(BANDS, ROWS)


def _lead(leader: dict[int | str, int | str], key: int | str) -> int | str:
    while leader[key] != key:
        leader[key] = leader[leader[key]]
        key = leader[key]
    return key
