"""Networks from ONNX against ONNX Runtime: random graphs, and each operator's settings one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnncourse import onnx_import
from tests.cnncourse.onnx_graphs import graphs, run
from tests.cnncourse.randomly import assert_near, many


@many
@given(graphs(), st.integers(1, 3))
def test_random_graphs_give_what_onnx_runtime_gives(graph, samples):
    model = graph.model()
    network = onnx_import.load(model)
    x = graph.rng.standard_normal((samples, *graph.input_shape)).astype(np.float32)
    (expected,) = run(model, x)
    assert (samples, *network.output_shape) == expected.shape
    assert_near(network.forward(x), expected, factor=10)
