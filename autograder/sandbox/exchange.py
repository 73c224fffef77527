"""Questions to a tenant and its answers, over two pipes: many are sent ahead, and each answer is waited for in vain
for a limited time only.

Neither side can block the other: what does not fit into a pipe is sent while answers are read.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autograder.errors import SandboxLostError
from autograder.sandbox import wire

CHUNK = 1 << 16
"""Bytes that are read or written at once: as many as a pipe holds."""

CAN_POLL = hasattr(select, "poll")
"""Not on Windows, where pipes block and a timer has to end what is late."""

AHEAD = 1 << 15
"""Bytes of questions that are on their way together, unless a single one is larger."""


class Tenant:
    """What runs one submission: two pipes, and a way to end it.

    Parameters
    ----------
    given, answers : int
        Descriptors to which frames are written, and from which they are read; closed by `end`.
    on_end : callable
        Ends all of its processes, and says what was wrong with its sandbox then, if anything was; called once.
    on_discard : callable, optional
        Ends its whole sandbox and says why that was of no use, if it has said so itself.

    Attributes
    ----------
    said : str
        What was wrong with its sandbox when it was ended.
    """

    def __init__(
        self, given: int, answers: int, on_end: Callable[[], str], on_discard: Callable[[], str] = lambda: ""
    ) -> None:
        self._given = given
        self._answers = answers
        self._on_end = on_end
        self._on_discard = on_discard
        self._ending = threading.Lock()
        self._ended = False
        self.said = ""
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._unanswered: deque[tuple[str, int]] = deque()
        self._deaf = False
        if CAN_POLL:
            os.set_blocking(given, False)
            os.set_blocking(answers, False)
            self._for_answers, self._for_both = select.poll(), select.poll()
            self._for_answers.register(answers, select.POLLIN)
            self._for_both.register(answers, select.POLLIN)
            self._for_both.register(given, select.POLLOUT)

    def tell(self, header: dict[str, Any]) -> None:
        """Have one frame sent to which there is no answer; it leaves together with the next question."""
        self._outgoing += wire.pack(header)

    def exchange(
        self, questions: Iterable[tuple[dict[str, Any], Any]], seconds: float
    ) -> Iterator[tuple[dict[str, Any], Any]]:
        """Send questions, each a header and a value, and yield the answer to each, in order.

        Every question carries a name that nobody can guess before it is sent, and its answer has to repeat it. So
        what one answer of a submission has left in the pipe is never taken for an outcome of the next one, unless a
        process of the stranger's outlives its turn and reads and writes in place of the next one. That one gains
        nothing either: it is the same stranger's code, with the same inputs, which the next answer could hold as well.

        Parameters
        ----------
        questions : iterable
            Taken a few ahead.
        seconds : float
            Time for each answer, from when it is asked for here; what the judge does between two answers counts for
            nobody.

        Raises
        ------
        SandboxLostError
            If no well-formed answer comes in time.
        """
        waiting = iter(questions)
        names = secrets.token_hex(8)
        number = ahead = 0
        more = True
        limit = AHEAD if CAN_POLL else 0
        while True:
            if not self._unanswered or ahead < limit // 2:  # seldom and much: fewer wake-ups
                while more and (not self._unanswered or ahead < limit):
                    question = next(waiting, None)
                    more = question is not None
                    if question is not None:
                        number += 1
                        ahead += self._ask(f"{names}.{number}", *question)
            if not self._unanswered:
                return
            ahead -= self._unanswered[0][1]
            yield self._take_answer(seconds)

    def drop_answers(self, seconds: float) -> None:
        """Take the answers that nobody wants any more; all of them together in so many seconds.

        Raises
        ------
        SandboxLostError
            As `exchange`.
        """
        deadline = time.monotonic() + seconds
        while self._unanswered:
            self._take_answer(deadline - time.monotonic())

    def end(self) -> None:
        """End its processes and release the pipes."""
        self._end_processes()
        for pipe in (self._given, self._answers):
            with contextlib.suppress(OSError):
                os.close(pipe)
        self._given = self._answers = -1

    def discard(self) -> str:
        """End its sandbox, which lends no other tenant, and release the pipes; what the sandbox says of itself."""
        told = self._on_discard()
        self.end()
        return told

    def _ask(self, name: str, header: dict[str, Any], value: Any) -> int:
        frame = wire.pack({**header, "id": name}, value)
        self._outgoing += frame
        self._unanswered.append((name, len(frame)))
        return len(frame)

    def _take_answer(self, seconds: float) -> tuple[dict[str, Any], Any]:
        try:
            header, value = wire.open_frame(self._receive(seconds))
        except wire.MalformedError as error:
            raise SandboxLostError(str(error), foreign=True) from error
        name, _ = self._unanswered.popleft()
        if header.pop("id", None) != name:
            raise SandboxLostError("an answer to nothing that was asked", foreign=True)
        return header, value

    def _receive(self, seconds: float) -> bytes:
        """The next frame, complete."""
        deadline = time.monotonic() + seconds
        with contextlib.nullcontext() if CAN_POLL else _alarm(seconds, self._end_processes) as rang:
            self._send()
            while not (size := self._size_of_complete_frame()):
                if not self._read(rang):
                    self._wait(deadline)
                elif time.monotonic() > deadline and not self._size_of_complete_frame():
                    raise SandboxLostError("the answer came in pieces for too long", late=True)
        frame = bytes(memoryview(self._incoming)[:size])
        del self._incoming[:size]
        return frame

    def _size_of_complete_frame(self) -> int:
        size = wire.frame_size(self._incoming)
        return size if size is not None and len(self._incoming) >= size else 0

    def _read(self, rang: threading.Event | None) -> bool:
        """Read what there is; False if that is nothing."""
        try:
            chunk = os.read(self._answers, CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            raise SandboxLostError(str(error), late=rang is not None and rang.is_set()) from error
        if not chunk:
            raise SandboxLostError("the process ended", late=rang is not None and rang.is_set())
        self._incoming += chunk
        return True

    def _send(self) -> None:
        """Send what goes into the pipe now. If nobody reads it any more, earlier answers may still be there."""
        while self._outgoing:
            try:
                written = os.write(self._given, memoryview(self._outgoing)[:CHUNK])
            except BlockingIOError:
                return
            except OSError:
                self._deaf = True
                written = len(self._outgoing)
            del self._outgoing[:written]

    def _wait(self, deadline: float) -> None:
        """Wait until there is something to read, or room to write."""
        if self._deaf:
            raise SandboxLostError("nobody reads the questions")
        poll = self._for_both if self._outgoing else self._for_answers
        left = deadline - time.monotonic()
        ready = poll.poll(left * 1000) if left > 0 else []
        if not ready:
            raise SandboxLostError("no answer in time", late=True)
        if any(descriptor == self._given for descriptor, _ in ready):
            self._send()

    def _end_processes(self) -> None:
        with self._ending:
            if not self._ended:
                self._ended = True
                self.said = self._on_end()


@contextlib.contextmanager
def _alarm(seconds: float, ring: Callable[[], None]) -> Iterator[threading.Event]:
    """Do something in another thread when time is over."""
    rang = threading.Event()

    def on_time() -> None:
        rang.set()
        ring()

    timer = threading.Timer(seconds, on_time)
    timer.start()
    try:
        yield rang
    finally:
        timer.cancel()
