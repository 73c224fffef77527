"""docs/classroom.md: what no other test runs of it is at least possible."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import yaml
from traitlets.config import Config
from typer.testing import CliRunner

from autograder.cli import app
from tests.hub import PAGE, commands, files

OWN = [line for line in commands("course") if line.startswith("course ")]


@pytest.mark.parametrize("line", OWN)
def test_commands_and_their_options_exist(line):
    name, *words = shlex.split(line)[1:]
    asked = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert asked.exit_code == 0
    text = re.sub(r"\x1b\[[0-9;]*m", "", asked.output)
    assert all(word in text for word in words if word.startswith("--"))


def test_files_can_be_read_and_belong_together():
    for path, text in files().items():
        if path.endswith(".json"):
            json.loads(text)
        else:
            compile(text, path, "exec")
    names = {"get_config": Config}
    exec(files()["/srv/course/everybody/nbgrader_config.py"], names)
    assert f'c.Exchange.root = "{names["c"].Exchange.root}"' in files()["/home/instructor/course/nbgrader_config.py"]


def test_kubernetes_has_the_same_hook_and_folder():
    values = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)[1])
    hook = values["hub"]["extraConfig"]["course"]
    assert hook.strip() in files()["/srv/course/jupyterhub_config.py"]
    assert [mount["mountPath"] for mount in values["singleuser"]["storage"]["extraVolumeMounts"]] == ["/srv/course"]
