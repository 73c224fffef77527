"""The course's figures: each is a function that computes what it shows and returns an `Illustration`."""

from cnncourse.plotting.fields import effective_field, receptive_field, taps
from cnncourse.plotting.illustration import Illustration
from cnncourse.plotting.layers import three_kinds
from cnncourse.plotting.photographs import filtered_photograph, mixed_channels, output_volume, photographs
from cnncourse.plotting.products import dot_product, flipped_kernel, patches_as_columns
from cnncourse.plotting.sizes import first_layer_sizes, output_sizes, rounding_rules, sliding_window

__all__ = [
    "Illustration",
    "dot_product",
    "effective_field",
    "filtered_photograph",
    "first_layer_sizes",
    "flipped_kernel",
    "mixed_channels",
    "output_sizes",
    "output_volume",
    "patches_as_columns",
    "photographs",
    "receptive_field",
    "rounding_rules",
    "sliding_window",
    "taps",
    "three_kinds",
]
