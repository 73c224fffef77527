import re
import warnings

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from cnncourse import data, geometry, plotting
from cnncourse import functional as F
from tests.figures import FIGURES
from tests.figures.local_connectivity import BANK, NAMES


@pytest.fixture(scope="module")
def photo():
    return data.photograph("flower", shrink=12)


def test_every_figure_is_tried_here():
    assert set(FIGURES) == set(plotting.__all__) - {"Illustration"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", FIGURES)
def test_figure_draws_without_a_warning_and_is_described(name, photo):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = FIGURES[name](photo)
        picture = figure.png()
    assert isinstance(figure, Figure)
    assert picture.startswith(b"\x89PNG")
    assert len(figure.alt) > 40
    assert figure.alt[0].isupper() and figure.alt.endswith(".")
    width = int.from_bytes(picture[16:20]) / 2
    assert 400 < width < 1000, "in pixels of the page"


def test_figures_never_pass_through_pyplot(photo):
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    for draw in FIGURES.values():
        draw(photo)
    assert pyplot.get_fignums() == before


def test_html_carries_the_description_as_alternative_text(photo):
    page = FIGURES["photographs"](photo).html()
    assert re.fullmatch(r'<img alt="[^"<>]*&lt;color&gt;[^"<>]*" src="data:image/png;base64,[\w+/=]+" [^<>]*>', page)


def test_figure_leaves_and_ignores_the_settings_of_others(photo):
    with mpl.rc_context({"text.color": "red", "font.size": 40, "axes.facecolor": "black"}):
        before = dict(mpl.rcParams)
        under_odd_settings = FIGURES["output_sizes"](photo).png()
        assert dict(mpl.rcParams) == before
    assert under_odd_settings == FIGURES["output_sizes"](photo).png()


def test_notebook_shows_a_figure_exactly_once():
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_code_cell("%matplotlib inline\nimport matplotlib.pyplot\nfrom cnncourse import plotting"),
        nbformat.v4.new_code_cell("plotting.sliding_window(7, 3, 2)"),
    ])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    assert notebook.cells[0].outputs == []
    (shown,) = notebook.cells[1].outputs
    assert set(shown.data) == {"text/html", "text/plain"}
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert page.count('<img alt="A filter of 3 entries') == 1


def test_sliding_window_counts_positions_and_what_is_left_over():
    alt = plotting.sliding_window(10, 3, 2).alt
    assert "4 positions" in alt and "= 4.5." in alt and "The last 1 entry of the padded input is never read" in alt
    alt = plotting.sliding_window(7, 5, 2, 2).alt
    assert "4 positions" in alt and "Nothing is left over" in alt


def test_sliding_window_refuses_a_filter_larger_than_the_input():
    with pytest.raises(geometry.GeometryError):
        plotting.sliding_window(3, 5)


def test_output_sizes_names_the_strides_that_fit():
    assert "whole number: 1, 7." in plotting.output_sizes(10, 3).alt
    assert "stride 2: 4.5" in plotting.output_sizes(10, 3).alt


def test_rounding_rules_tell_floor_from_ceil_and_same():
    alt = plotting.rounding_rules((7, 8, 9, 10), 3, 2).alt
    assert "Caffe convolution: [3, 3, 4, 4]." in alt
    assert "Caffe pooling: [3, 4, 4, 5]." in alt
    assert "TensorFlow VALID: [3, 3, 4, 4]." in alt
    assert "TensorFlow SAME: [4, 4, 5, 5]." in alt
    assert "PyTorch convolution: [3, 3, 4, 4]." in alt


def test_first_layer_of_alexnet_gives_55_for_both_readings():
    alt = plotting.first_layer_sizes().alt
    assert "224 gives 55 with a total padding of 3, 4, 5, 6;" in alt
    assert "227 gives 55 with a total padding of 0, 1, 2, 3." in alt


def test_dot_product_spells_out_what_the_layer_computes():
    patch = np.arange(18.0).reshape(2, 3, 3)
    kernel = np.where(np.arange(18) % 3, 1.0, -2.0).reshape(2, 3, 3)
    value = F.conv2d(patch[None], kernel[None], np.array([5.0])).item()
    assert plotting.dot_product(patch, kernel, 5).alt.endswith(f"= {value:g}.".replace("-", "−"))


def test_dot_product_refuses_blocks_that_do_not_match():
    with pytest.raises(ValueError, match=r"\(3, 3, 3\).*\(1, 3, 3\)"):
        plotting.dot_product(np.ones((3, 3, 3)), np.ones((1, 3, 3)))


def test_flipped_kernel_shows_the_filter_turned_and_as_it_is():
    kernel = np.array([[1.0, 2, 0], [0, 3, 0], [0, 0, -1]])
    alt = plotting.flipped_kernel(kernel).alt
    assert alt.index(str(kernel[::-1, ::-1].tolist()).replace("-0.0", "0.0")) < alt.index(str(kernel.tolist()))


def test_patches_as_columns_draws_what_the_given_function_returns():
    x = np.arange(24.0).reshape(1, 2, 3, 4)

    def wrong(x, kernel_size, stride, padding):
        return F.im2col(x, kernel_size, stride=stride, padding=padding).transpose(0, 2, 1)

    texts = [t.get_text() for t in plotting.patches_as_columns(x, (2, 2), im2col=wrong).findobj(mpl.text.Text)]
    assert "6 rows: one for each weight\n8 columns: one for each position" in texts


def test_filtered_photograph_measures_the_distance_to_the_reference(photo):
    def right(x, weight, bias, stride, padding):
        return F.conv2d(x, weight, bias, stride=stride, padding=padding)

    def flipped(x, weight, bias, stride, padding):
        return right(x, weight[:, :, ::-1, ::-1].copy(), bias, stride, padding)

    def cropped(x, weight, bias, stride, padding):
        return right(x, weight, bias, stride, 0)

    assert "reference: 0" in plotting.filtered_photograph(photo, BANK, NAMES, right).alt
    error = re.search(r"reference: ([\d.e+-]+)", plotting.filtered_photograph(photo, BANK, NAMES, flipped).alt)
    assert float(error[1].rstrip(".")) > 0.1
    assert "(1, 3, 33, 51)" in plotting.filtered_photograph(photo, BANK, NAMES, cropped).alt
    assert "reference" not in plotting.filtered_photograph(photo, BANK, NAMES).alt


def test_mixed_channels_draws_what_the_given_function_returns(photo):
    def brighter(x, weight, bias):
        return np.full((1, len(weight), *x.shape[2:]), 0.25)

    figure = plotting.mixed_channels(photo, BANK[:, :, 0, 2], NAMES, brighter)
    maps = [image.get_array() for axes in figure.axes for image in axes.images][1:]
    assert len(maps) == 3 and all((m == 0.25).all() for m in maps)


def test_receptive_field_tells_rows_columns_and_full_depth():
    alt = plotting.receptive_field((3, 7, 9), 5, 3, 2, (1, 2)).alt
    assert "rows 2 to 4 and columns 4 to 6 of all 3 input channels: 27 values" in alt
    with pytest.raises(ValueError, match=r"outside of the output of 3 x 4"):
        plotting.receptive_field((3, 7, 9), 5, 3, 2, (3, 0))


@pytest.mark.parametrize(("dilations", "inputs", "told"), [
    ((1, 1, 1), 7, "7 inputs"), ((1, 2, 4), 15, "15 inputs"), ((2, 2), 5, "5 inputs, spread over 9")])
def test_taps_mark_the_inputs_that_reach_the_neuron(dilations, inputs, told):
    rows = np.eye(31).reshape(31, 1, 1, 31)
    for dilation in dilations:
        rows = F.conv2d(rows, np.ones((1, 1, 1, 3)), np.zeros(1), dilation=dilation, padding=(0, dilation))
    reaching = np.flatnonzero(rows[:, 0, 0, 15]) - 15
    figure = plotting.taps(dilations)
    (marked,) = [line for line in figure.axes[0].lines if line.get_marker() == "o" and max(line.get_ydata()) == 0
                 and line.get_color() != "white"]
    assert sorted(marked.get_xdata()) == reaching.tolist() and len(reaching) == inputs
    assert figure.alt.endswith(f": {told}.")


def test_effective_field_grows_more_slowly_than_the_receptive_field():
    whole, core = zip(*re.findall(r"(\d+) x \d+, nine tenths of it within (\d+)",
                                  plotting.effective_field((2, 8, 32)).alt), strict=True)
    assert [int(size) for size in whole] == [5, 17, 65]
    small, middle, large = (int(size) for size in core)
    assert small < middle < large < 65 / 2
    assert large / middle == pytest.approx(2, abs=0.4), "four times the depth, twice the width"
