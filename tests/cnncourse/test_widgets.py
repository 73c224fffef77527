"""What the interactive figures are given: the numbers agree with the reference, and pages need nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from cnncourse import convert, data, language, zoo
from cnncourse.errors import ArgumentError, ShapeError
from cnncourse.geometry import Window
from cnncourse.layers import Conv2d, Flatten, Linear
from cnncourse.memory import OPTIMIZERS, account
from cnncourse.memory.rehearsal import KINDS
from cnncourse.network import Network
from cnncourse.widgets import (
    architecture_comparison,
    fc_to_conv_slider,
    memory_explorer,
    pooling_explorer,
    receptive_field_explorer,
    static_html,
)
from cnncourse.widgets.sliding import digit_finder
from tests.makers import MAKERS


@pytest.fixture(scope="module", params=MAKERS, ids=lambda make: make.__name__)
def figure(request):
    return request.param()


def test_importing_the_package_costs_nothing():
    program = "import sys, cnncourse.widgets; print([m for m in ('anywidget', 'numba', 'sklearn') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_page_gets_the_traits_back_and_names_no_server(figure):
    page = static_html(figure)
    stored = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL).group(1)
    assert json.loads(stored) == json.loads(json.dumps(
        {"data": figure.data, "settings": figure.settings, "labels": figure.labels}))
    without_names = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\((?!#)|import\(|\bfetch\(", without_names)


def test_the_fragment_ends_where_it_should_whatever_the_words_are():
    page = static_html(pooling_explorer(labels={"title": "</script><script>alert(1)</script><!--"}))
    assert page.count("</script>") == 2
    assert "<!--" not in page


def test_equal_figures_are_equal_pages_and_others_differ():
    assert static_html(pooling_explorer()) == static_html(pooling_explorer())
    assert static_html(pooling_explorer()) != static_html(pooling_explorer(seed=1))


def test_shown_in_a_notebook_it_is_a_page_and_words(figure):
    bundle = figure._repr_mimebundle_()[0]
    assert set(bundle) == {"text/plain", "text/html"}
    assert bundle["text/html"] == static_html(figure)
    assert bundle["text/plain"].startswith(figure.labels["title"])
    assert figure.comm is None


def test_connected_it_is_a_widget_too():
    figure = pooling_explorer()
    bundle = figure.connect()._repr_mimebundle_()[0]
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == figure.model_id
    assert {"text/plain", "text/html"} < set(bundle)
    assert figure.comm is not None


def test_every_word_of_a_module_is_there(figure):
    used = set(re.findall(r"""\.text\("(\w+)"[,)]""", figure._esm))
    assert len(used) > 3
    assert used <= set(figure.labels)


def test_words_can_be_translated_and_wrong_names_are_told():
    assert pooling_explorer(labels={"stride": "步长"}).labels["stride"] == "步长"
    with pytest.raises(ArgumentError, match="nothing called stirde"):
        pooling_explorer(labels={"stirde": "步长"})


def test_modules_are_short_enough_to_be_read(root):
    for path in (root / "cnncourse" / "widgets").glob("*.js"):
        lines = path.read_text().splitlines()
        assert len(lines) <= 300, path.name
        assert max(map(len, lines)) <= 120, path.name


def test_scores_are_those_of_crops():
    found = fc_to_conv_slider().data
    network, picture = digit_finder(), data.digit_scene((64, 96), 7, digit_size=16, seed=3)[0]
    crops = convert.crops(picture, found["window"][0], found["step"][0])[0]
    scores = np.array(found["scores"])
    assert scores.shape[1:] == crops.shape[:2]
    for row, column in ((0, 0), (3, 17), (22, 38), (18, 3)):
        alone = network.forward(np.ascontiguousarray(crops[row, column][np.newaxis]))[0]
        np.testing.assert_allclose(scores[:, row, column], alone, atol=6e-4)


def test_the_default_classifier_reads_digits_that_it_has_not_seen():
    x, y = data.digits(16)[2:]
    windows = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)))
    assert (digit_finder().forward(windows).argmax(axis=1) == y).mean() > 0.93


@pytest.mark.parametrize("size", [(20, 20), (24, 20), (20, 32), (38, 56), (64, 96)])
def test_work_of_one_pass_is_the_polynomial_that_is_shipped(size):
    found = fc_to_conv_slider().data
    a, b, c, d = found["sliding"]
    cost = convert.evaluation_cost(digit_finder(), size)
    rows, columns = cost.positions
    assert a + b * rows + c * columns + d * rows * columns == cost.sliding
    assert found["crop"] * rows * columns == cost.crops


def test_a_network_that_pads_is_refused():
    network = Network((1, 8, 8))
    for layer in (Conv2d(2, 3, padding=1), Flatten(), Linear(3)):
        network.add(layer)
    with pytest.raises(ArgumentError, match="conv1 does"):
        fc_to_conv_slider(network, np.zeros((1, 1, 12, 12), np.float32))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("name, make", [("AlexNet", zoo.alexnet), ("ResNet-50", zoo.resnet50)])
@pytest.mark.parametrize("training", [True, False])
def test_memory_is_what_account_says(name, make, optimizer, training):
    found = memory_explorer().data
    mode = "training" if training else "inference"
    for dtype in ("float32", "float64"):
        for index in (0, 3, 6):
            expected = account(make(), found["batches"][index], dtype, optimizer, training)
            counts = list(found["networks"][name]["peaks"][mode][dtype][index])
            kept = found["states"][optimizer] * found["networks"][name]["parameters"] * found["bytes"][dtype]
            counts[KINDS.index("optimizer")] = kept if training else 0
            assert tuple(counts) == expected.at_peak


def test_architectures_are_measured():
    found = {one["name"]: one for one in architecture_comparison().data["networks"]}
    for network in (zoo.googlenet(), zoo.vgg16(), zoo.resnet152()):
        one = found[network.name]
        assert one["parameters"] == network.parameter_count()
        assert one["multiply_adds"] == network.multiply_adds()
        assert one["memory"] == pytest.approx(4 * network.activation_count() / 2**20, abs=0.01)
    # The depths by which the papers call them.
    assert [found[name]["depth"] for name in ("AlexNet", "GoogLeNet", "VGG-16", "VGG-19", "ResNet-18", "ResNet-152")] \
        == [8, 22, 16, 19, 18, 152]


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(ArgumentError, match="7 were given"):
        receptive_field_explorer([Window(3)] * 7)
    with pytest.raises(ArgumentError, match="cannot be shown"):
        receptive_field_explorer([Window(9)])
    with pytest.raises(ArgumentError, match="cannot be shown"):
        receptive_field_explorer([Window(2, padding=(0, 1))])
    with pytest.raises(ShapeError, match="two axes of at least 3"):
        pooling_explorer(np.zeros((2, 5)))


def test_figures_speak_the_language_of_the_course(figure):
    with language.speaking("zh_CN"):
        translated = type(figure)((), {}, {}, figure.labels)
    for name, english in figure.labels.items():
        text = translated.labels[name]
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english)), name
    assert translated.labels["title"] != figure.labels["title"]
