"""What of an answer can have an effect: without code that never runs, with code that hides in a text."""

from __future__ import annotations

import ast
from collections import Counter

MOST_ROUNDS = 8
"""What is used by nothing but unused code is found in the next round."""

RUNS_TEXT = ("exec", "eval")
ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def living(tree: ast.Module, keep: frozenset[str]) -> ast.Module:
    """A tree without what never runs or changes nothing; it is changed.

    Parameters
    ----------
    tree : Module
    keep : frozenset of str
        Names that somebody outside uses.
    """
    _unpack(tree)
    for _ in range(MOST_ROUNDS):
        used = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
                       and not isinstance(node.ctx, ast.Store))
        used.update(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        for node in ast.walk(tree):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                used.update(node.names)
        before = sum(1 for _ in ast.walk(tree))
        for node in ast.walk(tree):
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list):
                    setattr(node, name, _living_block(block, keep.union(used), node is not tree))
        if sum(1 for _ in ast.walk(tree)) == before:
            break
    return tree


def _living_block(block: list[ast.stmt], needed: frozenset[str], inside: bool) -> list[ast.stmt]:
    kept: list[ast.stmt] = []
    for statement in block:
        if isinstance(statement, (ast.If, ast.While)) and isinstance(statement.test, ast.Constant):
            if not statement.test.value:
                kept += statement.orelse
                continue
            if isinstance(statement, ast.If):
                kept += statement.body
                continue
        if not _is_idle(statement, needed):
            kept.append(statement)
        if inside and isinstance(statement, ENDS):
            break
    return kept


def _is_idle(statement: ast.stmt, needed: frozenset[str]) -> bool:
    """Whether a statement changes nothing that anybody looks at."""
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, (ast.Constant, ast.Name))
    if isinstance(statement, FUNCTIONS):
        return statement.name not in needed and not statement.decorator_list
    if isinstance(statement, ast.Assign):
        return (all(isinstance(target, ast.Name) and target.id not in needed for target in statement.targets)
                and not any(isinstance(node, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr))
                            for node in ast.walk(statement.value)))
    return False


def _unpack(tree: ast.Module) -> None:
    """Put what `exec("...")` and `eval("...")` run in the place of the call."""
    for node in list(ast.walk(tree)):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                setattr(node, name, [inner for statement in block for inner in _unpacked(statement)])


def _unpacked(statement: ast.stmt) -> list[ast.stmt]:
    if not (isinstance(statement, ast.Expr) and isinstance(call := statement.value, ast.Call)
            and isinstance(call.func, ast.Name) and call.func.id in RUNS_TEXT and call.args):
        return [statement]
    text = _text(call.args[0])
    try:
        return ast.parse(text).body if text is not None else [statement]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [statement]


def _text(node: ast.expr) -> str | None:
    """A text that is written down, in one piece or in several that are added, joined or compiled."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "compile" and node.args:
        return _text(node.args[0])
    if (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join"
            and len(node.args) == 1 and isinstance(node.args[0], (ast.List, ast.Tuple))):
        parts = [_text(part) for part in node.args[0].elts]
        between = _text(node.func.value)
        known = [part for part in parts if part is not None]
        return None if between is None or len(known) < len(parts) else between.join(known)
    return None
