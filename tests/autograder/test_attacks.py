"""Every attack in one class, graded by the real command; nobody earns, reads, changes or stops anything."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

import pytest

from autograder.sandbox import isolation
from tests import machine, needs
from tests.attacks import ATTACKS, TRIED
from tests.attacks.model import Attack
from tests.attacks.school import HONEST, Outcome, School, shown_name, told
from tests.effort import quick, rest_slow

pytestmark = [pytest.mark.sandbox] if quick() else [pytest.mark.sandbox, pytest.mark.slow]
PLACES = [(way, one) for way in isolation.WAYS for one in machine.MACHINES if one.namespaces or way == "landlock"]
PLACES.insert(1, PLACES.pop())  # the quick set tries the first two, which differ most
WHOLE = [("bubblewrap", machine.MACHINES[0]), ("landlock", machine.MACHINES[0])]
"""Where every attack is tried; elsewhere so many are drawn, all of them if CNNCOURSE_ALL_ATTACKS is set."""
SAMPLE = 60
OFTEN = ("neighbors", "denial", "tampering", "stealing")
"""Kinds that depend on the walls; half of a sample is of these."""


def attacks_for(way: str, played: machine.Machine) -> tuple[Attack, ...]:
    if quick():
        return TRIED
    if (way, played) in WHOLE or os.environ.get("CNNCOURSE_ALL_ATTACKS"):
        return ATTACKS
    rng = Random(f"{way} {played} {datetime.now(UTC):%G-%V}")  # another sample each week
    walls = [attack for attack in ATTACKS if attack.kind in OFTEN]
    others = [attack for attack in ATTACKS if attack.kind not in OFTEN]
    return (*rng.sample(walls, SAMPLE // 2), *rng.sample(others, SAMPLE // 2))


@pytest.mark.parametrize("way, played", rest_slow(PLACES, 2), ids=str)
def test_no_attack_earns_reads_changes_or_stops_anything(way, played, root, tmp_path):
    """One test for a whole class: grading it once takes a minute or two."""
    if played != machine.MACHINES[0] and (reason := machine.why_not_played()):
        needs.leave_out("rights", reason)
    if reason := isolation.why_not(way):
        needs.leave_out("sandbox", reason)
    attacks = attacks_for(way, played)
    school = School(root, tmp_path, attacks, way, played)
    try:
        school.hand_in("before")
        school.grade()
        school.hand_in("now")
        before = school.protected()
        outcome = school.grade()
        time.sleep(0.5)  # what outlives grading gets its chance
        wrong = [f"{attack.identifier}: {text}" for attack in attacks for text in earned(attack, school, outcome)]
        wrong += [f"{student}, who is honest, got {outcome.scores.get(student)}" for student in HONEST
                  if outcome.scores.get(student) != school.maximum]
        after = school.protected()
        wrong += [f"changed: {path}" for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
        wrong += [f"a stranger reached a {kind}" for kind in school.listener.reached]
        wrong += [text for attack in attacks for text in readable(attack, school)]
        wrong += printed(outcome, attacks)
    finally:
        school.close()
    assert not wrong, "\n".join(wrong)


def earned(attack: Attack, school: School, outcome: Outcome) -> Iterator[str]:
    """Points that an attack earned or cost, and whether the instructor was told."""
    student = attack.identifier.encode("utf-8", "replace").decode()
    report = outcome.reports.get(student)
    if report is None:
        yield "no report"
        return
    if report.status.replace("unchanged", "graded") not in attack.status.split("|"):
        yield f"{report.status} instead of {attack.status}: {report.problems}"
    scores = outcome.scores.get(student, {})
    for exercise, most in school.maximum.items():
        right = 0.0 if attack.unread else attack.points.get(exercise, most)
        points = scores.get(exercise) or 0.0
        if points > right or (points < right and not attack.harms_itself):
            yield f"{points:g} points for {exercise} instead of {right:g}"
    if attack.by_hand and not outcome.waiting[student]:
        yield "nobody is asked to mark the written answer"
    said = told(outcome, shown_name(student)) + told(outcome, student)
    if not re.search(attack.told, said):
        yield f"the instructor is not told of {attack.told}, but: {said[-300:]}"


def readable(attack: Attack, school: School) -> Iterator[str]:
    """Secrets and scripts in what grading wrote about an attacker."""
    secrets = [*school.tokens.values(), school.secret]
    for path, text in school.shown(attack.identifier):
        if any(secret in text for secret in secrets):
            yield f"a secret is in {path}"
        if attack.kind == "reader" and path.endswith(".html"):
            for found in re.findall(r"<script>\s*alert|<[^>]+\sonerror\s*=|href=.javascript:", text):
                yield f"{found} is in {path}"


def printed(outcome: Outcome, attacks: tuple[Attack, ...]) -> Iterator[str]:
    """What is wrong with what the command wrote."""
    failed = any(attack.status == "failed" for attack in attacks)
    if outcome.code != int(failed):
        yield f"exit status {outcome.code}"
    if "\x1b" in outcome.printed:
        yield "a terminal escape sequence was printed"
    if "Traceback" in outcome.printed or "Warning" in outcome.printed:
        yield f"printed: {outcome.printed[:2000]}"
