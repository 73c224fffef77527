"""The words of a pattern: which layer each name stands for, what its options are called, and what they are by default.

| name | layer | options, in order | by default |
|---|---|---|---|
| INPUT | shape of one sample | channels, height, width; or the number of features | 3, 32, 32 |
| CONV | Conv2d | out_channels, kernel_size, stride, padding, dilation, groups, bias | 3x3, padding keeps the size |
| LOCAL | LocallyConnected2d | out_channels, kernel_size, stride, padding, bias | 3x3, padding keeps the size |
| POOL, MAXPOOL | MaxPool2d | kernel_size, stride, padding, dilation, ceil_mode | 2x2, stride as the kernel |
| AVGPOOL | AvgPool2d | kernel_size, stride, padding, ceil_mode, count_include_pad | 2x2, stride as the kernel |
| LPPOOL | LpPool2d | kernel_size, stride, padding, ceil_mode, norm_type | 2x2, stride as the kernel, norm_type 2 |
| GAP | GlobalAvgPool2d | | |
| NORM, LRN | LocalResponseNorm | size, alpha, beta, k | 5, 5e-4, 0.75, 2: AlexNet's |
| BN, BATCHNORM | BatchNorm2d | eps, momentum, affine | 1e-5, 0.1, true |
| RELU, TANH, SIGMOID, SOFTMAX | | | |
| DROPOUT | Dropout | p | 0.5 |
| FC, LINEAR | Linear | out_features, bias | 128; the last one 10 |
| FLATTEN, IDENTITY | | | |

Filters without a number: 32 at first, or as many as the CONV or LOCAL before, twice as many after each pool whose
stride is above 1. Padding keeps the size where the stride is 1: d (F - 1) zeros along each axis, one more after than
before if that is odd.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnncourse.geometry.settings import per_axis
from cnncourse.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Identity,
    Layer,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LpPool2d,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)

INPUT_SHAPE = (3, 32, 32)
FILTERS = 32
FEATURES = 128
CLASSES = 10

WINDOWS_THAT_SHRINK = (MaxPool2d, AvgPool2d, LpPool2d)


@dataclass(frozen=True)
class Kind:
    """What an option may be: in words, and as a test."""

    words: str
    accepts: Callable[[Any], bool]


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _pair(value: Any, least: int) -> bool:
    parts = value if isinstance(value, tuple) and len(value) == 2 else (value,)
    return all(_whole(part, least) for part in parts)


def _padding(value: Any) -> bool:
    parts = value if isinstance(value, tuple) and len(value) == 2 else (value,)
    return value in ("same", "valid") or all(_pair(part, 0) for part in parts)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


COUNT = Kind("a whole number of at least 1", lambda value: _whole(value, 1))
PAIR = Kind("a whole number of at least 1, or two: (vertical, horizontal)", lambda value: _pair(value, 1))
PADDING = Kind("a whole number of at least 0, (vertical, horizontal), ((top, bottom), (left, right)), same or valid",
               _padding)
NUMBER = Kind("a number", _number)
SHARE = Kind("a number from 0 to 1", lambda value: _number(value) and 0 <= value <= 1)
POSITIVE = Kind("a number above 0", lambda value: _number(value) and value > 0)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))

KINDS = {
    "out_channels": COUNT, "out_features": COUNT, "groups": COUNT, "size": COUNT,
    "kernel_size": PAIR, "stride": PAIR, "dilation": PAIR, "padding": PADDING,
    "bias": FLAG, "ceil_mode": FLAG, "count_include_pad": FLAG, "affine": FLAG,
    "p": SHARE, "momentum": SHARE, "norm_type": POSITIVE, "eps": POSITIVE,
    "alpha": NUMBER, "beta": NUMBER, "k": NUMBER,
}

OTHER_NAMES = {
    "filters": "out_channels", "channels": "out_channels", "features": "out_features", "units": "out_features",
    "kernel": "kernel_size", "window": "kernel_size", "size": "kernel_size", "strides": "stride", "pad": "padding",
    "rate": "p", "norm": "norm_type",
}
"""What other places call our options, for the error that names ours."""


@dataclass(frozen=True)
class Word:
    """A name of a pattern.

    Attributes
    ----------
    name : str
    layer : type of Layer
    options : tuple of str
        Names of the layer's settings, in the order in which they may be given without names.
    defaults : dict of str to object
        Where a pattern's default is not the layer's.
    also : tuple of str
        Further names of the same.
    """

    name: str
    layer: type[Layer]
    options: tuple[str, ...]
    defaults: dict[str, Any]
    also: tuple[str, ...] = ()

    def default(self, option: str) -> Any:
        """What an option is by default: the pattern's word, or else the layer's own."""
        return self.defaults[option] if option in self.defaults else getattr(self.layer, option, None)


def _word(name: str, layer: type[Layer], options: str = "", also: tuple[str, ...] = (), **defaults: Any) -> Word:
    return Word(name, layer, tuple(options.split()), defaults, also)


WORDS = (
    _word("CONV", Conv2d, "out_channels kernel_size stride padding dilation groups bias", kernel_size=3),
    _word("LOCAL", LocallyConnected2d, "out_channels kernel_size stride padding bias", kernel_size=3),
    _word("POOL", MaxPool2d, "kernel_size stride padding dilation ceil_mode", ("MAXPOOL",), kernel_size=2),
    _word("AVGPOOL", AvgPool2d, "kernel_size stride padding ceil_mode count_include_pad", kernel_size=2),
    _word("LPPOOL", LpPool2d, "kernel_size stride padding ceil_mode norm_type", kernel_size=2, norm_type=2),
    _word("GAP", GlobalAvgPool2d),
    _word("NORM", LocalResponseNorm, "size alpha beta k", ("LRN",), size=5, alpha=5e-4, k=2.0),
    _word("BN", BatchNorm2d, "eps momentum affine", ("BATCHNORM",)),
    _word("RELU", ReLU),
    _word("TANH", Tanh),
    _word("SIGMOID", Sigmoid),
    _word("SOFTMAX", Softmax),
    _word("DROPOUT", Dropout, "p"),
    _word("FC", Linear, "out_features bias", ("LINEAR",)),
    _word("FLATTEN", Flatten),
    _word("IDENTITY", Identity),
)

BY_NAME = {name: word for word in WORDS for name in (word.name, *word.also)}
DENSE = {name for name, word in BY_NAME.items() if word.layer is Linear}
BY_LAYER = {word.layer: word for word in WORDS}


def padding_that_keeps(kernel_size: Any, dilation: Any = 1) -> Any:
    """Padding with which a window of stride 1 keeps the size, written as simply as it can be.

    Parameters
    ----------
    kernel_size, dilation : int or (vertical, horizontal)

    Returns
    -------
    int, (vertical, horizontal) or ((top, bottom), (left, right))
    """
    kernel, spread = per_axis("kernel_size", kernel_size, 1), per_axis("dilation", dilation, 1)
    totals = [gap * (taps - 1) for taps, gap in zip(kernel, spread, strict=True)]
    if any(total % 2 for total in totals):
        return tuple((total // 2, total - total // 2) for total in totals)
    vertical, horizontal = (total // 2 for total in totals)
    return vertical if vertical == horizontal else (vertical, horizontal)


def no_word(name: str) -> str:
    """The words for a name that there is not."""
    near = difflib.get_close_matches(name.upper(), (*BY_NAME, "INPUT"), 2, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(('INPUT', *BY_NAME))}"
    return f"there is no layer {name}; {hint}"


def no_option(word: Word, name: str) -> str:
    """The words for an option that a layer does not have."""
    if not word.options:
        return f"{word.name} has no options"
    ours = OTHER_NAMES.get(name.lower(), "")
    near = [ours] if ours in word.options else difflib.get_close_matches(name.lower(), word.options, 2, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(word.options)}"
    return f"{word.name} has no option {name}; {hint}"
