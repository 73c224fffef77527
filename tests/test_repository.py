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
    lines = (root / "constraints.txt").read_text().splitlines()
    return {name_of(line): line.split("==")[1] for line in lines if "==" in line and not line.startswith("#")}


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
    wanted = {name_of(requirement) for requirement in project["dependencies"]}
    assert set(listed) == wanted
    assert listed == {name: pins[name] for name in wanted}


def test_environment_yml_and_pyproject_allow_the_same_pythons(root, project):
    environment = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    python = next(entry for entry in environment if isinstance(entry, str) and entry.startswith("python "))
    assert python.removeprefix("python ") == project["requires-python"]


def test_every_dependency_is_pinned_within_its_range(project, pins):
    from packaging.requirements import Requirement

    optional = [entry for name, extra in project["optional-dependencies"].items() if name != "peer" for entry in extra]
    for entry in project["dependencies"] + optional:
        requirement = Requirement(entry)
        assert requirement.specifier.contains(pins[name_of(entry)]), entry


def test_no_pin_carries_an_address(root):
    for name in ("constraints.txt", "pyproject.toml", "environment.yml"):
        assert "://" not in (root / name).read_text(), name


def test_the_container_installs_what_is_pinned_on_a_python_that_is_tested(root, project):
    from packaging.specifiers import SpecifierSet

    lines = (root / "Dockerfile").read_text()
    python = re.search(r"^FROM python:([\d.]+)-", lines, re.MULTILINE).group(1)
    assert SpecifierSet(project["requires-python"]).contains(python)
    assert re.search(r"pip install .*--constraint constraints.txt --editable \.", lines)
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


def test_the_launcher_is_short_and_needs_nothing_installed(root):
    text = (root / "course.py").read_text()
    assert len(text.splitlines()) < 100
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
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
    ("autograder", ("numba", "matplotlib", "nbgrader", "nbconvert", "IPython", "jinja2")),
])
def test_importing_a_package_loads_nothing_heavy(package, heavy):
    program = f"import sys, {package}; print([name for name in {heavy!r} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
