"""What stays of an answer when its writer's layout, comments and names are taken away."""

from __future__ import annotations

import ast
import re
import warnings
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autograder.report.living import living

MOST_CHARACTERS = 40_000
"""Of a longer answer, without its comments and long texts, the rest is left out: nothing may take minutes to read."""

LONGEST_TEXT = 200
"""Characters of a text in the code; what is longer is no part of an algorithm."""

COMMENT_OR_TEXT = re.compile(
    r'''(?P<text>"""(?:[^"\\]++|\\.|"(?!""))*+(?:"""|\Z)|'{3}(?:[^'\\]++|\\.|'(?!''))*+(?:'{3}|\Z)'''
    r'''|"(?:[^"\\\n]++|\\.)*+(?:"|$)|'(?:[^'\\\n]++|\\.)*+(?:'|$))|(?P<comment>\#[^\n]*)''', re.DOTALL | re.MULTILINE)
MAGIC = re.compile(r"^[ \t]*(?:[%!?].*|[\w.]+[ \t]*=[ \t]*[%!].*|[%\w.*]+\?\??[ \t]*)$", re.MULTILINE)
"""A line that only IPython understands."""

GRAM = 12
WINDOW = 8
SKIPPED_FIELDS = frozenset(("ctx", "type_comment", "kind", "annotation", "returns", "type_params", "type_ignores"))
MULTIPLIER = np.uint64(6364136223846793005)


@dataclass(frozen=True)
class Form:
    """An answer without what is only its writer's way to put it.

    Attributes
    ----------
    key : int or str
        Equal for answers that differ in layout, comments, docstrings, type hints and names of their own only.
    size : int
        Number of names, constants and attributes; 0 where it is not known.
    prints : frozenset of int
        Fingerprints of the structure: two answers share most of them if little was changed.
    """

    key: int | str
    size: int = 0
    prints: frozenset[int] = frozenset()


def normalize(source: str, keep: frozenset[str]) -> Form:
    """The form of an answer.

    Parameters
    ----------
    source : str
        Whatever a student wrote.
    keep : frozenset of str
        Names that are not the writer's choice, those of the functions asked for.

    Returns
    -------
    Form
        Of a source that is no Python the text without comments and spaces.
    """
    source = _bounded(source)
    try:
        tree = living(_parsed(source), keep)
        items, own = _flatten(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        text = "".join(source.split())
        return Form(text, len(text) // 4, _fingerprints(re.findall(r"\w+|[^\w\s]", source)))
    own -= keep
    numbers: dict[str, str] = {}
    exact, loose, size = [], [], 0
    for kind, text in items:
        if kind == "name" and text in own:
            exact.append(numbers.setdefault(text, f"own {len(numbers)}"))
            loose.append("own")
        else:
            exact.append(text)
            loose.append(text)
        size += kind != "node"
    # A hash instead of the words: ten thousand students' trees need not be kept.
    return Form(hash(tuple(exact)), size, _fingerprints(loose))


def _bounded(source: str) -> str:
    """The source without comments, long texts shortened; at most so much of it, up to the end of a statement."""
    def shorter(found: re.Match[str]) -> str:
        text = found["text"]
        if text is None or len(text) <= LONGEST_TEXT:
            return text or ""
        return repr(f"text {zlib.crc32(text.encode('utf-8', 'replace'))}")

    if len(source) > MOST_CHARACTERS // 4:
        source = COMMENT_OR_TEXT.sub(shorter, source)
        source = re.sub(r"\n\s*\n", "\n", source)
    if len(source) > MOST_CHARACTERS:
        end = max((found.start() for found in re.finditer(r"^\S", source[:MOST_CHARACTERS], re.MULTILINE)), default=0)
        source = source[: end or MOST_CHARACTERS]
    return source


def _parsed(source: str) -> ast.Module:
    """The tree of a source; if it is no Python, of what it is without the lines of a notebook's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a strange escape sequence, `is` with a number
        try:
            return ast.parse(source)
        except SyntaxError:
            return ast.parse(MAGIC.sub(lambda found: " " * (len(found[0]) - len(found[0].lstrip())) + "pass", source))


def _flatten(tree: ast.Module) -> tuple[list[tuple[str, str]], set[str]]:
    """Kinds and texts in the order of the tree, and the names that the source binds; no recursion, trees are deep."""
    items: list[tuple[str, str]] = []
    own: set[str] = set()
    stack: list[ast.AST | tuple[str, str]] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            items.append(node)
            continue
        if isinstance(node, ast.Name):
            items.append(("name", node.id))
            if isinstance(node.ctx, ast.Store):
                own.add(node.id)
            continue
        if isinstance(node, ast.Constant):
            value = hex(node.value) if type(node.value) is int else repr(node.value)
            items.append(("constant", f"{type(node.value).__name__} {value}"))
            continue
        if isinstance(node, ast.AnnAssign):
            if node.value is None:
                continue
            node = ast.Assign([node.target], node.value)
        items.append(("node", type(node).__name__))
        _push_children(node, stack, own)
    return items, own


def _push_children(node: ast.AST, stack: list[ast.AST | tuple[str, str]], own: set[str]) -> None:
    children: list[ast.AST | tuple[str, str]] = []
    for name in node._fields:
        if name in SKIPPED_FIELDS:
            continue
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            children.append(value)
        elif isinstance(value, list):
            children.append(("node", "["))
            for child in value:
                if isinstance(child, ast.AST):
                    if not (name == "body" and _says_nothing(child)):
                        children.append(child)
                else:
                    children.append(("name", str(child)))
            children.append(("node", "]"))
        elif isinstance(value, str):
            bound = _binds(node, name)
            if bound:
                own.add(value)
            children.append(("name" if bound else "attribute", value))
        else:
            children.append(("node", str(value)))
    stack.extend(reversed(children))


def _binds(node: ast.AST, field: str) -> bool:
    return ((field == "arg" and isinstance(node, ast.arg))
            or (field == "name" and isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)))
            or (field == "asname" and isinstance(node, ast.alias)))


def _says_nothing(statement: ast.AST) -> bool:
    """A docstring, another text that nobody uses, or `pass`."""
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str))


def _fingerprints(words: list[str]) -> frozenset[int]:
    """Winnowing: the least hash in every window of hashes of `GRAM` words each.

    References
    ----------
    Schleimer, Wilkerson, Aiken: Winnowing: local algorithms for document fingerprinting. SIGMOD 2003.
    """
    codes = np.array([_code(word) for word in words], dtype=np.uint64)
    if codes.size < GRAM:
        return frozenset()
    hashes = np.zeros(codes.size - GRAM + 1, dtype=np.uint64)
    for offset in range(GRAM):
        hashes = hashes * MULTIPLIER + codes[offset : offset + hashes.size]
    # The low bits of such a product depend on the last words only.
    hashes ^= hashes >> np.uint64(29)
    hashes *= MULTIPLIER
    hashes >>= np.uint64(16)
    if hashes.size <= WINDOW:
        return frozenset((int(hashes.min()),))
    windows = np.lib.stride_tricks.sliding_window_view(hashes, WINDOW)
    return frozenset(windows.min(axis=1).tolist())


@lru_cache(maxsize=1 << 16)
def _code(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace"))
