"""Which statements of a student's own cells an answer can see.

Experiments, plots and prints may take longer than all answers together, and change nothing that an answer finds. So a
statement of the student's own runs only if it binds or may change a name that an answer uses, or a name that such a
statement uses, and so on; or if nobody can tell, as with `exec`. Calling an answer is taken to change nothing.

This file also lies in the sandbox, and imports the standard library only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import CodeType
from typing import Any

OPAQUE = frozenset((
    "__import__", "compile", "delattr", "eval", "exec", "exit", "get_ipython", "globals", "locals", "quit", "setattr",
    "vars"))
"""Whatever calls one of these may do anything."""
OPAQUE_MODULES = frozenset(("builtins", "ctypes", "gc", "importlib", "os", "signal", "sys", "threading", "warnings"))
LOOKING = frozenset((
    "abs", "bool", "check", "display", "float", "hint", "int", "isinstance", "len", "preview", "print", "progress",
    "range", "rehearse", "repr", "round", "str", "type"))
"""What can be called with a name and leaves it as it was."""
NAMES = re.compile(r"(?<![.\w])[^\W\d]\w*")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Statement:
    """What a statement does, as far as its text tells.

    Attributes
    ----------
    node : ast.stmt
    binds : set of str
        Names that it binds at the top of the notebook.
    changes : set of str
        Names of what it, or a function in it, may change in place or rebind.
    mentions : set of str
    opaque : bool
        Whether it may do anything.
    """

    def __init__(self, node: ast.stmt, modules: set[str], answers: set[str]) -> None:
        self.node = node
        self.binds: set[str] = set()
        self.changes: set[str] = set()
        self.mentions: set[str] = set()
        self.opaque = False
        self._modules = modules
        self._looking = LOOKING | answers
        self._visit(node, 0)

    def _visit(self, node: ast.AST, depth: int) -> None:
        getattr(self, f"_visit_{type(node).__name__}", self._pass)(node, depth)
        inner = depth + isinstance(node, (*FUNCTIONS, *COMPREHENSIONS))
        for child in ast.iter_child_nodes(node):
            self._visit(child, inner)

    def _pass(self, node: Any, depth: int) -> None:
        """Most parts do nothing by themselves."""

    def _visit_Name(self, node: ast.Name, depth: int) -> None:
        self.mentions.add(node.id)
        self.opaque |= node.id in OPAQUE
        if depth == 0 and not isinstance(node.ctx, ast.Load):
            self.binds.add(node.id)

    def _visit_FunctionDef(self, node: Any, depth: int) -> None:
        if depth == 0:
            self.binds.add(node.name)

    _visit_AsyncFunctionDef = _visit_ClassDef = _visit_FunctionDef

    def _visit_MatchAs(self, node: Any, depth: int) -> None:
        if depth == 0 and node.name:
            self.binds.add(node.name)

    _visit_MatchStar = _visit_ExceptHandler = _visit_MatchAs

    def _visit_MatchMapping(self, node: ast.MatchMapping, depth: int) -> None:
        if depth == 0 and node.rest:
            self.binds.add(node.rest)

    def _visit_NamedExpr(self, node: ast.NamedExpr, depth: int) -> None:
        self.binds.add(node.target.id)

    def _visit_Import(self, node: ast.Import | ast.ImportFrom, depth: int) -> None:
        self.binds |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        self.opaque |= any(alias.name == "*" for alias in node.names)

    _visit_ImportFrom = _visit_Import

    def _visit_Global(self, node: ast.Global, depth: int) -> None:
        self.changes.update(node.names)

    def _visit_Raise(self, node: ast.Raise, depth: int) -> None:
        self.opaque |= depth == 0  # it ends the cell

    def _visit_Attribute(self, node: ast.Attribute, depth: int) -> None:
        root = _root(node)
        self.opaque |= node.attr.startswith("__") or root in OPAQUE_MODULES
        if not isinstance(node.ctx, ast.Load):
            self.changes.add(root)

    def _visit_Subscript(self, node: ast.Subscript, depth: int) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.changes.add(_root(node))

    def _visit_For(self, node: Any, depth: int) -> None:
        self.changes.add(_root(node.iter))  # it may be used up

    _visit_AsyncFor = _visit_comprehension = _visit_For

    def _visit_Call(self, node: ast.Call, depth: int) -> None:
        function = node.func
        if isinstance(function, ast.Attribute):
            root = _root(function)
            if root not in self._modules:
                self.changes.add(root)
            self.opaque |= root in self._modules and function.attr.startswith("set")
        if not (isinstance(function, ast.Name) and function.id in self._looking):
            self.changes.update(_root(given) for given in (*node.args, *(word.value for word in node.keywords)))
        self.changes.discard("")


def needed(own: Mapping[str, str], answers: Sequence[str], names: Iterable[str]) -> dict[str, list[ast.stmt]]:
    """Statements that have to run, by the name of their cell; a cell that is no Python is left out.

    Parameters
    ----------
    own : mapping of str to str
        The student's own cells.
    answers : sequence of str
        Sources of the cells that run as they are.
    names : iterable of str
        Names of the answers.
    """
    trees = dict(_trees(own))
    modules = {alias.asname or alias.name.split(".")[0] for tree in trees.values() for node in ast.walk(tree)
               if isinstance(node, ast.Import) for alias in node.names} | {"np"}
    called = set(names)
    found = {cell: [Statement(node, modules, called) for node in tree.body] for cell, tree in trees.items()}
    everything = [statement for statements in found.values() for statement in statements]
    seen = called.union(*map(_names_in, answers))
    chosen: set[int] = set()
    makers: dict[str, list[Statement]] = {}
    for statement in everything:
        for name in statement.binds:
            makers.setdefault(name, []).append(statement)
    more = True
    while more:
        more = False
        for statement in everything:
            if id(statement) not in chosen and _may_be_seen(statement, seen, makers, called):
                chosen.add(id(statement))
                seen |= _looked_up(_compiled(ast.Module([statement.node], [])), statement.mentions)
                more = True
    return {cell: [statement.node for statement in statements if id(statement) in chosen]
            for cell, statements in found.items()}


def is_blank(statement: ast.stmt) -> bool:
    """Whether it is a function that does nothing but raise NotImplementedError."""
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    for line in statement.body:
        if isinstance(line, ast.Raise):
            error = line.exc.func if isinstance(line.exc, ast.Call) else line.exc
            return isinstance(error, ast.Name) and error.id == "NotImplementedError"
        if not isinstance(line, ast.Pass) and not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)):
            return False
    return False


def _may_be_seen(
    statement: Statement, seen: set[str], makers: Mapping[str, list[Statement]], answers: set[str]
) -> bool:
    """Whether a statement, or a function that it mentions, binds or changes one of the names."""
    if not seen.isdisjoint(statement.binds):
        return True
    waiting, looked_at = [statement], set(answers)
    while waiting:
        part = waiting.pop()
        if part.opaque or not seen.isdisjoint(part.changes):
            return True
        for name in part.mentions - looked_at:
            looked_at.add(name)
            waiting += makers.get(name, ())
    return False


def _trees(cells: Mapping[str, str]) -> Iterator[tuple[str, ast.Module]]:
    for name, source in cells.items():
        try:
            yield name, ast.parse(source, f"<{name}>")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue


def _names_in(source: str) -> set[str]:
    """Names that a cell and its functions look up at the top of the notebook."""
    return _looked_up(_compiled(source), set(NAMES.findall(source)))


def _compiled(source: Any) -> CodeType | None:
    try:
        return compile(source, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _looked_up(code: CodeType | None, mentioned: set[str]) -> set[str]:
    """Of the names that are mentioned those that no function has for itself."""
    if code is None:
        return mentioned
    found: set[str] = set()
    waiting = [code]
    while waiting:
        part = waiting.pop()
        found.update(part.co_names)
        waiting += [constant for constant in part.co_consts if isinstance(constant, CodeType)]
    return found & mentioned


def _root(node: ast.AST) -> str:
    """The name at which a chain of attributes and subscripts begins; empty if it begins with something else."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
