"""The course's figures: each is a function that computes what it shows and returns an `Illustration`."""

from cnncourse.plotting.architectures import cost_by_layer, field_growth, network_costs, network_profiles
from cnncourse.plotting.blocks import block_diagram, gradient_depth, square_pictures, stamp_overlaps
from cnncourse.plotting.conversion import convolution_as_matrix, maps_as_vector, weights_as_filters
from cnncourse.plotting.crops import crops_of_picture, evaluation_costs, padding_differences
from cnncourse.plotting.fields import effective_field, receptive_field, taps
from cnncourse.plotting.illustration import Illustration
from cnncourse.plotting.layers import three_kinds
from cnncourse.plotting.photographs import filtered_photograph, mixed_channels, output_volume, photographs
from cnncourse.plotting.products import dot_product, flipped_kernel, patches_as_columns
from cnncourse.plotting.scenes import found_digits, score_maps
from cnncourse.plotting.sizes import first_layer_sizes, output_sizes, rounding_rules, sliding_window

__all__ = [
    "Illustration",
    "block_diagram",
    "convolution_as_matrix",
    "cost_by_layer",
    "crops_of_picture",
    "dot_product",
    "effective_field",
    "evaluation_costs",
    "field_growth",
    "filtered_photograph",
    "first_layer_sizes",
    "flipped_kernel",
    "found_digits",
    "gradient_depth",
    "maps_as_vector",
    "mixed_channels",
    "network_costs",
    "network_profiles",
    "output_sizes",
    "output_volume",
    "padding_differences",
    "patches_as_columns",
    "photographs",
    "receptive_field",
    "rounding_rules",
    "score_maps",
    "sliding_window",
    "square_pictures",
    "stamp_overlaps",
    "taps",
    "three_kinds",
    "weights_as_filters",
]
