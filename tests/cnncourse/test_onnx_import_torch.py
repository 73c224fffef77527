"""Networks that PyTorch has exported, as its users write them, and the course's own on the way there and back."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

from cnncourse import onnx_import, zoo
from tests.cnncourse.randomly import assert_near
from tests.needs import peer

torch = peer("torch")
nn = torch.nn
pytestmark = pytest.mark.peer


def export(module, x, **settings):
    """The bytes of a model, by the exporter that needs no further packages."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of being replaced, and of what it cannot fold
        torch.onnx.export(module, (x,), file, input_names=["x"], dynamo=False, **settings)
    return file.getvalue()


class Functional(nn.Module):
    """What people write in `forward`: uneven padding, sums, joins, views by the number of samples."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 3, stride=2), nn.Conv2d(6, 6, 1)
        self.third, self.last = nn.Conv2d(6, 4, 3, padding=1), nn.Linear(90, 5)

    def forward(self, x):
        x = torch.relu(self.first(nn.functional.pad(x, (1, 2, 0, 1))))
        x = x + self.second(x)
        x = torch.cat([x, torch.sigmoid(self.third(x))], 1)
        x = nn.functional.avg_pool2d(torch.tanh(x), 3, 2, 1, count_include_pad=False)
        return torch.softmax(self.last(x.view(x.size(0), -1)), 1)


class Means(nn.Module):
    """Global means as newer networks write them."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 8, 3, groups=1, bias=False), nn.Linear(16, 4)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.last(torch.cat([x.mean((2, 3)), x.mean([-1, -2], keepdim=True).view(x.size(0), -1)], 1))


def plain():
    return nn.Sequential(
        nn.Conv2d(3, 8, (3, 5), padding=(1, 2), bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1),
        nn.Conv2d(8, 8, 3, padding="same", dilation=2, groups=4), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True),
        nn.AvgPool2d(3, 1, padding=1), nn.Dropout(), nn.Flatten(), nn.LazyLinear(7), nn.ReLU(), nn.Linear(7, 5))


@pytest.mark.sampled(7)
@pytest.mark.parametrize("build", [plain, Means, Functional])
@pytest.mark.parametrize("opset", [9, 13, 17, 20])
@pytest.mark.parametrize("any_number", [False, True])
@pytest.mark.parametrize("folded", [False, True])
def test_exported_networks_give_the_same(build, opset, any_number, folded):
    torch.manual_seed(0)
    module, x = build(), torch.randn(3, 3, 13, 11)
    module(x)
    for name, buffer in module.named_buffers():
        if "running" in name:
            buffer.copy_(torch.rand(buffer.shape) + 0.5)
    module.eval()
    axes = {"x": {0: "samples"}} if any_number else None
    network = onnx_import.load(export(module, x, opset_version=opset, dynamic_axes=axes, do_constant_folding=folded))
    with torch.no_grad():
        assert_near(network.forward(x.numpy()), module(x).numpy(), factor=5)


class Twin(nn.Module):
    """A network of the course as a module of PyTorch."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        for kind, arrays in ("parameters", network.parameters), ("buffers", network.buffers):
            for name, array in arrays.items():
                self.register_buffer(f"{kind}/{name}".replace(".", "/"), torch.from_numpy(array))

    def forward(self, x):
        from tests.cnncourse.torch_twin import evaluate_all

        found = dict(self.named_buffers())
        parameters, buffers = ({name: found[f"{kind}/{name}".replace(".", "/")] for name in names} for kind, names in (
            ("parameters", self.network.parameters), ("buffers", self.network.buffers)))
        return evaluate_all(self.network, parameters, buffers, x)[self.network.outputs[0]]


@pytest.mark.slow
@pytest.mark.parametrize("build", [zoo.all_convolutional, zoo.resnet18])
def test_networks_of_the_course_come_back_from_pytorch(build):
    network = build()
    network.initialize(0)
    x = np.random.default_rng(0).standard_normal((1, *network.input_shape)).astype(np.float32)
    back = onnx_import.load(export(Twin(network), torch.from_numpy(x), opset_version=17))
    assert back.parameter_count() <= network.parameter_count()  # batch norm is taken into the convolution before it
    assert back.multiply_adds() == network.multiply_adds()
    assert_near(back.forward(x), network.forward(x), factor=20)
