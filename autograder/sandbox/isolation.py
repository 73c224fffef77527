"""Which way to isolate strangers' code is taken: the one that was asked for, or the first that works here.

There are two, `bubblewrap` (namespaces) and `landlock` (for machines that forbid these). What is asked for is "auto"
or one of the two; it is decided once, when a command starts, and whoever runs submissions for it is told the name and
takes no other.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from autograder.errors import SandboxLostError, SandboxUnavailableError
from autograder.sandbox.bubblewrap import Bubblewrap
from autograder.sandbox.landlock import Landlock
from autograder.sandbox.lending import greeted, tenant_for
from autograder.sandbox.settings import Limits as Limits
from autograder.sandbox.way import Way

AUTO = "auto"
WAYS: dict[str, Way] = {way.name: way for way in (Bubblewrap(), Landlock())}
"""By their names, the first choice first."""

CHOICES = (AUTO, *WAYS)


@dataclass(frozen=True)
class Chosen:
    """The way that is taken.

    Attributes
    ----------
    way : Way
    why : str
        Why this one, in words.
    """

    way: Way
    why: str

    def __str__(self) -> str:
        return f"{self.way.describe()} ({self.why})"


def choose(asked: str = AUTO) -> Chosen:
    """The way to take.

    Parameters
    ----------
    asked : str, optional
        "auto", "bubblewrap" or "landlock".

    Raises
    ------
    SandboxUnavailableError
        If no sandbox can start in that way, or in any; the message says why and what to do.
    """
    if asked not in CHOICES:
        raise SandboxUnavailableError(f"there is no way to isolate called {asked!r}; there are {', '.join(CHOICES)}")
    if asked != AUTO:
        if reason := why_not(asked):
            raise SandboxUnavailableError(reason)
        return Chosen(WAYS[asked], "asked for")
    reasons: list[str] = []
    for name, way in WAYS.items():
        reason = why_not(name)
        if not reason:
            return Chosen(way, " ".join(reasons) if reasons else "the first choice, and it works here")
        reasons.append(f"not {name}: {reason}")
    raise SandboxUnavailableError("; ".join(reasons))


def why_unavailable(asked: str = AUTO) -> str:
    """Why no sandbox can start here, and how to mend it; empty if one can."""
    try:
        choose(asked)
    except SandboxUnavailableError as error:
        return str(error)
    return ""


@functools.cache
def why_not(name: str) -> str:
    """Why a way cannot be taken here, and how to mend it; empty if it can, which a sandbox has shown that stays."""
    way = WAYS[name]
    if reason := way.why_unavailable():
        return reason
    told = ""
    try:
        tenant = tenant_for(Limits(), way)
        try:
            greeted(tenant)
        except SandboxLostError:
            told = tenant.discard()
            raise
        tenant.end()
    except (OSError, SandboxLostError) as error:
        complaint = told or str(error)
        return f"{way.describe()} could not start a sandbox: {complaint}. {way.mend(complaint)}"
    return ""
