"""The course's figures: each is a function that computes what it shows and returns an `Illustration`."""

from cnncourse.plotting.architectures import cost_by_layer, field_growth, network_costs, network_profiles
from cnncourse.plotting.blocks import block_diagram, gradient_depth, square_pictures, stamp_overlaps
from cnncourse.plotting.conversion import convolution_as_matrix, maps_as_vector, weights_as_filters
from cnncourse.plotting.crops import border_rings, crops_of_picture, evaluation_costs, padding_differences
from cnncourse.plotting.digits import (
    confusion_table,
    digit_examples,
    filters_before_and_after,
    misread_digits,
    network_stages,
)
from cnncourse.plotting.fields import effective_field, receptive_field, taps
from cnncourse.plotting.gradients import accuracy_when_moved, spread_back, step_errors, summed_gradients
from cnncourse.plotting.illustration import Illustration
from cnncourse.plotting.layers import three_kinds
from cnncourse.plotting.learning import (
    accuracy_by_samples,
    descent_paths,
    losses_compared,
    probability_bars,
    rate_schedule,
    signal_sizes,
    training_curves,
)
from cnncourse.plotting.memory import (
    batch_budget,
    memory_by_kind,
    memory_by_layer,
    parameter_copies,
    predicted_and_measured,
)
from cnncourse.plotting.photographs import filtered_photograph, mixed_channels, output_volume, photographs
from cnncourse.plotting.pooling import gradient_routes, maxima_and_indices, pooled_windows, shares_kept
from cnncourse.plotting.products import dot_product, flipped_kernel, patches_as_columns
from cnncourse.plotting.recomputing import memory_timeline, segment_lengths, segments
from cnncourse.plotting.scenes import found_digits, score_maps
from cnncourse.plotting.sharing import moved_outputs, one_step, parameter_growth, shared_weights
from cnncourse.plotting.shifts import moving_dot, shift_curves
from cnncourse.plotting.sizes import first_layer_sizes, output_sizes, rounding_rules, sliding_window

__all__ = [
    "Illustration",
    "accuracy_by_samples",
    "accuracy_when_moved",
    "batch_budget",
    "block_diagram",
    "border_rings",
    "confusion_table",
    "convolution_as_matrix",
    "cost_by_layer",
    "crops_of_picture",
    "descent_paths",
    "digit_examples",
    "dot_product",
    "effective_field",
    "evaluation_costs",
    "field_growth",
    "filtered_photograph",
    "filters_before_and_after",
    "first_layer_sizes",
    "flipped_kernel",
    "found_digits",
    "gradient_depth",
    "gradient_routes",
    "losses_compared",
    "maps_as_vector",
    "maxima_and_indices",
    "memory_by_kind",
    "memory_by_layer",
    "memory_timeline",
    "misread_digits",
    "mixed_channels",
    "moved_outputs",
    "moving_dot",
    "network_costs",
    "network_profiles",
    "network_stages",
    "one_step",
    "output_sizes",
    "output_volume",
    "padding_differences",
    "parameter_copies",
    "parameter_growth",
    "patches_as_columns",
    "photographs",
    "pooled_windows",
    "predicted_and_measured",
    "probability_bars",
    "rate_schedule",
    "receptive_field",
    "rounding_rules",
    "score_maps",
    "segment_lengths",
    "segments",
    "shared_weights",
    "shares_kept",
    "shift_curves",
    "signal_sizes",
    "sliding_window",
    "spread_back",
    "square_pictures",
    "stamp_overlaps",
    "step_errors",
    "summed_gradients",
    "taps",
    "three_kinds",
    "training_curves",
    "weights_as_filters",
]
