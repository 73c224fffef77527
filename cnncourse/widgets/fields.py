"""Receptive fields through a stack of layers that the reader builds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cnncourse import data as pictures
from cnncourse.errors import ArgumentError
from cnncourse.geometry import Window, receptive_field
from cnncourse.geometry.settings import sides
from cnncourse.language import mark
from cnncourse.widgets.figure import GEOMETRY_LABELS, Figure
from cnncourse.widgets.pictures import data_address

LIMITS = {"kernel_size": (1, 7), "stride": (1, 3), "padding": (0, 3), "dilation": (1, 4)}
"""Smallest and largest value of each slider."""
MOST_LAYERS = 6

LABELS = {
    "title": mark("Receptive field of a stack of layers"),
    "about": mark("Layers can be added, removed and changed; it is shown what one output sees of the picture."),
    "layer": mark("Layer {layer}"),
    "kernel_size": mark("Kernel"),
    "stride": mark("Stride"),
    "padding": mark("Padding"),
    "dilation": mark("Dilation"),
    "add": mark("Add a layer"),
    "remove": mark("Remove the last layer"),
    "row": mark("Output row"),
    "column": mark("Output column"),
    "found": mark("field {size}, jump {jump}, start {start}, output {rows} x {columns}"),
    "chain_caption": mark("Along the columns, input below: what the chosen output depends on is filled."),
    "scene_caption": mark("The field in the picture; with gaps, each pixel that is seen has a dot."),
    "chain_description": mark("Layers: {levels}. Entries that count, from the input up to the output: {counts}."),
    "scene_description": mark("A photograph of {height} x {width} pixels; the field, {size} x {size}, begins at row "
                              "{top}, column {left}."),
    "spoken": mark("The output at row {row}, column {column} has a field of {size} x {size}: rows {rows}, columns "
                   "{columns}. Pixels that it depends on: {inputs}. Its neighbor's field lies {jump} further."),
    "does_not_fit": mark("These layers do not fit."),
    **GEOMETRY_LABELS,
}

STACK = (Window(3, padding=1), Window(3, stride=2, padding=1), Window(3, padding=2, dilation=2))


def receptive_field_explorer(
    layers: Iterable[Window] = STACK, *, labels: Mapping[str, str] | None = None
) -> Figure:
    """A stack of layers to build and change, and the field of one of its outputs in a photograph.

    Parameters
    ----------
    layers : iterable of Window, optional
        From the input upwards: one to six, within the sliders' limits, padded alike on both sides.
    labels : mapping of str to str, optional
        Words to take instead of the English ones; see `cnncourse.widgets.fields.LABELS` for their names.

    Returns
    -------
    Figure
        Its settings hold `layers` as lists of kernel size, stride, padding and dilation.

    Raises
    ------
    ArgumentError
        If there are too many layers, or one is beyond what the sliders can show.
    """
    given = list(layers)
    receptive_field(given)
    stack = [[one.kernel_size, one.stride, sides("padding", one.padding)[0], one.dilation] for one in given]
    if not 1 <= len(stack) <= MOST_LAYERS:
        raise ArgumentError(f"receptive_field_explorer: one to {MOST_LAYERS} layers can be shown, {len(stack)} were "
                            "given")
    for layer, values in zip(given, stack, strict=True):
        before, after = sides("padding", layer.padding)
        within = all(low <= value <= high for value, (low, high) in zip(values, LIMITS.values(), strict=True))
        if before != after or not within:
            raise ArgumentError(f"receptive_field_explorer: {layer} cannot be shown; the sliders go to {LIMITS}, with "
                                "padding alike on both sides")
    photo = pictures.photograph("flower", shrink=10)[0]
    data = {"picture": {"png": data_address(photo), "size": list(photo.shape[1:])}, "limits": LIMITS}
    settings = {"layers": stack, "row": 10, "column": 12}
    return Figure(("geometry", "fields"), data, settings, LABELS, labels)
