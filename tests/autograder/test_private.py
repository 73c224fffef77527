"""Who may read a course, and who may change what goes through its exchange, whatever the umask is."""

from __future__ import annotations

import os
import stat
import sys

import pytest

from autograder.doctor import examine_course
from tests.classroom import ASSIGNMENT, CONFIGURATION, Classroom

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")


@pytest.fixture(params=[0o022, 0o002, 0o000, 0o077], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def readable_by_others(classroom, bits):
    """Files of the class that somebody else gets at: each folder above has to let him in."""
    found = []
    for folder, folders, files in os.walk(classroom.folder):
        folders[:] = [name for name in folders if os.stat(os.path.join(folder, name)).st_mode & bits & 0o011]
        found += [os.path.relpath(os.path.join(folder, name), classroom.folder) for name in files
                  if os.stat(os.path.join(folder, name)).st_mode & bits & 0o044]
    return found


@pytest.mark.sandbox
@pytest.mark.parametrize("shared", [False, True])
def test_nobody_else_can_read_a_class_under_any_umask(root, tmp_path, umask, shared):
    classroom = Classroom(root, tmp_path / "course")
    if shared:
        (classroom.folder / "nbgrader_config.py").write_text(
            CONFIGURATION + "get_config().CourseDirectory.groupshared = True\n")
    classroom.hand_in("ada", classroom.solved())
    if shared or umask == 0o022:
        classroom.grade()
    others = 0o007 if shared else 0o077
    found = readable_by_others(classroom, others)
    assert not [path for path in found if path.split(os.sep)[0] in (
        "submitted", "autograded", "feedback", "source", "gradebook.db", "grading.log", ".course-secret")], found
    assert f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb" in found or umask == 0o077
    if classroom.path("feedback", "ada", ".html").exists():  # what release_feedback copies with its permissions
        assert classroom.path("feedback", "ada", ".html").stat().st_mode & stat.S_IROTH
    assert examine_course(classroom.folder)[0].fine


@pytest.mark.parametrize("folder", ["submitted", "autograded", "feedback", "source", "gradebook.db"])
def test_the_doctor_tells_what_others_can_read(root, tmp_path, folder):
    classroom = Classroom(root, tmp_path / "course")
    path = classroom.folder / folder
    path.chmod(0o755 if path.is_dir() else 0o644)
    private, *_ = examine_course(classroom.folder)
    assert not private.fine and str(path) in private.text and "chmod go-rwx" in private.text


@pytest.mark.parametrize("mode, own, said", [
    (0o777, 0o755, "chmod 1777"), (0o1777, None, "install --directory --mode 755"), (0o1777, 0o777, "chmod 755"),
    (0o1777, 0o755, ""), (0o755, None, ""), (0o1777, "link", "not yours"),
])
def test_the_doctor_tells_who_could_replace_the_exchange(tmp_path, mode, own, said):
    exchange, course = tmp_path / "exchange", tmp_path / "course"
    exchange.mkdir()
    course.mkdir()
    (course / "nbgrader_config.py").write_text(CONFIGURATION + f"get_config().Exchange.root = {str(exchange)!r}\n")
    if own == "link":
        (tmp_path / "others").mkdir()
        (exchange / "cnncourse").symlink_to(tmp_path / "others")
    elif own is not None:
        (exchange / "cnncourse").mkdir()
        (exchange / "cnncourse").chmod(own)
    exchange.chmod(mode)
    found = examine_course(course)
    assert len(found) == 1
    assert found[0].fine == (not said) and said in found[0].text
