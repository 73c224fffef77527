"""The package as a whole: what it hands on, and that the examples in its docstrings are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import cnncourse

MODULES = sorted(module.name for module in pkgutil.walk_packages(cnncourse.__path__, "cnncourse.")
                 if not module.name.startswith("cnncourse.onnx_import"))


@pytest.mark.parametrize("name", cnncourse.__all__)
def test_what_is_handed_on_is_there(name):
    assert getattr(cnncourse, name) is not None
    assert name in dir(cnncourse)


def test_what_is_not_there_is_missing_in_the_usual_way():
    assert not hasattr(cnncourse, "nothing")


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    module = importlib.import_module(name)
    names = {"np": np} | vars(module)
    assert doctest.testmod(module, extraglobs=names).failed == 0
