"""The checkout as a whole: pins, the launcher, and what must never be committed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib

import pytest
import yaml


def name_of(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement).group().lower().replace("_", "-")


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def pins(root):
    """Every pinned version by its package: one for all Pythons, or by the markers that divide them."""
    found: dict[str, dict[str, str]] = {}
    for line in (root / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            requirement, _, marker = line.partition(";")
            found.setdefault(name_of(line), {})[marker.strip()] = requirement.split("==")[1].strip()
    return found


@pytest.fixture(scope="module")
def pythons(project):
    """The oldest patch release of each Python that is allowed, and a later one."""
    from packaging.specifiers import SpecifierSet

    allowed = SpecifierSet(project["requires-python"])
    return [version for minor in range(30) for version in (f"3.{minor}.0", f"3.{minor}.9") if version in allowed]


def required(project, *extras: str) -> list[str]:
    """Requirements without extras and with these, those that they bring included."""
    found = list(project["dependencies"])
    for extra in extras:
        for entry in project["optional-dependencies"][extra]:
            inner = re.match(r"cnncourse\[(.*)\]", entry)
            found += required(project, *inner.group(1).split(",")) if inner else [entry]
    return list(dict.fromkeys(found))


def committed(root) -> list[str]:
    ran = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip("not a git checkout")
    return ran.stdout.splitlines()


def test_environment_yml_names_what_pyproject_names_at_the_pinned_versions(root, project, pins):
    environment = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    conda = [entry for entry in environment if isinstance(entry, str)]
    from_pip = next(entry["pip"] for entry in environment if isinstance(entry, dict))
    listed = {name_of(entry): entry.split("=")[-1] for entry in conda if " =" in entry and name_of(entry) != "python"}
    listed |= {name_of(entry): entry.split(";")[0].split("==")[1] for entry in from_pip if "==" in entry}
    wanted = {name_of(requirement) for requirement in required(project, "grade")}
    assert set(listed) == wanted
    assert {name: version for name, version in listed.items() if version not in pins[name].values()} == {}
    assert "--editable .[grade]" in from_pip


def test_environment_yml_and_pyproject_allow_the_same_pythons(root, project):
    environment = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    python = next(entry for entry in environment if isinstance(entry, str) and entry.startswith("python "))
    assert python.removeprefix("python ") == project["requires-python"]


def test_every_dependency_is_pinned_within_its_range(project, pins):
    from packaging.requirements import Requirement

    for entry in required(project, *(set(project["optional-dependencies"]) - {"peer"})):
        requirement = Requirement(entry)
        for version in pins[name_of(entry)].values():
            assert requirement.specifier.contains(version), entry


def test_every_python_has_one_version_of_every_pin(pins, pythons):
    """Or none: then what asks for the package must say by a marker that this Python does without it."""
    from packaging.markers import Marker

    assert pythons[0] == "3.11.0"
    for name, versions in pins.items():
        for python in pythons:
            told = {"python_version": python.rpartition(".")[0], "python_full_version": python}
            fits = [marker for marker in versions if not marker or Marker(marker).evaluate(told)]
            assert len(fits) == 1 or (name == "onnxruntime" and not fits), (name, python)


def test_the_pythons_that_are_named_to_people_are_those_that_are_allowed(root, project, pythons):
    minors = sorted({version.rpartition(".")[0] for version in pythons}, key=lambda minor: int(minor[2:]))
    named = [entry.rpartition(" ")[2] for entry in project["classifiers"] if "Python :: 3." in entry]
    assert named == minors
    assert f"With Python {minors[0]} to {minors[-1]} and git" in (root / "README.md").read_text(encoding="utf-8")


def test_no_pin_carries_an_address(root):
    for name in ("constraints.txt", "pyproject.toml", "environment.yml"):
        assert "://" not in (root / name).read_text(), name


def test_the_container_installs_what_is_pinned_on_a_python_that_is_tested(root, project):
    from packaging.specifiers import SpecifierSet

    lines = (root / "Dockerfile").read_text()
    python = re.search(r"^FROM python:([\d.]+)-", lines, re.MULTILINE).group(1)
    assert SpecifierSet(project["requires-python"]).contains(python)
    assert re.search(r"pip install .*--constraint constraints.txt --editable \.\[grade\]", lines)
    for name in re.findall(r"^COPY (?:--\S+ )*(\S+) ", lines, re.MULTILINE):
        assert (root / name).exists()


def test_the_development_container_is_the_same_one(root):
    container = json.loads((root / ".devcontainer" / "devcontainer.json").read_text())
    dockerfile = root / ".devcontainer" / container["build"]["dockerfile"]
    assert dockerfile.resolve() == (root / "Dockerfile").resolve()
    assert f"NB_USER={container['remoteUser']}" in dockerfile.read_text()
    assert container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].startswith(
        re.search(r"-m venv (\S+)", dockerfile.read_text()).group(1))


def test_no_container_takes_along_what_git_ignores(root):
    ignored = {line.strip("/") for line in (root / ".gitignore").read_text().splitlines() if line and line[0] != "#"}
    private = {"gradebook.db", ".course-secret", "work", "demo", ".venv", "build", "dist", "report"}
    assert private <= ignored
    assert private <= {line.strip("/") for line in (root / ".dockerignore").read_text().splitlines()}


def test_the_launcher_is_one_story_and_needs_nothing_installed(root):
    text = (root / "course.py").read_text()
    assert len(text.splitlines()) < 200
    imported = set(re.findall(r"^ *(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported <= sys.stdlib_module_names


def test_committed_notebooks_have_no_outputs(root):
    for name in committed(root):
        if name.endswith(".ipynb"):
            cells = json.loads((root / name).read_text())["cells"]
            assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells), name


def test_no_secret_and_no_class_is_committed(root):
    private = ("gradebook.db", ".course-secret", "submitted/", "autograded/", "feedback/")
    assert not [name for name in committed(root) if name.endswith(private[:2]) or name.startswith(private[2:])]


@pytest.mark.parametrize("package, heavy", [
    ("cnncourse", ("numba", "matplotlib", "sklearn", "scipy")),
    ("autograder", ("numba", "matplotlib", "nbgrader", "nbconvert", "IPython", "jinja2", "babel", "rich")),
])
def test_importing_a_package_loads_nothing_heavy(package, heavy):
    program = f"import sys, {package}; print([name for name in {heavy!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
