"""What Jupyter and the instructor's cells give a notebook, without effect: nobody looks at it in here.

This file also lies in the sandbox, and imports the standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any

LOOKED_AT = ("display", "check", "hint", "preview", "progress", "rehearse")
"""What Jupyter and the instructor's cells give the student's; nobody looks at it in here."""


def nothing(*_: Any, **__: Any) -> None:
    """Stands for what people look at."""


class Shell:
    """Stands for IPython's: magics and commands of the system do nothing in here, and give nothing."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._namespace = namespace

    def itself(self) -> Shell:
        """What get_ipython() gives."""
        return self

    def run_line_magic(self, name: str, line: str, *_: Any, **__: Any) -> Any:
        """%time runs what stands behind it; all others do nothing."""
        if name != "time":
            return None
        there = sys._getframe(1).f_locals
        names = [self._namespace] if there is self._namespace else [self._namespace, dict(there)]
        try:
            return eval(line, *names)
        except SyntaxError:
            exec(line, *names)
        return None

    def getoutput(self, *_: Any, **__: Any) -> list[str]:
        """What a command has printed: nothing."""
        return []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return nothing


async def awaited(result: Any) -> None:
    """Wait for what compiled code with an await in it gives."""
    if isinstance(result, Coroutine):
        await result


def loop_without_sockets() -> Any:
    """A loop of asyncio that does without a pair of sockets, by which other threads wake it: in here are none."""
    import asyncio

    class Loop(asyncio.SelectorEventLoop):
        def _make_self_pipe(self) -> None:
            self._ssock = self._csock = None

        def _close_self_pipe(self) -> None:
            pass

    loop = Loop()
    asyncio.set_event_loop(loop)
    return loop
