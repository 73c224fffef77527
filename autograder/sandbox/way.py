"""What a way to isolate strangers' code has to do; there are two, in `bubblewrap` and in `landlock`."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from autograder.sandbox.cgroups import Group
from autograder.sandbox.settings import Limits, Settings


@dataclass(frozen=True)
class Started:
    """The first process of a sandbox.

    Attributes
    ----------
    process : subprocess.Popen
    settings : Settings
        What it has to be told first.
    ends_by_itself : bool
        Whether all that it has started ends with it, however it ends.
    clean : callable
        Removes what was made for it, once it has ended.
    """

    process: subprocess.Popen[bytes]
    settings: Settings
    ends_by_itself: bool
    clean: Callable[[], None]


class Way(Protocol):
    """A way to isolate strangers' code."""

    name: str

    def why_unavailable(self) -> str:
        """Why it cannot be taken here, and how to mend that, as far as this is seen without a start; or empty."""

    def describe(self) -> str:
        """What is used, in one line for logs and records."""

    def mend(self, complaint: str) -> str:
        """What may help where a start failed."""

    def shortcomings(self) -> list[str]:
        """What it cannot promise on this machine, a line each."""

    def start(self, limits: Limits, group: Group | None, **options: Any) -> Started:
        """Start a sandbox's first process.

        Parameters
        ----------
        limits : Limits
        group : Group or None
            The control group that holds it.
        **options
            For `subprocess.Popen`.
        """
