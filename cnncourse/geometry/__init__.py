"""Sizes, padding and receptive fields of sliding windows; the ground floor that everything else may use."""

from cnncourse.errors import GeometryError
from cnncourse.geometry.fitting import Fit, fits, nearest_fits
from cnncourse.geometry.libraries import (
    caffe_conv_output_size,
    caffe_pool_output_size,
    onnx_output_size,
    onnx_padding,
    pytorch_conv_output_size,
    pytorch_pool_output_size,
    tensorflow_output_size,
    tensorflow_padding,
)
from cnncourse.geometry.padding import dilated_extent, same_padding
from cnncourse.geometry.receptive import ReceptiveField, Window, inputs_seen, receptive_field
from cnncourse.geometry.sizes import output_size

__all__ = [
    "Fit",
    "GeometryError",
    "ReceptiveField",
    "Window",
    "caffe_conv_output_size",
    "caffe_pool_output_size",
    "dilated_extent",
    "fits",
    "inputs_seen",
    "nearest_fits",
    "onnx_output_size",
    "onnx_padding",
    "output_size",
    "pytorch_conv_output_size",
    "pytorch_pool_output_size",
    "receptive_field",
    "same_padding",
    "tensorflow_output_size",
    "tensorflow_padding",
]
