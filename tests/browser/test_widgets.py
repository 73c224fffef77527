"""The interactive figures in a page without a kernel, worked by mouse and keyboard, against the reference."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from cnncourse import convert, geometry, zoo
from cnncourse import functional as F
from cnncourse.errors import GeometryError
from cnncourse.geometry import Window
from cnncourse.memory import account
from cnncourse.widgets import (
    architecture_comparison,
    convolution_stepper,
    fc_to_conv_slider,
    memory_explorer,
    pooling_explorer,
    receptive_field_explorer,
    static_html,
)
from cnncourse.widgets.convolution import LIMITS
from cnncourse.widgets.sliding import digit_finder
from tests.browser.pages import page_of, step_times
from tests.makers import MAKERS

pytestmark = pytest.mark.browser

GRIDS = """() => Object.fromEntries([...document.querySelectorAll('.cnn-grid')].map((grid, index) => [
  `${index} ${grid.querySelector('figcaption').textContent}`,
  [...grid.querySelectorAll('g')].map((cell) => [Number(cell.dataset.row), Number(cell.dataset.column),
    cell.querySelector('text').textContent.replace('−', '-'), cell.getAttribute('class') ?? ''])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])]))"""

DISCS = """() => [...document.querySelectorAll('.cnn-chart .cnn-pick')]
  .filter((one) => one.style.display !== 'none')
  .map((one) => [one.querySelector('text').textContent.replace('▸ ', ''),
    ['cx', 'cy'].map((name) => Number(one.querySelector('circle').getAttribute(name)))])"""


@pytest.fixture
def show(new_page, tmp_path):
    """Function that opens figures in a page of their own, from a file."""
    def shown(*figures, width=900, theme="light", attributes="", body="", **options):
        page = new_page(width, theme, **options)
        file = tmp_path / f"{len(list(tmp_path.iterdir()))}.html"
        file.write_text(page_of(*map(static_html, figures), attributes=attributes, body=body), encoding="utf-8")
        page.goto(file.as_uri())
        return page

    return shown


def set_all(page, **values):
    """Move sliders to values, and choose from lists, as their events tell the figure."""
    for name, value in values.items():
        page.evaluate("""([name, value]) => {
          const control = document.querySelector(`.cnn-figure [name="${name}"]`);
          control.value = value;
          control.dispatchEvent(new Event(control.tagName === 'SELECT' ? 'change' : 'input'));
        }""", [name, str(value)])


def grids(page):
    """Numbers of each grid by its caption; NaN where a cell is empty."""
    found = {}
    for name, cells in page.evaluate(GRIDS).items():
        rows, columns = max(cell[0] for cell in cells) + 1, max(cell[1] for cell in cells) + 1
        values = np.full((rows, columns), np.nan)
        for row, column, text, _ in cells:
            values[row, column] = float(text) if text else np.nan
        found[name.split(" ", 1)[1]] = values
    return found


def spoken(page):
    return page.locator(".cnn-spoken").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_figure_is_accessible_and_fits_a_narrow_page(show, make, theme):
    for width in (900, 360):
        page = show(make(), width=width, theme=theme)
        assert len(spoken(page)) > 30
        assert page.locator(".cnn-spoken").get_attribute("aria-live") == "polite"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("system, attributes, body, dark", [
    ("light", "", "", False), ("dark", "", "", True),
    ("light", 'data-theme="dark"', "", True), ("dark", 'data-theme="light"', "", False),
    ("light", "", 'data-jp-theme-light="false"', True), ("dark", "", 'data-jp-theme-light="true"', False),
    ("light", "", 'class="vscode-dark"', True), ("dark", "", 'class="vscode-light"', False),
])
def test_the_page_decides_between_light_and_dark_and_else_the_system(show, system, attributes, body, dark):
    page = show(pooling_explorer(), theme=system, attributes=attributes, body=body)
    color = page.evaluate("getComputedStyle(document.querySelector('.cnn-figure')).backgroundColor")
    brightness = sum(int(part) for part in color[4:-1].split(","))
    assert (brightness < 384) == dark


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_every_control_is_reached_by_keyboard_and_has_a_name(show, make):
    page = show(make())
    count = page.locator(".cnn-figure :is(input, select, button):not(:disabled)").count()
    reached = set()
    for _ in range(count + 3):
        page.keyboard.press("Tab")
        name = page.evaluate("""() => {
          const now = document.activeElement;
          if (!now.matches('.cnn-figure :is(input, select, button)')) return null;
          const label = now.labels?.length ? now.labels[0].textContent : now.textContent;
          return [[...document.querySelectorAll('*')].indexOf(now), label.trim(),
            getComputedStyle(now).outlineStyle];
        }""")
        if name:
            assert name[1] and name[2] == "solid"
            reached.add(name[0])
    assert len(reached) == count


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_a_key_changes_what_is_said(show, make):
    page = show(make())
    first = page.locator(".cnn-figure :is(input[type=range], select):not(:disabled)").first
    before, value = spoken(page), first.input_value()
    first.focus()
    page.keyboard.press("ArrowDown" if make is not architecture_comparison else "ArrowUp")
    if first.input_value() == value:
        page.keyboard.press("ArrowUp")
    assert first.input_value() != value
    if make is architecture_comparison:  # the axes change the drawing, the network what is said
        page.locator("[name=network]").select_option("GoogLeNet")
    assert spoken(page) != before


def test_keys_of_a_control_are_no_shortcuts_of_the_notebook_around_it(show):
    page = show(convolution_stepper())
    page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    page.locator("[name=stride]").focus()
    for key in ("ArrowRight", "ArrowDown", "Control+s", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Control", "s", "Escape"]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_steps_are_fast(show, make):
    page = show(make())
    rounds = [step_times(page) for _ in range(4)]
    for name in rounds[0]:
        steps = sorted(time for found in rounds for time in found[name])
        # Where other programs want the processor too, only some steps go through uninterrupted.
        undisturbed = steps[len(steps) // 4]
        print(f"{make.__name__:26} {name:16} {undisturbed:5.1f} ms, median {statistics.median(steps):5.1f} ms")
        assert undisturbed < 50


def test_figures_live_side_by_side_the_same_one_twice(show):
    page = show(pooling_explorer(), pooling_explorer(), convolution_stepper())
    assert page.locator(".cnn-figure").count() == 3
    page.locator("[name=stride]").nth(1).fill("2")
    said = page.locator(".cnn-spoken").all_inner_texts()
    assert said[0] != said[1]
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_without_scripts_it_says_what_would_be_there(show):
    page = show(convolution_stepper(), java_script_enabled=False)
    assert "each entry of the output is shown with all its products" in page.locator("main").inner_text()


def test_words_are_those_of_the_catalogue(show):
    page = show(pooling_explorer(labels={"title": "池化", "stride": "步长"}))
    assert page.get_by_label("步长").count() == 1
    assert page.get_by_text("池化").count() == 1


CONVOLUTIONS = [  # height, width, kernel height, kernel width, stride, padding, dilation
    (5, 7, 3, 3, 2, 1, 1), (6, 4, 2, 4, 1, 0, 1), (8, 6, 3, 2, 1, 2, 2), (7, 8, 1, 2, 3, 0, 1), (3, 8, 2, 4, 1, 2, 3),
]


@pytest.mark.parametrize("height, width, kernel_height, kernel_width, stride, padding, dilation", CONVOLUTIONS)
def test_a_convolution_is_the_reference(show, height, width, kernel_height, kernel_width, stride, padding, dilation):
    figure = convolution_stepper()
    page = show(figure)
    set_all(page, height=height, width=width, kernel_height=kernel_height, kernel_width=kernel_width, stride=stride,
            padding=padding, dilation=dilation)
    x = np.array(figure.data["x"], float)[np.newaxis, :, :height, :width]
    weight = np.array(figure.data["weight"], float)[:, :, :kernel_height, :kernel_width]
    bias = np.array(figure.data["bias"], float)
    expected = F.conv2d(x, weight, bias, stride=stride, padding=padding, dilation=dilation)[0]
    set_all(page, position=expected.size - 1)
    found = grids(page)
    for filter_, plane in enumerate(expected):
        np.testing.assert_array_equal(found[f"output of filter {filter_}"], plane)

    # Every product of an entry in the middle.
    filter_, row, column = 1, expected.shape[1] // 2, expected.shape[2] // 2
    set_all(page, position=(filter_ * expected.shape[1] + row) * expected.shape[2] + column)
    padded = np.pad(x[0], ((0, 0), (padding, padding), (padding, padding)))
    patch = padded[:, row * stride:, column * stride:][:, ::dilation, ::dilation][:, :kernel_height, :kernel_width]
    shown = [cells for name, cells in page.evaluate(GRIDS).items() if name.endswith("products")]
    for channel, cells in enumerate(shown):
        products = [float(text) for *_, text, _ in cells]
        np.testing.assert_array_equal(products, (patch * weight[filter_])[channel].ravel())
    framed = [cells for name, cells in page.evaluate(GRIDS).items() if "input" in name]
    for cells in framed:
        taken = [float(text) for *_, text, mark in cells if "taken" in mark]
        assert len(taken) == kernel_height * kernel_width
    assert f"= {expected[filter_, row, column]:g}".replace("-", "−") in page.locator(".cnn-total").inner_text()


def test_settings_that_do_not_fit_are_explained_in_the_words_of_the_reference(show):
    page = show(convolution_stepper())
    set_all(page, width=8, kernel_width=1)
    checked = 0
    for stride in range(*LIMITS["stride"]):
        set_all(page, stride=stride)
        found = page.evaluate("""([limits]) => {
          const found = [];
          const set = (name, value) => {
            const input = document.querySelector(`[name=${name}]`);
            input.value = value;
            input.dispatchEvent(new Event('input'));
          };
          const range = (name) => Array.from({ length: limits[name][1] - limits[name][0] + 1 },
            (_, index) => limits[name][0] + index);
          for (const padding of range('padding')) for (const dilation of range('dilation')) {
            set('padding', padding);
            set('dilation', dilation);
            for (const height of range('height')) for (const kernel of range('kernel_height')) {
              set('height', height);
              set('kernel_height', kernel);
              const problem = document.querySelector('.cnn-problem');
              const said = problem.hidden ? '' : problem.textContent.split('\\n')
                .find((line) => line.startsWith('Input height'));
              found.push([height, kernel, padding, dilation, said ?? '']);
            }
          }
          return found;
        }""", [LIMITS])
        for height, kernel, padding, dilation, said in found:
            try:
                geometry.output_size(height, kernel, stride, padding, dilation)
                assert said == ""
            except GeometryError as error:
                assert said == f"Input height: {error}"
                checked += 1
    assert checked > 50


def test_a_convolution_is_stepped_by_mouse_and_by_keys_and_plays(show):
    page = show(convolution_stepper())
    position = page.get_by_role("slider", name="Entry")
    page.get_by_role("button", name="Next").click()
    assert position.input_value() == "1"
    position.focus()
    page.keyboard.press("ArrowRight")
    assert position.input_value() == "2"
    page.locator(".cnn-outputs svg").nth(1).locator("g").nth(5).click()
    assert position.input_value() == "17"
    page.get_by_role("button", name="First").press("Enter")
    assert position.input_value() == "0"
    page.get_by_role("button", name="Play").press("Space")
    assert page.locator(".cnn-spoken").get_attribute("aria-live") == "off"
    page.wait_for_function("Number(document.querySelector('[name=position]').value) >= 2", timeout=10_000)
    page.get_by_role("button", name="Pause").click()
    stopped = position.input_value()
    page.wait_for_timeout(1_000)
    assert position.input_value() == stopped
    assert page.locator(".cnn-spoken").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("kernel_height, kernel_width, stride", [(2, 2, 1), (3, 2, 2), (2, 3, 3), (1, 3, 1), (3, 3, 2)])
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling_is_the_reference_forward_and_backward(show, kind, kernel_height, kernel_width, stride):
    figure = pooling_explorer()
    page = show(figure)
    set_all(page, kind=kind, kernel_height=kernel_height, kernel_width=kernel_width, stride=stride)
    x = np.array(figure.data["x"], float)[np.newaxis, np.newaxis]
    window = (kernel_height, kernel_width)
    pool, back = (F.max_pool2d, F.max_pool2d_backward) if kind == "max" else (F.avg_pool2d, F.avg_pool2d_backward)
    out = pool(x, window, stride)
    grad = np.array(figure.data["grad"], float)[np.newaxis, np.newaxis, :out.shape[2], :out.shape[3]].copy()
    found = grids(page)
    np.testing.assert_allclose(found["output"], out[0, 0], atol=0.006)
    np.testing.assert_array_equal(found["gradient of the output"], grad[0, 0])
    expected = back(grad, x, window, stride)[0, 0]
    shown = found["gradient of the input"]
    np.testing.assert_allclose(np.nan_to_num(shown), expected, atol=0.006)
    if kind == "max":
        indices = F.max_pool2d(x, window, stride, return_indices=True)[1][0, 0]
        assert set(np.flatnonzero(~np.isnan(shown))) == set(indices.ravel())
        set_all(page, position=indices.size - 1)
        winner = [row * x.shape[3] + column for row, column, _, mark in page.evaluate(GRIDS)["0 input"]
                  if "winner" in mark]
        assert winner == [indices[-1, -1]]


STACKS = [
    ([(3, 1, 1, 1), (3, 2, 1, 1), (3, 1, 2, 2)], 7),
    ([(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 1, 1), (2, 2, 0, 1)], 3),
    ([(2, 1, 0, 4), (2, 3, 0, 1)], 0),
    ([(1, 1, 0, 1)], 20),
    ([(3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 0, 4), (5, 1, 0, 1), (2, 1, 3, 3), (3, 2, 0, 1)], 9),
]


@pytest.mark.parametrize("stack, column", STACKS)
def test_receptive_fields_are_the_reference(show, stack, column):
    figure = receptive_field_explorer([Window(3)])
    page = show(figure)
    for _ in stack[1:]:
        page.get_by_role("button", name="Add a layer").click()
    for index, layer in enumerate(stack):
        for part, value in zip(("kernel_size", "stride", "padding", "dilation"), layer, strict=True):
            set_all(page, **{f"{part}-{index}": value})
    set_all(page, column=column)
    layers = [Window(*layer) for layer in stack]
    found = page.locator(".cnn-found").all_inner_texts()
    width = figure.data["picture"]["size"][1]
    for count, words in enumerate(found, 1):
        field = geometry.receptive_field(layers[:count])
        start = str(field.start).replace("-", "−")
        assert words.startswith(f"field {field.size}, jump {field.jump}, start {start}, output ")
        width = geometry.output_size(width, *stack[count - 1], rounding="floor")
        assert words.endswith(f" x {width}")
    field = geometry.receptive_field(layers)
    first, stop = field.input_range(column)
    assert f"columns {first} … {stop - 1}.".replace("-", "−") in spoken(page)
    seen = geometry.inputs_seen(layers, column, figure.data["picture"]["size"][1])
    counts = page.locator(".cnn-chain").get_attribute("aria-label").split(": ")[-1].strip(".").split(", ")
    assert int(counts[0]) == len(seen)


def test_layers_that_do_not_fit_are_explained_and_can_be_taken_away(show):
    page = show(receptive_field_explorer([Window(7, stride=3), Window(7, stride=3), Window(7)]))
    problem = page.locator(".cnn-problem").inner_text()
    with pytest.raises(GeometryError) as error:
        geometry.output_size(2, 7)
    assert problem == f"Layer 3: {error.value}"
    page.get_by_role("button", name="Remove the last layer").press("Enter")
    assert page.locator(".cnn-problem").is_hidden()
    assert page.locator(".cnn-layer").count() == 2


def test_the_sliding_classifier_counts_and_shows_what_the_reference_says(show):
    figure = fc_to_conv_slider()
    page = show(figure)
    set_all(page, rows=11, columns=20, row=4, column=13)
    shown = [float(text.replace("−", "-")) for text in page.locator(".cnn-score svg text").all_text_contents()]
    np.testing.assert_allclose(shown, np.array(figure.data["scores"])[:, 4, 13], atol=0.006)
    cost = convert.evaluation_cost(digit_finder(), (20 + 2 * 10, 20 + 2 * 19))
    words = page.locator(".cnn-costs").inner_text()
    assert f"{cost.sliding:,} multiply-adds for a map of 11 x 20" in words
    assert f"220 crops, {cost.crops:,} multiply-adds" in words
    assert f"takes {cost.ratio:.1f} times fewer" in words
    picture = page.locator(".cnn-pixels").first
    box = picture.bounding_box()
    picture.click(position={"x": box["width"] * 34 / 58, "y": box["height"] * 14 / 40})
    assert page.get_by_label("Window row").input_value() == "2"
    assert page.get_by_label("Window column").input_value() == "12"
    set_all(page, rows=2)
    assert page.get_by_label("Window row").input_value() == "1"


@pytest.mark.parametrize("name, make, mode, optimizer, dtype, batch", [
    ("VGG-16", zoo.vgg16, "training", "adam", "float32", 16),
    ("ResNet-50", zoo.resnet50, "inference", "sgd", "float64", 64),
    ("LeNet-5", zoo.lenet5, "training", "momentum", "float64", 256),
])
def test_memory_is_what_account_says(show, name, make, mode, optimizer, dtype, batch):
    figure = memory_explorer()
    page = show(figure)
    set_all(page, network=name, mode=mode, optimizer=optimizer, dtype=dtype,
            batch=figure.data["batches"].index(batch), budget=3)
    found = account(make(), batch, dtype, optimizer, mode == "training")

    def text(count):
        return next((f"{count / step:.1f} {unit}" for unit, step in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
                     if count >= step), f"{count} B")

    assert page.locator(".cnn-table td").all_inner_texts() == [text(found.peak), *map(text, found.at_peak)]
    assert ("fits into 4.0 GiB" in spoken(page)) == (found.peak <= 4 * 2**30)


def test_networks_lie_where_their_numbers_are(show):
    figure = architecture_comparison()
    page = show(figure)
    for x, y in (("multiply_adds", "parameters"), ("depth", "top5"), ("memory", "depth")):
        set_all(page, x=x, y=y)
        places = dict(page.evaluate(DISCS))
        known = [one for one in figure.data["networks"] if one[x] is not None and one[y] is not None]
        assert set(places) == {one["name"] for one in known}
        for axis, measure, direction in ((0, x, 1), (1, y, -1)):
            values = np.log([one[measure] for one in known])
            shown = np.array([places[one["name"]][axis] for one in known])
            slope, start = np.polyfit(values, shown, 1)
            assert slope * direction > 0
            np.testing.assert_allclose(shown, start + slope * values, atol=0.01)
    page.locator(".cnn-chart .cnn-pick", has_text="GoogLeNet").locator("text").click()
    assert spoken(page).startswith("GoogLeNet: parameters 6,998,552;")
