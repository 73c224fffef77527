"""Networks as one line of text: INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> [FC -> RELU]*1 -> FC."""

from cnncourse.pattern.building import parse
from cnncourse.pattern.describing import describe

__all__ = ["describe", "parse"]
