"""Interactive figures, alive in JupyterLab, in VS Code, and in a page without a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnncourse.lazy import handing_on

if TYPE_CHECKING:
    from cnncourse.widgets.architectures import architecture_comparison
    from cnncourse.widgets.convolution import convolution_stepper
    from cnncourse.widgets.fields import receptive_field_explorer
    from cnncourse.widgets.figure import Figure, static_html
    from cnncourse.widgets.memory import memory_explorer
    from cnncourse.widgets.pooling import pooling_explorer
    from cnncourse.widgets.sliding import fc_to_conv_slider

# anywidget takes a third of a second to import, so only those pay who show a figure.
_HOME = {
    "Figure": "figure",
    "architecture_comparison": "architectures",
    "convolution_stepper": "convolution",
    "fc_to_conv_slider": "sliding",
    "memory_explorer": "memory",
    "pooling_explorer": "pooling",
    "receptive_field_explorer": "fields",
    "static_html": "figure",
}

__all__ = [
    "Figure",
    "architecture_comparison",
    "convolution_stepper",
    "fc_to_conv_slider",
    "memory_explorer",
    "pooling_explorer",
    "receptive_field_explorer",
    "static_html",
]

__getattr__, __dir__ = handing_on(__name__, _HOME)
