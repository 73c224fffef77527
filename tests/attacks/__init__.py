"""Attacks on whoever grades strangers' notebooks: declared here, tried by the tests and by `course bench grading`."""

from tests.attacks import borrowing, denial, folders, forging, reader, stealing, structure, tampering, values
from tests.attacks.model import Attack as Attack
from tests.attacks.model import Target as Target
from tests.effort import quick

ATTACKS: tuple[Attack, ...] = (
    *forging.ATTACKS, *values.ATTACKS, *structure.ATTACKS, *borrowing.ATTACKS, *stealing.ATTACKS, *tampering.ATTACKS,
    *denial.ATTACKS, *folders.ATTACKS, *reader.ATTACKS)

TRIED = ATTACKS[::15] if quick() else ATTACKS
"""Those that the tests try: all of them, or in the quick set some of each kind."""
