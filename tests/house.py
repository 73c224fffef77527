"""The rooms of a package and the arrows between them, read from the imports in its code.

    python -m tests.house                                      both packages and bench, from the ground up
    python -m tests.house --root ANOTHER_CHECKOUT autograder   one package of another checkout

A room is a folder at the top of a package, or a module that stands there by itself; in `autograder/exercises`, which
is a corridor, every topic is one. A floor is the longest way down to
the ground. Every import counts, wherever it is written: at the top of a file, inside of a function, and under `if
TYPE_CHECKING`, since who needs another's types cannot be understood or moved without it. What a file imports by a name
that it puts together cannot be read, and is written down in BY_NAME. Only what Python does by itself does not count:
that importing `a.b` runs `a/__init__.py` first.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

PACKAGES = ("cnncourse", "autograder", "bench")
NEIGHBORS = (*PACKAGES, "tests")
CORRIDORS = ("autograder.exercises",)
"""Folders whose members are rooms themselves."""
HALL = "__init__"
"""The room of a package's own __init__.py, or a corridor's."""
BY_NAME = {
    "autograder.doctor": (),  # packages of other people
    "autograder.exercises.contents": ("autograder.exercises",),
    "cnncourse.lazy": (),  # who hands names on says them again for type checkers
}
"""What is below these modules or packages, a file imports by names that it puts together."""
FEW = 14
"""Rooms of one circle for which the best of all orders is found."""

Arrows = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Import:
    """That one file of a package needs another, and where it says so.

    Attributes
    ----------
    importer, imported : str
        Modules with dots, packages among them.
    line : int
    """

    importer: str
    imported: str
    line: int


class House:
    """One package of a checkout.

    Parameters
    ----------
    root : Path
        Folder that holds the package.
    package : str

    Attributes
    ----------
    files : dict of str to Path
        By modules with dots.
    imports, foreign : tuple of Import
        All of this and the neighboring packages; those of neighbors alone.
    unread : list of str
        Modules that import by names that they put together, although BY_NAME does not say what.
    """

    def __init__(self, root: Path, package: str) -> None:
        self.root, self.package = root, package
        self.files = {_dotted(path.relative_to(root)): path for path in sorted((root / package).rglob("*.py"))}
        self.unread: list[str] = []
        self.imports = tuple(one for module in self.files for one in self._read(module))
        self.foreign = tuple(one for one in self.imports if one.imported not in self.files)

    def room(self, module: str) -> str:
        """In which room a module of this package lies."""
        _, room, member, *_ = [*module.split("."), HALL, HALL]
        return f"{room}.{member}" if f"{self.package}.{room}" in CORRIDORS else room

    @property
    def rooms(self) -> list[str]:
        """All rooms that there are."""
        return sorted({self.room(module) for module in self.files})

    @property
    def within(self) -> Iterator[Import]:
        """Imports of this package's own modules."""
        return (one for one in self.imports if one.imported in self.files)

    def arrows(self) -> dict[tuple[str, str], int]:
        """From room to room, and how many imports say so."""
        pairs = [(self.room(one.importer), self.room(one.imported)) for one in self.within]
        return {pair: pairs.count(pair) for pair in sorted(set(pairs)) if pair[0] != pair[1]}

    def file_arrows(self) -> dict[tuple[str, str], int]:
        """From file to file."""
        pairs = [(one.importer, one.imported) for one in self.within]
        return {pair: pairs.count(pair) for pair in sorted(set(pairs)) if pair[0] != pair[1]}

    def _read(self, module: str) -> Iterator[Import]:
        path = self.files[module]
        folder = module if path.name == "__init__.py" else module.rpartition(".")[0]
        seen: set[Import] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
            named = self._by_name(module) if _is_by_name(node) else _names(node, folder)
            for name in named:
                imported = self._file_of(name)
                if imported and imported != module:
                    seen.add(Import(module, imported, getattr(node, "lineno", 0)))
        yield from sorted(seen, key=lambda one: (one.line, one.imported))

    def _by_name(self, module: str) -> Iterator[str]:
        if module not in BY_NAME:
            self.unread.append(module)
        return (other for other in self.files for above in BY_NAME.get(module, ()) if other.startswith(f"{above}."))

    def _file_of(self, name: str) -> str | None:
        """The module of this house that holds a dotted name, or the foreign name of a neighboring package."""
        first = name.split(".")[0]
        if self.package not in self.files and f"{self.package}.{first}" in self.files:
            name = f"{self.package}.{name}"  # scripts in a folder that is no package call each other by bare names
        elif first != self.package:
            return name if first in NEIGHBORS else None
        while name not in self.files and "." in name:
            name = name.rpartition(".")[0]
        return name


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _names(node: ast.AST, folder: str) -> Iterator[str]:
    """Dotted names that a statement imports; what `from a import b` takes may be a module or not."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            parents = folder.split(".")
            base = ".".join([*parents[:len(parents) - level + 1], *filter(None, [module])]) if level else module
            yield from (f"{base}.{alias.name}" for alias in names)
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if _is_import_module(node):
            yield name


def _is_import_module(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name | ast.Attribute) and "import_module" in (
        getattr(node.func, "id", ""), getattr(node.func, "attr", ""))


def _is_by_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and _is_import_module(node) and not isinstance(node.args[0], ast.Constant)


def circles(nodes: Iterable[str], arrows: Arrows) -> list[list[str]]:
    """Groups of nodes each of which can be reached from all others of its group; larger ones first."""
    reached = {node: _reachable(node, arrows) for node in nodes}
    groups = {tuple(sorted(other for other in found if node in reached[other])) for node, found in reached.items()}
    return sorted((list(group) for group in groups if group), key=lambda group: (-len(group), group))


def _reachable(start: str, arrows: Arrows) -> set[str]:
    following: dict[str, list[str]] = {}
    for source, target in arrows:
        following.setdefault(source, []).append(target)
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for target in following.get(waiting.pop(), ()):
            if target not in found:
                found.add(target)
                waiting.append(target)
    return found


def upward(nodes: Iterable[str], arrows: Arrows) -> list[tuple[str, str]]:
    """Arrows without which there would be no circle, as few imports as possible."""
    found: list[tuple[str, str]] = []
    for group in circles(nodes, arrows):
        inside = {pair: count for pair, count in arrows.items() if set(pair) <= set(group)}
        place = {node: number for number, node in enumerate(_order(group, inside))}
        found += [pair for pair in inside if place[pair[0]] < place[pair[1]]]
    return sorted(found)


def _order(group: list[str], inside: Arrows) -> list[str]:
    """A circle cut open, from the bottom up: as few imports as possible lead up."""
    if len(group) > FEW:  # those that need much and are needed little are put on top
        return sorted(group, key=lambda node: sum(
            count * ((source == node) - (target == node)) for (source, target), count in inside.items()))
    # Of every set of nodes the best way to put it at the bottom, its uppermost node chosen last.
    best: dict[frozenset[str], tuple[int, list[str]]] = {frozenset(): (0, [])}
    for size in range(1, len(group) + 1):
        for chosen in map(frozenset, combinations(group, size)):
            outside = [node for node in group if node not in chosen]
            ways = []
            for node in sorted(chosen):
                cost, order = best[chosen - {node}]
                ways.append((cost + sum(inside.get((node, other), 0) for other in outside), [*order, node]))
            best[chosen] = min(ways)
    return best[frozenset(group)][1]


def floors(nodes: Iterable[str], arrows: Arrows) -> dict[str, int]:
    """The longest way down from each node to the ground, which is floor 0; arrows that close a circle do not count."""
    nodes = list(nodes)
    left_out = set(upward(nodes, arrows))
    below: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in arrows:
        if (source, target) not in left_out:
            below[source].append(target)
    found: dict[str, int] = {}

    def floor(node: str) -> int:
        if node not in found:
            found[node] = 1 + max(map(floor, below[node]), default=-1)
        return found[node]

    return {node: floor(node) for node in nodes}


def by_floor(numbers: Mapping[str, int]) -> list[list[str]]:
    """The nodes of each floor, from the ground up."""
    return [sorted(node for node, number in numbers.items() if number == floor)
            for floor in range(max(numbers.values(), default=-1) + 1)]


def described(house: House) -> str:
    """All about a package as a table in text."""
    rooms, arrows, file_arrows = house.rooms, house.arrows(), house.file_arrows()
    levels = by_floor(floors(rooms, arrows))
    up, round_rooms, round_files = upward(rooms, arrows), circles(rooms, arrows), circles(house.files, file_arrows)
    lines = [f"{house.package}: {len(rooms)} rooms, {len(levels)} floors, {len(arrows)} arrows, {len(up)} back up, "
             f"{len(round_rooms)} circles of rooms, {len(round_files)} of files ({len(house.files)} files)"]
    lines += [f"  {number:>2}  {'  '.join(level)}" for number, level in reversed(list(enumerate(levels)))]
    for source, target in up:
        lines += [f"  up: {one.importer}:{one.line} imports {one.imported}" for one in house.within
                  if (house.room(one.importer), house.room(one.imported)) == (source, target)]
    lines += [f"  not read: what {module} imports by name" for module in house.unread]
    for kind, groups in (("rooms", round_rooms), ("files", round_files)):
        lines += [f"  circle of {kind}: {_short(group)}" for group in groups]
    return "\n".join(lines)


def _short(group: list[str], most: int = 8) -> str:
    more = f" and {len(group) - most} more" if len(group) > most else ""
    return ", ".join(group[:most]) + more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", default=PACKAGES, metavar="PACKAGE")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="a checkout")
    options = parser.parse_args()
    print("\n\n".join(described(House(options.root, package)) for package in options.packages))


if __name__ == "__main__":
    main()
