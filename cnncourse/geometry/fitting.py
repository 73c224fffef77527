"""Which settings fit, and the words for those that do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from cnncourse.geometry.padding import Padding, dilated_extent, resolved
from cnncourse.geometry.settings import whole

FARTHEST = 10_000
"""Settings that fit are looked for up to this distance from those given."""


@dataclass(frozen=True)
class Fit:
    """One setting that, changed alone, makes the window fit.

    Attributes
    ----------
    setting : {"stride", "padding", "kernel_size", "input_size"}
    value : int or (before, after)
        What to change the setting to; a pair only for padding that differs between the two sides.
    output_size : int
        The size that results.
    """

    setting: str
    value: int | tuple[int, int]
    output_size: int

    def __str__(self) -> str:
        return f"{self.setting} {self.value} gives {self.output_size}"


@dataclass(frozen=True)
class Settings:
    """A window along one axis; checked when it is made, with padding turned into (before, after)."""

    input_size: int
    kernel_size: int
    stride: int
    padding: Padding
    dilation: int

    def __post_init__(self) -> None:
        for name in ("input_size", "kernel_size", "stride", "dilation"):
            object.__setattr__(self, name, whole(name, getattr(self, name), 1))
        sides = resolved(self.input_size, self.kernel_size, self.stride, self.padding, self.dilation)
        object.__setattr__(self, "padding", sides)

    @property
    def sides(self) -> tuple[int, int]:
        """Padding before and after."""
        assert isinstance(self.padding, tuple)
        return self.padding

    @property
    def free(self) -> int:
        """How far the window can move; negative if it does not fit."""
        return self.input_size + sum(self.sides) - dilated_extent(self.kernel_size, self.dilation)

    @property
    def fits(self) -> bool:
        """Whether the last window ends exactly where the padded input ends."""
        return self.free >= 0 and self.free % self.stride == 0


def fits(input_size: int, kernel_size: int, stride: int = 1, padding: Padding = 0, dilation: int = 1) -> bool:
    """Whether windows cover the padded input exactly, with nothing left over.

    Parameters
    ----------
    input_size, kernel_size, stride, padding, dilation
        One axis, as in `output_size`.

    Returns
    -------
    bool

    Raises
    ------
    ArgumentError
        If a setting is not a whole number, or too small.

    Notes
    -----
    True if W + 2 P is at least d (F - 1) + 1 and S divides the difference.
    """
    return Settings(input_size, kernel_size, stride, padding, dilation).fits


def nearest_fits(
    input_size: int, kernel_size: int, stride: int = 1, padding: Padding = 0, dilation: int = 1
) -> tuple[Fit, ...]:
    """Settings that fit exactly, each one change away, the change as small as it can be.

    Parameters
    ----------
    input_size, kernel_size, stride, padding, dilation
        One axis, as in `output_size`.

    Returns
    -------
    tuple of Fit
        For stride, padding, kernel size and input size the nearest value that fits, the smaller of two that are
        equally near, where there is one. Padding appears twice if the nearest that is alike on both sides
        is not the nearest of all. Empty if the given settings fit.

    Raises
    ------
    ArgumentError
        If a setting is not a whole number, or too small.

    Examples
    --------
    >>> [str(fit) for fit in nearest_fits(10, 3, stride=2)]
    ['stride 1 gives 8', 'padding (0, 1) gives 5', 'kernel_size 2 gives 5', 'input_size 9 gives 4']
    """
    given = Settings(input_size, kernel_size, stride, padding, dilation)
    return () if given.fits else tuple(_nearest(given))


def _nearest(given: Settings) -> Iterator[Fit]:
    before, after = given.sides
    # Within this distance from the given value every remainder of the division by the stride occurs. What is too far
    # off to be of help is not looked for.
    reach = min(max(-given.free, 0) + given.stride, FARTHEST)
    strides = (replace(given, stride=value) for value in _outwards(given.stride, 1, given.free))
    spread = (replace(given, padding=(before + more // 2, after + more - more // 2)) for more in range(reach + 1))
    alike = (replace(given, padding=value) for value in _outwards(max(before, after), 0, after + before + reach))
    kernels = (replace(given, kernel_size=v) for v in _outwards(given.kernel_size, 1, given.kernel_size + reach))
    inputs = (replace(given, input_size=v) for v in _outwards(given.input_size, 1, given.input_size + reach))
    found: list[Fit] = []
    for setting, candidates in (("stride", strides), ("padding", spread), ("padding", alike),
                                ("kernel_size", kernels), ("input_size", inputs)):
        fitting = next((one for one in candidates if one.fits), None)
        if fitting is not None:
            fit = Fit(setting, _value(fitting, setting), fitting.free // fitting.stride + 1)
            if fit not in found:
                found.append(fit)
    yield from found


def _outwards(start: int, lowest: int, highest: int) -> Iterator[int]:
    """Numbers from lowest to highest, nearest to start first, the smaller of two equally near first."""
    for distance in range(min(max(start - lowest, highest - start), FARTHEST) + 1):
        if lowest <= start - distance <= highest:
            yield start - distance
        if distance and lowest <= start + distance <= highest:
            yield start + distance


def _value(settings: Settings, name: str) -> int | tuple[int, int]:
    value: int | tuple[int, int] = getattr(settings, name)
    return value[0] if isinstance(value, tuple) and value[0] == value[1] else value


def not_whole(settings: Settings) -> str:
    """The words for a stride that does not divide evenly."""
    size = float(Fraction(settings.free, settings.stride)) + 1
    return (f"({_sum(settings)})/{settings.stride} + 1 = {_decimal(size)} is not a whole number; "
            f"{_offers(settings)}; rounding 'floor' gives {int(size)}, 'ceil' gives {int(size) + 1}")


def too_large(settings: Settings) -> str:
    """The words for a window that is larger than the padded input."""
    extent = dilated_extent(settings.kernel_size, settings.dilation)
    before, after = settings.sides
    window = f"a window of {settings.kernel_size}"
    if settings.dilation > 1:
        window += (f" taps with dilation {settings.dilation}, which spans "
                   f"{settings.dilation}*({settings.kernel_size} - 1) + 1 = {extent},")
    return (f"{window} does not fit into {settings.input_size} + {before} + {after} = "
            f"{settings.input_size + before + after} padded inputs; {_offers(settings)}")


def _sum(settings: Settings) -> str:
    """W - F + 2*P with the numbers put in."""
    before, after = settings.sides
    kernel = (f"{settings.kernel_size}" if settings.dilation == 1
              else f"({settings.dilation}*({settings.kernel_size} - 1) + 1)")
    padding = f"2*{before}" if before == after else f"{before} + {after}"
    return f"{settings.input_size} - {kernel} + {padding}"


def _offers(settings: Settings) -> str:
    return ", ".join(str(fit) for fit in _nearest(settings)) or "no setting near these fits"


def _decimal(number: float) -> str:
    text = f"{number:.3f}".rstrip("0")
    return repr(number) if text.endswith(".") else text
