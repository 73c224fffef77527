"""Many questions on their way at once: each answer belongs to its question, and every wait has an end."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import numpy as np
import pytest

from autograder.errors import SandboxLostError
from autograder.exercises.contents import find
from autograder.judging.judge import judge
from autograder.judging.local import LocalRunner
from autograder.sandbox import exchange, wire
from autograder.sandbox.exchange import Tenant
from autograder.sandbox.isolation import Limits
from autograder.sandbox.session import Cell, SandboxRunner
from tests.effort import rest_slow


class FarSide:
    """The tenant's end of both pipes, played by a thread."""

    def __init__(self, play) -> None:
        inside_reads, given = os.pipe()
        answers, inside_writes = os.pipe()
        self.questions, self.answers = os.fdopen(inside_reads, "rb"), os.fdopen(inside_writes, "wb", buffering=0)
        self.ended = threading.Event()
        self.tenant = Tenant(given, answers, self.ended.set)
        self.thread = threading.Thread(target=self._play, args=(play,))
        self.thread.start()

    def _play(self, play) -> None:
        with contextlib.suppress(OSError, ValueError), self.answers:  # the test may be over
            play(self)

    def take(self):
        return wire.read_frame(self.questions.read)

    def answer(self, header, value=None) -> None:
        data = memoryview(wire.pack({"id": header["id"], "kind": "value"}, value))
        while data:
            data = data[self.answers.write(data):]


@pytest.fixture
def far_side():
    made = []
    yield lambda play: made.append(FarSide(play)) or made[-1]
    for side in made:
        side.ended.set()
        side.tenant.end()
        side.questions.close()
        side.thread.join(5)
        assert not side.thread.is_alive()


@pytest.fixture(params=["poll", "timer"])
def any_way_to_wait(request, monkeypatch):
    monkeypatch.setattr(exchange, "CAN_POLL", request.param == "poll")


def echo(side) -> None:
    while (frame := side.take()) is not None:
        side.answer(*frame)


def asked(tenant, values, seconds=5.0):
    return [value for _, value in tenant.exchange([({"op": "call"}, value) for value in values], seconds)]


def test_answers_come_in_the_order_of_the_questions(far_side, any_way_to_wait):
    assert asked(far_side(echo).tenant, list(range(500))) == list(range(500))


@pytest.mark.parametrize("size", rest_slow([100, 5_000, 130_000], 2))
def test_large_frames_both_ways_at_once_block_nobody(far_side, any_way_to_wait, size):
    values = [np.full(size, float(i)) for i in range(6)]
    for sent, came in zip(values, asked(far_side(echo).tenant, values), strict=True):
        np.testing.assert_array_equal(sent, came)


def test_small_pipes_and_small_questions_with_large_answers_block_nobody(far_side):
    fcntl = pytest.importorskip("fcntl")

    def play(side) -> None:
        while (frame := side.take()) is not None:
            side.answer(frame[0], np.zeros(120_000))

    side = far_side(play)
    for pipe in (side.questions, side.answers):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    assert len(asked(side.tenant, [np.zeros(300)] * 40)) == 40


def test_no_more_than_a_few_questions_are_on_their_way(far_side):
    go_on = threading.Event()

    def play(side) -> None:
        go_on.wait(5)
        echo(side)

    taken = []

    def questions():
        for i in range(100):
            taken.append(i)
            yield {"op": "call"}, np.zeros(1000)

    answers = far_side(play).tenant.exchange(questions(), 5)
    threading.Timer(0.1, go_on.set).start()
    next(answers)
    assert 1 < len(taken) <= exchange.AHEAD // 8000 + 1


def lost_after(tenant, values, seconds) -> tuple[SandboxLostError, float]:
    began = time.monotonic()
    with pytest.raises(SandboxLostError) as caught:
        asked(tenant, values, seconds)
    return caught.value, time.monotonic() - began


@pytest.mark.parametrize("play", [
    lambda side: side.ended.wait(5),
    lambda side: (side.take(), side.ended.wait(5)),
], ids=["reads nothing", "answers nothing"])
def test_a_far_side_that_is_silent_is_given_up_in_time(far_side, play):
    error, took = lost_after(far_side(play).tenant, [np.zeros(10 ** 5)], 0.4)
    assert error.late
    assert 0.3 < took < 1.5


def test_bytes_that_trickle_do_not_prolong_the_wait(far_side):
    def play(side) -> None:
        side.take()
        while not side.ended.wait(0.01):
            side.answers.write(b"\0" * 3 + b"\x7f" if not side.ended.is_set() else b"")
            side.answers.write(b"\0" * 7 + b"\x01")
            while not side.ended.wait(0.01):
                side.answers.write(b" ")

    error, took = lost_after(far_side(play).tenant, [1], 0.4)
    assert error.late
    assert took < 1.5


def test_without_poll_a_silent_far_side_is_ended_in_time(far_side, monkeypatch):
    monkeypatch.setattr(exchange, "CAN_POLL", False)
    error, took = lost_after(far_side(lambda side: (side.take(), side.ended.wait(5))).tenant, [1], 0.4)
    assert error.late
    assert 0.3 < took < 1.5


def test_each_answer_has_a_time_of_its_own(far_side, any_way_to_wait):
    def play(side) -> None:
        while (frame := side.take()) is not None:
            time.sleep(0.2)
            side.answer(*frame)

    began = time.monotonic()
    assert asked(far_side(play).tenant, [1, 2, 3, 4], 0.5) == [1, 2, 3, 4]
    assert time.monotonic() - began > 0.7


def test_answers_given_before_the_far_side_ended_still_count(far_side):
    def play(side) -> None:
        for _ in range(3):
            side.answer(*side.take())
        side.questions.close()

    answers = far_side(play).tenant.exchange([({"op": "call"}, np.full(2000, float(i))) for i in range(50)], 5)
    assert [next(answers)[1][0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(SandboxLostError) as caught:
        next(answers)
    assert not caught.value.late


@pytest.mark.parametrize("surplus", [{"id": "0"}, {}, {"id": None}, {"id": ["x"]}])
def test_an_answer_to_nothing_that_was_asked_is_refused(far_side, surplus):
    def play(side) -> None:
        first, _ = side.take()
        side.answer(first)
        side.answers.write(wire.pack(surplus, 7))
        echo(side)

    tenant = far_side(play).tenant
    answers = tenant.exchange([({"op": "call"}, i) for i in range(3)], 5)
    next(answers)
    with pytest.raises(SandboxLostError) as caught:
        next(answers)
    assert caught.value.foreign


def test_answers_that_nobody_wants_any_more_are_dropped_and_not_mistaken_for_later_ones(far_side):
    tenant = far_side(echo).tenant
    answers = tenant.exchange([({"op": "call"}, i) for i in range(20)], 5)
    assert next(answers)[1] == 0
    answers.close()
    tenant.drop_answers(5)
    assert asked(tenant, ["next"]) == ["next"]


QUICK = Limits(call_seconds=1.0, cell_seconds=2.0, total_seconds=20.0)
OTHER = Cell("g", "def g(x): return -x")
ENDINGS = {
    "time": "while True: pass",
    "crash": "import os; os._exit(0)",
}


@pytest.mark.sandbox
@pytest.mark.parametrize("kind", ENDINGS)
@pytest.mark.parametrize("case", [0, 4, 9])
def test_an_end_in_one_case_is_that_cases_and_all_others_are_answered(kind, case):
    source = f"def f(x):\n    if x == {case}:\n        {ENDINGS[kind]}\n    return x + 1"
    with SandboxRunner([Cell("f", source), OTHER], QUICK) as runner:
        outcomes = list(runner.calls("f", [(i,) for i in range(10)]))
        assert [o.ending for o in outcomes] == ["value"] * case + [kind] + ["value"] * (9 - case)
        assert [o.value for o in outcomes if o.ending == "value"] == [i + 1 for i in range(10) if i != case]
        assert [o.value for o in runner.calls("g", [(1,), (2,)])] == [-1, -2]


@pytest.mark.sandbox
def test_calls_left_out_end_with_the_answer_and_cost_the_next_one_nothing():
    source = "import time\ndef f(x):\n    if x == 0: raise NotImplementedError\n    time.sleep(60)"
    with SandboxRunner([Cell("f", source), OTHER], QUICK) as runner:
        began = time.monotonic()
        outcomes = runner.calls("f", [(i,) for i in range(10)])
        assert next(outcomes).ending == "not written"
        outcomes.close()
        assert runner.call("g", (3,)).value == -3
        assert time.monotonic() - began < QUICK.call_seconds


FORGE = """
import json, os, struct
def frame(**header):
    head = json.dumps(header).encode()
    return struct.pack(">IQ", len(head), 0) + head
def spread(data):
    for d in range(3, 64):
        try:
            os.set_blocking(d, False)
            os.write(d, data)
        except OSError: pass
        finally:
            try: os.set_blocking(d, True)
            except OSError: pass
def f(x):
    if x == {case}:
        spread({what})
    return x + 1
"""
SURPLUS = {
    "outcomes for the next answer": "frame(kind='value', value=1, id='0123456789abcdef.1') * 20",
    "outcomes without a name": "frame(kind='value', value=1) * 3",
    "bytes that are no frame": "b'x' * 50",
    "half a frame": "frame(kind='value', value=1)[:-3]",
}


@pytest.mark.sandbox
@pytest.mark.parametrize("what", SURPLUS)
@pytest.mark.parametrize("case", [2, 5])
def test_what_an_answer_writes_beside_its_outcomes_is_never_an_outcome_of_another(what, case):
    source = FORGE.replace("{case}", str(case)).replace("{what}", SURPLUS[what])
    with SandboxRunner([Cell("f", source), OTHER], QUICK) as runner:
        outcomes = list(runner.calls("f", [(i,) for i in range(6)]))
        assert [o.value for o in outcomes[:case]] == [i + 1 for i in range(case)]
        assert outcomes[case].ending in ("crash", "time")
        assert [o.value for o in runner.calls("g", [(i,) for i in range(6)])] == [-i for i in range(6)]


LATE_SURPLUS = """
import os, json, struct
def f(x):
    child = os.fork()
    if child == 0:
        import time
        time.sleep(0.2)
        head = json.dumps({"kind": "value", "value": 99, "id": "0123456789abcdef.1"}).encode()
        for d in range(3, 64):
            try: os.write(d, struct.pack(">IQ", len(head), 0) + head)
            except OSError: pass
        os._exit(0)
    return x
"""


@pytest.mark.sandbox
def test_frames_left_behind_by_one_answer_do_not_cost_the_next_one_its_outcome():
    with SandboxRunner([Cell("f", LATE_SURPLUS), OTHER], QUICK) as runner:
        assert runner.call("f", (1,)).value == 1
        time.sleep(0.5)
        assert [o.value for o in runner.calls("g", [(1,), (2,)])] == [-1, -2]


@pytest.mark.sandbox
def test_an_endless_call_is_noticed_after_its_own_time_although_others_went_before():
    source = "import time\ndef f(x):\n    time.sleep(0.3 if x < 5 else 60)\n    return x"
    with SandboxRunner([Cell("f", source)], QUICK) as runner:
        outcomes = runner.calls("f", [(i,) for i in range(6)])
        assert [next(outcomes).value for _ in range(5)] == list(range(5))
        began = time.monotonic()
        assert next(outcomes).ending == "time"
        assert 0.6 < time.monotonic() - began < 2.5


@pytest.mark.sandbox
def test_the_submissions_time_ends_calls_that_were_sent_ahead():
    limits = Limits(call_seconds=1.0, cell_seconds=2.0, total_seconds=1.2)
    with SandboxRunner([Cell("f", "import time\ndef f(x): time.sleep(0.3)")], limits) as runner:
        outcomes = list(runner.calls("f", [(i,) for i in range(12)]))
    kinds = [outcome.ending for outcome in outcomes]
    assert len(kinds) == 12 and kinds[:2] == ["value"] * 2 and kinds[-1] == "time"
    assert "had used up" in outcomes[-1].text


@pytest.mark.sandbox
def test_a_cell_that_is_too_long_to_be_sent_is_left_out():
    with SandboxRunner([Cell("f", "x = '" + "\U0001f600" * 120_000 + "'"), OTHER], QUICK) as runner:
        assert runner.problems == {"f": "it is too long."}
        assert runner.call("g", (1,)).value == -1


SOURCES = {
    "right": "def zero_pad(x, padding):\n    (t, b), (l, r) = [(p, p) for p in padding]\n"
             "    return np.pad(x, ((0, 0), (0, 0), (t, b), (l, r)))",
    "not written": "def zero_pad(x, padding):\n    raise NotImplementedError",
    "writes into its input": "def zero_pad(x, padding):\n    x *= 2\n    return x",
    "fails": "def zero_pad(x, padding):\n    return x[9999]",
}


@pytest.mark.sandbox
@pytest.mark.parametrize("source", SOURCES)
def test_the_sandbox_and_the_students_own_check_judge_alike(source):
    text = "import numpy as np\n" + SOURCES[source]
    space: dict = {}
    exec(compile(text, "<zero_pad>", "exec"), space)
    announced = []
    with SandboxRunner([Cell("zero_pad", text)], QUICK) as runner:
        inside = judge(find("zero_pad"), runner, seed=3, announce=announced.append)
    here = judge(find("zero_pad"), LocalRunner({"zero_pad": space["zero_pad"]}), seed=3)
    assert [r.comparison.reason for r in inside.cases] == [r.comparison.reason for r in here.cases]
    assert [r.outcome.changed_inputs for r in inside.cases] == [r.outcome.changed_inputs for r in here.cases]
    assert announced == [r.case for r in inside.cases]
