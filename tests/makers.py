"""The interactive figures, for all who try each of them."""

from cnncourse.widgets import (
    architecture_comparison,
    convolution_stepper,
    fc_to_conv_slider,
    memory_explorer,
    pooling_explorer,
    receptive_field_explorer,
)

MAKERS = (architecture_comparison, convolution_stepper, fc_to_conv_slider, memory_explorer, pooling_explorer,
          receptive_field_explorer)
