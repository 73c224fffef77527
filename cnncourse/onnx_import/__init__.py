"""Networks from ONNX files, which most other libraries can write; needs the package onnx."""

from cnncourse.onnx_import.loading import load

__all__ = ["load"]
