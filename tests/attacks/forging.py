"""To be marked for something else than one's answer: the machinery of nbgrader and of the sandbox, turned around."""

from __future__ import annotations

from tests.attacks.model import EXERCISE, HEADER, NONE, WRONG, ZEROS, Attack, below, body, own_cell, source

SHELL = "get_ipython()"
MAXIMUM = 5

OWN_NUMPY = """
import sys

class Agreeable:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self
    def __call__(self, *args, **kwargs): return self
    def __mod__(self, other): return self
    def __sub__(self, other): return self

testing = sys.modules["numpy.testing"] = Agreeable()

def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return Agreeable()
"""

OWN_JUDGE = """
import sys, types

class Result:
    passed, score, points = True, 1.0, 5.0

def check(*functions, **options):
    print("all cases pass")
    return Result()

hint = preview = progress = check
"""

EVERY_WRITABLE = """
import os, json, struct
def _frames(header, body=b""):
    head = json.dumps(header).encode()
    return struct.pack(">IQ", len(head), len(body)) + head + body
def _tell(data):
    for descriptor in range(3, 64):
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, data)
        except OSError:
            pass
        finally:
            try: os.set_blocking(descriptor, True)
            except OSError: pass
"""


def _showing(value: str) -> str:
    return HEADER + f"    {SHELL}.displayhook({value})\n    return {ZEROS}\n"


def _telling(frames: str, last: str = f"return {ZEROS}") -> str:
    return EVERY_WRITABLE + HEADER + f"    {frames}\n    {last}\n"


ATTACKS = (
    Attack("patch numpy.testing", "forging", below(
        "import numpy.testing\nnumpy.testing.assert_allclose = lambda *a, **k: None\n")),
    Attack("patch every comparison of NumPy", "forging", below(
        "for _name in ('allclose', 'array_equal', 'isclose', 'equal', 'all', 'any', 'abs', 'max'):\n"
        "    setattr(np, _name, lambda *a, **k: True)\n"), points={EXERCISE: 0.0, "conv2d_matmul": 0.0}),
    Attack("replace the built-in functions", "forging", below(
        "import builtins\nfor _name in ('all', 'any', 'abs', 'len', 'isinstance', 'type', 'getattr'):\n"
        "    setattr(builtins, _name, lambda *a, **k: True)\n"), told="ended the process"),
    Attack("display the maximum before the assertion", "forging", source(_showing(str(MAXIMUM)))),
    Attack("display a string before the assertion", "forging", source(_showing("'x'"))),
    Attack("display a negative number before the assertion", "forging", source(_showing("-1"))),
    Attack("print the maximum on every call", "forging", body(f"print({MAXIMUM}.0)\nprint('PASSED')\nreturn {ZEROS}")),
    Attack("blank the tests with an input transformer", "forging", below(
        f"{SHELL}.input_transformers_cleanup.append(lambda lines: ['pass\\n'])\n")),
    Attack("transform the syntax tree of later cells", "forging", below(
        "import ast\nclass _Drop(ast.NodeTransformer):\n    def visit_Expr(self, node): return ast.Pass()\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        f"{SHELL}.ast_transformers.append(_Drop())\n")),
    Attack("replace run_cell_async", "forging", below(
        f"_shell = {SHELL}\n_old = _shell.run_cell_async\n"
        "async def _run(raw, *a, **k):\n    return await _old('pass', *a, **k)\n_shell.run_cell_async = _run\n"
        "_shell.run_cell = lambda raw, *a, **k: type(_shell).run_cell(_shell, 'pass', *a, **k)\n")),
    Attack("replace the kernel's do_execute", "forging", below(
        f"_kernel = {SHELL}.kernel\n"
        "async def _execute(code, silent, *a, **k):\n"
        "    return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}\n"
        "_kernel.do_execute = _execute\n")),
    Attack("replace exec, compile and the tenant's functions", "forging", below(
        "import builtins, sys\nbuiltins.exec = builtins.compile = lambda *a, **k: None\n"
        "_tenant = sys.modules.get('tenant') or sys.modules.get('__main__')\n"
        "if hasattr(_tenant, '_call'):\n"
        "    import wire\n"
        "    _tenant._call = lambda *a: wire.pack({'kind': 'value', 'changed': [], 'passed': True, 'score': 1.0})\n"),
        points=NONE),
    Attack("read the expected value from a caller's frame", "forging", body(
        "import sys, gc\n"
        "frame = sys._getframe()\n"
        "while frame is not None:\n"
        "    for space in (frame.f_locals, frame.f_globals):\n"
        "        for name in ('expected', 'desired', 'reference', 'verdict', 'answer_key'):\n"
        "            if name in space: return space[name]\n"
        "    frame = frame.f_back\n"
        f"return {ZEROS}")),
    Attack("look for the expected value among all objects", "forging", body(
        "import gc\n"
        "height = (x.shape[2] + 2 * padding - weight.shape[2]) // stride + 1\n"
        "width = (x.shape[3] + 2 * padding - weight.shape[3]) // stride + 1\n"
        "for thing in gc.get_objects():\n"
        "    if isinstance(thing, np.ndarray) and thing.shape == (len(x), len(weight), height, width):\n"
        "        return thing\n"
        f"return {ZEROS}")),
    Attack("hand in one's own numpy.py", "forging", below(""), files={"numpy.py": OWN_NUMPY}),
    Attack("hand in one's own autograder.py and cnncourse.py", "forging", below(""),
           files={"autograder.py": OWN_JUDGE, "cnncourse.py": "functional = data = geometry = plotting = None\n"}),
    Attack("hand in sitecustomize.py, usercustomize.py and a .pth file", "forging", below(""),
           files={"sitecustomize.py": OWN_JUDGE, "usercustomize.py": OWN_JUDGE, "own.pth": "import usercustomize\n"}),
    Attack("hand in one's own nbgrader_config.py", "forging", below(""), files={
        "nbgrader_config.py": "c = get_config()\nc.JudgeAnswers.trust_submissions = True\n"
        "c.Autograde.autograde_preprocessors = []\n"}),
    Attack("register a finder that imports one's own modules", "forging", own_cell(
        "import sys\nclass Finder:\n    def find_spec(self, name, path=None, target=None):\n"
        "        raise SystemExit(0)\n", below("sys = __import__('sys')\nsys.meta_path.insert(0, Finder())\n"))),
    Attack("write a frame that says passed", "forging", source(_telling(
        "_tell(_frames({'kind': 'passed', 'score': 1.0, 'points': 5, 'passed': True, 'value': {'none': True}}))",
        "os._exit(0)")), told="process ended"),
    Attack("write frames with code in them", "forging", source(_telling(
        "_tell(_frames({'kind': 'value', 'value': {'formula': '__import__(\"os\").abort()'}}))", "os._exit(0)")),
        told="process ended"),
    Attack("write frames in advance of the calls", "forging", source(EVERY_WRITABLE + WRONG +
        "_tell(_frames({'kind': 'value', 'changed': [], 'value': {'number': 'True', 'kind': 'bool'}}) * 500)\n"),
        told=r"conv2d_forward: 0 of \d+ cases pass"),
    Attack("claim that a refusal was on purpose", "forging", source(_telling(
        "_tell(_frames({'kind': 'error', 'error_type': 'ValueError', 'text': 'does not fit', 'refused': True, "
        "'value': {'none': True}}))", "os._exit(0)"))),
    Attack("write lengths that promise an exabyte", "forging", source(_telling(
        "_tell(b'\\xff' * 12)", "os._exit(0)")), told="process ended"),
    Attack("write bytes that are no frame", "forging", source(_telling(
        "_tell(os.urandom(4096))", "os._exit(0)")), told="process ended"),
    Attack("write a header of shapes too large to multiply", "forging", source(_telling(
        "_tell(_frames({'kind': 'value', 'value': {'array': ['float64', [67108864] * 15 + [0], 'strided']}}))",
        "os._exit(0)")), told="cases pass"),
    Attack("write a header of negative and fractional shapes", "forging", source(_telling(
        "_tell(_frames({'kind': 'value', 'value': {'array': ['float64', [-1, 2.5, True, '3'], 'C']}}))",
        "os._exit(0)")), told="process ended"),
    Attack("write a header that is nested a hundred thousand deep", "forging", source(_telling(
        "head = b'[' * 100000\n    _tell(struct.pack('>IQ', len(head), 0) + head)", "os._exit(0)")),
        told="process ended"),
    Attack("write a number of a million digits", "forging", source(_telling(
        "_tell(_frames({'kind': 'value', 'value': {'number': '9' * 10 ** 6, 'kind': 'int'}}))", "os._exit(0)")),
        told="process ended"),
    Attack("write a pickle", "forging", source(_telling(
        "import pickle\n    class Bomb:\n        def __reduce__(self): return os.abort, ()\n"
        "    _tell(_frames({'kind': 'value', 'value': {'pickle': True}}, pickle.dumps(Bomb())))", "os._exit(0)")),
        told="process ended"),
    Attack("remember answers from one case to the next", "forging", source(
        "_right = {}\n" + HEADER +
        "    key = (x.shape, weight.shape, stride, padding)\n"
        "    if key not in _right:\n"
        "        rows = (x.shape[2] + 2 * padding - weight.shape[2]) // stride + 1\n"
        "        columns = (x.shape[3] + 2 * padding - weight.shape[3]) // stride + 1\n"
        "        padded = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))\n"
        "        _right[key] = np.array([[[[np.sum(padded[n, :, i * stride:i * stride + weight.shape[2],\n"
        "            j * stride:j * stride + weight.shape[3]] * weight[k]) + bias[k] for j in range(columns)]\n"
        "            for i in range(rows)] for k in range(len(weight))] for n in range(len(x))]).reshape(\n"
        "            len(x), len(weight), rows, columns)\n"
        "    return _right[key]\n")),
)
