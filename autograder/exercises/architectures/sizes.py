"""Rules for sizes: which layers of a list do not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry

Layer = tuple[int, int, int]
Size = tuple[int, int]


def _follow(
    out: Callable[[int, int, int, int], int] = lambda n, k, s, p: (n - k + 2 * p) // s + 1,
    over: Callable[[int, int, int, int], bool] = lambda n, k, s, p: bool((n - k + 2 * p) % s),
    any_of: Callable[[Any], bool] = any,
    padded: Callable[[int, int], int] = lambda n, p: n + 2 * p,
) -> Callable[[Size, tuple[Layer, ...]], tuple[Any, Any]]:
    """Sizes through layers, with other rules for one axis, for a layer, or for a window that is too large."""
    def follow(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
        sizes, misfits = [], []
        for number, (k, s, p) in enumerate(layers):
            if any(k > padded(n, p) for n in size):
                misfits.append(number)
                break
            if any_of(over(n, k, s, p) for n in size):
                misfits.append(number)
            size = (out(size[0], k, s, p), out(size[1], k, s, p))
            sizes.append(size)
        return tuple(sizes), tuple(misfits)
    return follow


_right = _follow()


def _first_of(values: Any) -> bool:
    return next(iter(values))


def _last_of(values: Any) -> bool:
    return list(values)[-1]


def _always_the_picture(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    found = [_right(size, (layer,)) for layer in layers]
    return tuple(s[0] for s, _ in found if s), tuple(i for i, (_, misfit) in enumerate(found) if misfit)


def _stop_at_the_first(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    sizes, misfits = _right(size, layers)
    return (sizes[:misfits[0] + 1], misfits[:1]) if misfits else (sizes, misfits)


def _stop_before_the_first(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    sizes, misfits = _right(size, layers)
    return (sizes[:misfits[0]], misfits[:1]) if misfits else (sizes, misfits)


def _too_large_skipped(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    """Goes on with the next layer."""
    sizes, misfits = [], []
    for number, layer in enumerate(layers):
        found, misfit = _right(size, (layer,))
        misfits += [number] * len(misfit)
        if found:
            size = found[0]
            sizes.append(size)
    return tuple(sizes), tuple(misfits)


def _not_noted(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    sizes, misfits = _right(size, layers)
    return sizes, misfits[:-1] if len(sizes) < len(layers) else misfits


def _misfits_left_out(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    """A layer that does not fit gives no output; the next one gets its input."""
    sizes, misfits = [], []
    for number, layer in enumerate(layers):
        found, misfit = _right(size, (layer,))
        if misfit:
            misfits.append(number)
            if not found:
                break
        else:
            size = found[0]
            sizes.append(size)
    return tuple(sizes), tuple(misfits)


def _misfits_without_effect(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    """A layer that does not fit passes its input on."""
    sizes, misfits = [], []
    for number, layer in enumerate(layers):
        found, misfit = _right(size, (layer,))
        misfits += [number] * len(misfit)
        if not found:
            break
        size = size if misfit else found[0]
        sizes.append(size)
    return tuple(sizes), tuple(misfits)


def _fitting(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    sizes, misfits = _right(size, layers)
    return sizes, tuple(i for i in range(len(layers)) if i not in misfits)


def _changed(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    sizes, misfits = _right(size, layers)
    stopped = misfits[len(misfits) - (len(sizes) < len(layers)):]
    return sizes, (*(i for i, (a, b) in enumerate(zip((size, *sizes), sizes, strict=False)) if a != b), *stopped)


def _odd(size: Size, layers: tuple[Layer, ...]) -> tuple[Any, Any]:
    sizes, misfits = _right(size, layers)
    stopped = misfits[len(misfits) - (len(sizes) < len(layers)):]
    return sizes, (*(i for i, one in enumerate(sizes) if one[0] % 2 or one[1] % 2), *stopped)


@exercise("follow_sizes", notebook=NOTEBOOK, points=3)
class FollowSizes:
    """Follow a picture's size through a list of layers, and say which layers do not fit.

    `size` is (height, width); `layers` lists (kernel_size, stride, padding), square windows with the same padding on
    all four sides. Return two lists: the (height, width) after each layer, rounded down where something is left over;
    and the numbers, counted from 0, of the layers that do not fit: the stride leaves something over along the height
    or the width. A window larger than the padded input has no output: its number ends the second list, and neither it
    nor a later layer adds a size.
    """

    def follow_sizes(size, layers):
        sizes, misfits = [], []
        for number, (kernel_size, stride, padding) in enumerate(layers):
            if not all(geometry.fits(side, kernel_size, stride, padding) for side in size):
                misfits.append(number)
            try:
                size = geometry.output_size(size, kernel_size, stride, padding, rounding="floor")
            except geometry.GeometryError:
                break
            sizes.append(size)
        return tuple(sizes), tuple(misfits)

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        same, pool, large = (3, 1, 1), (2, 2, 0), (5, 1, 2)
        yield Case("one convolution that keeps the size", ((8, 8), (same,)))
        yield Case("one pool", ((8, 8), (pool,)))
        yield Case("one pool that does not fit", ((7, 7), (pool,)))
        yield Case("everything fits", ((32, 32), (same, same, pool, large, pool, same, pool)))
        yield Case("only the height does not fit", ((9, 8), (same, pool)))
        yield Case("only the width does not fit", ((8, 10), (pool, pool, same)))
        yield Case("taller than wide, several misfits", ((45, 22), (same, pool, large, pool, same, pool)))
        yield Case("AlexNet with 227", ((227, 227), ((11, 4, 0), (3, 2, 0), large, (3, 2, 0), same, (3, 2, 0))))
        yield Case("AlexNet with 224", ((224, 224), ((11, 4, 0), (3, 2, 0), large, (3, 2, 0), same, (3, 2, 0))))
        yield Case("stride 2 with padding", ((21, 12), ((3, 2, 1), (5, 2, 2), (4, 3, 1))))
        yield Case("a window that is too large, in the middle", ((12, 6), (pool, (5, 1, 0), pool, same)))
        yield Case("a window as large as the padded input", ((4, 3), (pool, (3, 1, 1), (4, 2, 1))))
        yield Case("stride 3, remainders 1 and 2", ((11, 13), ((3, 3, 0), (2, 3, 1))))
        yield Case("no layers", ((5, 4), ()))
        height, width = (int(n) for n in rng.choice(np.arange(40, 90), 2, replace=False))
        layers = tuple((int(k), int(s), int(p)) for k, s, p in
                       zip(rng.integers(2, 5, 4), rng.integers(1, 4, 4), rng.integers(0, 2, 4), strict=True))
        yield Case("drawn at random", ((height, width), (*layers, pool)))

    returns = ("sizes", "misfits")
    misconceptions = (
        Misconception("rounded up", "Where something is left over, the last position is left out: round down.",
                      _follow(out=lambda n, k, s, p: -((k - n - 2 * p) // s) + 1)),
        Misconception("not rounded", "There are no half pixels: round down before the next layer comes.",
                      _follow(out=lambda n, k, s, p: (n - k + 2 * p) / s + 1)),  # type: ignore[arg-type, return-value]
        Misconception("only the height checked", "A layer has to fit along both axes: look at the width too.",
                      _follow(any_of=_first_of)),
        Misconception("only the width checked", "A layer has to fit along both axes: look at the height too.",
                      _follow(any_of=_last_of)),
        Misconception("a misfit only if both axes leave something over",
                      "One axis with something left over is enough for a misfit.", _follow(any_of=all)),
        Misconception("padding counted once", "The padding lies on both sides.",
                      _follow(out=lambda n, k, s, p: (n - k + p) // s + 1,
                              over=lambda n, k, s, p: bool((n - k + p) % s), padded=lambda n, p: n + p)),
        Misconception("padding ignored", "The window slides over the padded input.",
                      _follow(out=lambda n, k, s, p: (n - k) // s + 1,
                              over=lambda n, k, s, p: bool((n - k) % s), padded=lambda n, p: n)),
        Misconception("windows compared with the bare input",
                      "A window may be larger than the input if the padding makes room for it.",
                      _follow(padded=lambda n, p: n)),
        Misconception("kernel size not subtracted",
                      "The stride has to divide the way that the window can move, which is shorter than the padded "
                      "input.",
                      _follow(over=lambda n, k, s, p: bool((n + 2 * p) % s))),
        Misconception("the size instead of the way divided",
                      "The stride has to divide the way that the window can move, not the size of the input.",
                      _follow(over=lambda n, k, s, p: bool(n % s))),
        Misconception("the first position forgotten",
                      "Steps plus one: before its first step the window has a position.",
                      _follow(out=lambda n, k, s, p: max((n - k + 2 * p) // s, 1))),
        Misconception("counted from 1", "Layers are counted from 0, as Python does.",
                      lambda size, layers: (_right(size, layers)[0], tuple(i + 1 for i in _right(size, layers)[1]))),
        Misconception("every layer gets the picture", "A layer's input is the output of the layer before it.",
                      _always_the_picture),
        Misconception("stopped at the first misfit",
                      "A misfit loses a row or a column, and the next layer goes on with what is left; only a window "
                      "that is too large ends the list.",
                      _stop_at_the_first, also=(_stop_before_the_first,)),
        Misconception("too large windows go on",
                      "A window larger than the padded input has no position at all: there is no output to go on with.",
                      _follow(padded=lambda n, p: 10**9), also=(_too_large_skipped,)),
        Misconception("too large window not noted",
                      "A layer whose window is larger than the padded input does not fit either: its number ends the "
                      "second list.",
                      _not_noted),
        Misconception("misfits left out",
                      "A layer that does not fit loses a row or a column, but it is there: its output, rounded down, "
                      "is listed, and the next layer gets it.",
                      _misfits_left_out, also=(_misfits_without_effect,)),
        Misconception("fitting layers listed", "The second list holds the layers that do not fit.", _fitting),
        Misconception("a change of size taken for a misfit",
                      "A pool may make the picture smaller and fit: what counts is whether anything is left over.",
                      _changed),
        Misconception("odd sizes taken for misfits",
                      "An odd output is not a misfit. The next layer may be one, if it halves.", _odd),
        Misconception("height and width swapped", "The height comes first.",
                      lambda size, layers: (tuple(s[::-1] for s in _right(size, layers)[0]), _right(size, layers)[1])),
        Misconception("the picture's size listed too",
                      "The first list has one size for each layer, what comes *after* it.",
                      lambda size, layers: ((size, *_right(size, layers)[0]), _right(size, layers)[1])),
        Misconception("stride ignored", "The window moves by the stride: with stride 2 about half of the rows remain.",
                      _follow(out=lambda n, k, s, p: n - k + 2 * p + 1)),
    )
    hints = (
        "One layer, one axis first: how far can the window move, and does the stride lead exactly to the end?",
        "Loop over the layers with enumerate, and keep the current height and width. For each axis the way is "
        "W - F + 2 P: its remainder decides, and a negative way is the end.",
        "Compute both ways. If one is negative, note the number and stop. If one has a remainder when divided by the "
        "stride, note the number. Then replace height and width by way // stride + 1 and note the pair.",
    )
