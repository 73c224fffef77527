"""A convolution layer to be timed, and what came of it: what `bench.kernels` measures and `bench.roofline` draws."""

from __future__ import annotations

from dataclasses import dataclass

from cnncourse.layers import Conv2d


@dataclass(frozen=True)
class Setting:
    """A convolution layer and its input."""

    channels: int
    size: tuple[int, int]
    layer: Conv2d

    def __str__(self) -> str:
        layer = self.layer
        groups = f", {layer.groups} groups" if layer.groups > 1 else ""
        return (f"{self.channels} to {layer.out_channels} on {self.size[0]}x{self.size[1]}, "
                f"kernel {layer.kernel_size}, stride {layer.stride}{groups}")


@dataclass(frozen=True)
class Timed:
    """A pair of times in seconds, and the median of the rounds' ratios."""

    ours: float
    theirs: float
    ratio: float
