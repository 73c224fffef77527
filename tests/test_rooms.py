"""Who may import whom: in both packages imports lead down, from floor to floor, and past no door."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cnncourse.randomly import many
from tests.house import HALL, House, Import, circles, described, floors, upward

TOPICS = tuple(f"exercises.{topic}" for topic in (
    "architectures", "fc_to_conv", "local_connectivity", "memory", "parameter_sharing", "pooling", "training"))
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "cnncourse": (
        ("errors", "lazy", "processors"),
        ("geometry", "language"),
        ("config", "data"),
        ("machinery",),
        ("kernels",),
        ("functional",),
        ("layers", "warming"),
        ("network",),
        ("convert", "onnx_import", "pattern", "training", "weights", "zoo"),
        ("memory",),
        ("plotting", "widgets"),
        (HALL,),
    ),
    "autograder": (
        ("assignment", "downloads", "errors", f"exercises.{HALL}", "files", "policy", "spreadsheet", "startup", "text"),
        ("sandbox", "syllabus"),
        ("judging",),
        ("exercises.making", "exercises.words", "exercises.written"),
        (*TOPICS, "showing"),
        ("exercises.contents",),
        ("checking", "classroom"),
        ("cohort", "configuration", "rehearsal"),
        (HALL,),
        ("authoring", "report"),
        ("book", "lab", "platforms", "terminal"),
        ("demo", "doctor", "exports"),
        ("cli",),
        ("command",),
    ),
}
"""The rooms of each package from the ground up. A room may import what lies on lower floors, and nothing else: not what
is above it, nor what is beside it."""
DOORS: dict[str, tuple[str, ...]] = {
    "cnncourse.kernels": ("cnncourse.functional",),
    "cnncourse.machinery": ("cnncourse.functional", "cnncourse.kernels", "cnncourse.warming"),
}
"""Rooms that not everybody above may enter, and who may: kernels take arguments that functional has checked."""
BELOW = {"cnncourse": (), "autograder": ("cnncourse",)}
"""Which other packages of this checkout a package may import."""


@pytest.fixture(scope="module", params=FLOORS)
def house(request, root) -> House:
    return House(root, request.param)


def said(imports: Iterator[Import]) -> list[str]:
    return [f"{one.importer}:{one.line} imports {one.imported}" for one in imports]


def wrong_ways(house: House) -> Iterator[Import]:
    """Imports that lead up or sideways."""
    floor = {room: number for number, rooms in enumerate(FLOORS[house.package]) for room in rooms}
    for one in house.within:
        source, target = house.room(one.importer), house.room(one.imported)
        if source != target and floor.get(source, -1) <= floor.get(target, -1):
            yield one


def past_doors(house: House) -> Iterator[Import]:
    """Imports of what only some may import."""
    for one in house.imports:
        for room, may in DOORS.items():
            if (one.imported + ".").startswith(room + ".") and not (one.importer + ".").startswith(
                    tuple(f"{inside}." for inside in (room, *may))):
                yield one


def test_the_table_names_every_room_once(house):
    assert sorted(room for floor in FLOORS[house.package] for room in floor) == house.rooms


def test_imports_lead_down(house):
    assert said(wrong_ways(house)) == []


def test_nobody_goes_past_a_door(house):
    assert said(past_doors(house)) == []


def test_a_package_knows_no_other_but_those_below_it(house):
    assert said(one for one in house.foreign if one.imported.split(".")[0] not in BELOW[house.package]) == []


def test_everything_that_is_imported_can_be_read(house):
    assert house.unread == []


@pytest.mark.parametrize("package", [*FLOORS, "bench"])
def test_no_files_import_each_other_in_a_circle(root, package):
    house = House(root, package)
    assert circles(house.files, house.file_arrows()) == []


@pytest.fixture
def copy(root, tmp_path) -> Path:
    """The reference's code in a folder that may be spoiled."""
    shutil.copytree(root / "cnncourse", tmp_path / "cnncourse",
                    ignore=lambda folder, names: [name for name in names if Path(name).suffix not in ("", ".py")
                                                  or name == "__pycache__"])
    return tmp_path


def spoiled(copy: Path, path: str, code: str) -> tuple[House, int]:
    """The copy with code at the end of one file, and in which line it begins."""
    file = copy / "cnncourse" / path
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, code, ""]))
    return House(copy, "cnncourse"), len(lines) + 1


@pytest.mark.parametrize("path, code, imported", [
    ("geometry/sizes.py", "from cnncourse.network import Network", "network"),
    ("geometry/sizes.py", "from cnncourse import network", "network"),
    ("geometry/sizes.py", "import cnncourse.network.graph as graph", "network.graph"),
    ("geometry/sizes.py", "from ..network.graph import Graph", "network.graph"),
    ("geometry/__init__.py", "from ..network import graph", "network.graph"),
    ("geometry/sizes.py", "from .. import network", "network"),
    ("geometry/sizes.py", "def late(): from cnncourse.network import graph", "network.graph"),
    ("geometry/sizes.py", "if TYPE_CHECKING: from cnncourse.network import Network", "network"),
    ("geometry/sizes.py", "def late(): importlib.import_module('cnncourse.network.graph')", "network.graph"),
    ("data.py", "from cnncourse import config", "config"),
    ("errors.py", "import cnncourse", ""),
])
def test_an_import_that_leads_up_or_sideways_is_seen_wherever_it_is_written(copy, path, code, imported):
    house, line = spoiled(copy, path, code)
    importer = "cnncourse." + path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    assert said(wrong_ways(house)) == [f"{importer}:{line} imports {f'cnncourse.{imported}'.rstrip('.')}"]


@pytest.mark.parametrize("path, code", [
    ("training/loop.py", "from cnncourse.kernels import ways"), ("data.py", "import cnncourse.machinery.threads"),
    ("__init__.py", "from . import kernels")])
def test_an_import_past_a_door_is_seen(copy, path, code):
    house, line = spoiled(copy, path, code)
    found, = past_doors(house)
    assert (house.files[found.importer], found.line) == (copy / "cnncourse" / path, line)


@pytest.mark.parametrize("code", ["import autograder", "def late(): from autograder.errors import AutograderError",
                                  "import tests.naive", "from bench import kernels"])
def test_an_import_of_a_package_above_is_seen(copy, code):
    house, line = spoiled(copy, "layers/base.py", code)
    assert [(one.importer, one.line) for one in house.foreign] == [("cnncourse.layers.base", line)]


def test_a_name_that_is_put_together_is_said_not_to_be_read(copy):
    house, _ = spoiled(copy, "layers/base.py", "def late(name): import_module(f'cnncourse.{name}')")
    assert house.unread == ["cnncourse.layers.base"]


def test_the_table_in_text_counts_floors_and_names_what_leads_up(copy):
    before = described(House(copy, "cnncourse")).splitlines()
    assert before[0].startswith("cnncourse: 23 rooms, 11 floors") and ", 0 back up, 0 circles" in before[0]
    house, line = spoiled(copy, "geometry/settings.py", "from cnncourse.network import graph")
    after = described(house)
    assert ", 1 back up, 1 circles of rooms, 1 of files" in after.splitlines()[0]
    assert f"up: cnncourse.geometry.settings:{line} imports cnncourse.network.graph" in after


nodes = st.sampled_from("abcdefg")
graphs = st.dictionaries(st.tuples(nodes, nodes).filter(lambda pair: pair[0] != pair[1]), st.integers(1, 9))


@many
@given(graphs)
def test_without_the_arrows_back_up_there_is_no_circle_and_every_other_leads_down(arrows):
    up = upward("abcdefg", arrows)
    down = {pair: count for pair, count in arrows.items() if pair not in up}
    assert circles("abcdefg", down) == []
    assert bool(up) == bool(circles("abcdefg", arrows))
    numbers = floors("abcdefg", arrows)
    assert all(numbers[source] > numbers[target] for source, target in down)
    for node, number in numbers.items():
        assert number == 1 + max((numbers[target] for source, target in down if source == node), default=-1)
    # No other single arrow would have been cheaper.
    for pair, count in arrows.items():
        if not circles("abcdefg", {other: one for other, one in arrows.items() if other != pair}):
            assert sum(arrows[one] for one in up) <= count
