"""LeNet-5, as it was in 1998 and as it is built today."""

from __future__ import annotations

from typing import Literal

from cnncourse.layers import AvgPool2d, Conv2d, Flatten, Linear, RadialBasis, Tanh, TrainableAvgPool2d
from cnncourse.network import Network
from cnncourse.zoo.building import chain, choice, picture

CONNECTIONS = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
"""Table I of the paper: for each of C3's 16 feature maps those of S2 that it sees; three, four or all six of them."""

DIGITS = """
..###.. ...#... ..###.. .#####. .....#. ####### ..####. ####### ..###.. ..###..
.#...#. ..##... .#...#. #.....# ....##. #...... .#..... ......# .#...#. .#...#.
#.....# .#.#... #.....# ......# ...#.#. #...... #...... .....#. #.....# #.....#
#.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
#.....# ...#... .....#. .....#. .#...#. #.###.. #...... ....#.. .#...#. #.....#
#.....# ...#... ....#.. ..###.. #....#. ##...#. #.###.. ....#.. ..###.. .#...##
#.....# ...#... ...#... .....#. #....#. ......# ##...#. ...#... .#...#. ..###.#
#.....# ...#... ..#.... ......# ####### ......# #.....# ...#... #.....# ......#
#.....# ...#... .#..... ......# .....#. ......# #.....# ..#.... #.....# ......#
#.....# ...#... #...... ......# .....#. ......# #.....# ..#.... #.....# ......#
.#...#. ...#... #...... #.....# .....#. #....#. .#...#. .#..... .#...#. .....#.
..###.. .#####. ####### .#####. .....#. .####.. ..###.. .#..... ..###.. .####..
"""
"""What the ten outputs compare F6 with: digits of 7 x 12 points. The paper draws others, in the same manner."""

AMPLITUDE = 1.7159
"""Of the paper's activation, 1.7159 tanh(2/3 a)."""


def lenet5(
    connections: Literal["full", "partial"] = "full", *, num_classes: int = 10, input_size: int | tuple[int, int] = 32
) -> Network:
    """LeNet-5, which read the digits on checks.

    Parameters
    ----------
    connections : {"full", "partial"}, optional
        "full" is the network as it is built today: every filter of the second convolution sees all feature maps,
        pooling is the mean of 2x2 windows, and the output is one more linear layer. "partial" is the network of 1998
        as a whole: the second convolution connects 60 of 96 pairs of maps, pooling multiplies by a coefficient and
        adds a bias, both learned for each map, and the output compares with fixed pictures of the digits.
    num_classes : int, optional
        10, and nothing else, for the network of 1998.
    input_size : int or (height, width), optional

    Returns
    -------
    Network

    Raises
    ------
    ArgumentError, GeometryError

    Notes
    -----
    | | parameters | multiply-adds | activations |
    |---|---|---|---|
    | full, 32 | 61,706 | 416,520 | 9,118 |
    | partial, 32 | 60,000 | 326,520 | 9,118 |

    60,000 parameters and, counted with biases and pooling, 340,908 connections are the paper's figures. There the
    activation is 1.7159 tanh(2/3 a). Both factors can be drawn into the weights before and after it, so that here it is
    tanh; only the fixed centers at the end, +1 and -1 in the paper, have to be divided by 1.7159.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner: Gradient-based learning applied to document recognition, 1998, section II.B.
    """
    choice("lenet5", "connections", connections, ("full", "partial"))
    network = picture("LeNet-5", 1, input_size)
    if connections == "full":
        chain(network, Conv2d(6, 5), Tanh(), AvgPool2d(2), Conv2d(16, 5), Tanh(), AvgPool2d(2),
              Flatten(), Linear(120), Tanh(), Linear(84), Tanh(), Linear(num_classes))
    else:
        choice('lenet5 with connections="partial"', "num_classes", num_classes, (10,))
        chain(network, Conv2d(6, 5), Tanh(), TrainableAvgPool2d(2), Tanh(), Conv2d(16, 5, connections=CONNECTIONS),
              Tanh(), TrainableAvgPool2d(2), Tanh(), Flatten(), Linear(120), Tanh(), Linear(84), Tanh(),
              RadialBasis(_centers()))
    return network


def _centers() -> tuple[tuple[float, ...], ...]:
    """The digits as rows of numbers."""
    rows = [line.split() for line in DIGITS.split("\n") if line]
    return tuple(tuple((1 if point == "#" else -1) / AMPLITUDE for row in rows for point in row[digit])
                 for digit in range(10))
