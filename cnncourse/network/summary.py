"""A network as a table, in text and in HTML."""

from __future__ import annotations

from dataclasses import dataclass

from cnncourse.layers.base import size_of
from cnncourse.network.graph import INPUT, Graph
from cnncourse.network.table import html_table, short, text_table

HEADERS = ("node", "layer", "reads", "output shape", "parameters", "multiply-adds", "activation bytes")
ITEMSIZE = 4
"""Bytes of a number in single precision."""


@dataclass(frozen=True)
class Row:
    """One node of a summary.

    Attributes
    ----------
    name, layer, reads : str
    output_shape : tuple of int
    parameters, multiply_adds : int
    activation_bytes : int
        Of one sample in single precision; 0 where a layer can work in place.
    """

    name: str
    layer: str
    reads: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation_bytes: int


@dataclass(frozen=True)
class Summary:
    """What a network is made of and what it costs for one sample; shown as a table.

    Attributes
    ----------
    name : str
    rows : tuple of Row
        The input, then each node.
    """

    name: str
    rows: tuple[Row, ...]

    @property
    def total(self) -> Row:
        """Sums over all rows."""
        return Row("total", f"{len(self.rows) - 1} layers", "", (), sum(row.parameters for row in self.rows),
                   sum(row.multiply_adds for row in self.rows), sum(row.activation_bytes for row in self.rows))

    def __str__(self) -> str:
        return f"{self.name}\n{text_table(HEADERS, self._cells(), numbers=3, totals=1)}"

    def _repr_html_(self) -> str:
        return html_table(self.name, HEADERS, self._cells(), numbers=3, totals=1)

    def _cells(self) -> list[tuple[str, ...]]:
        return [(row.name, row.layer, row.reads, " x ".join(map(str, row.output_shape)), f"{row.parameters:,}",
                 f"{row.multiply_adds:,}", f"{row.activation_bytes:,}") for row in (*self.rows, self.total)]


def summarize(graph: Graph) -> Summary:
    """Table of a network's nodes.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    Summary
    """
    rows = [Row(INPUT, "", "", graph.input_shape, 0, 0, ITEMSIZE * size_of(graph.input_shape))]
    before = INPUT
    for node in graph.nodes:
        # In a plain chain every node reads the one before it, and saying so would only be noise.
        reads = "" if node.inputs == (before,) else ", ".join(node.inputs)
        stored = ITEMSIZE * size_of(node.output_shape) if node.layer.stored else 0
        rows.append(Row(node.name, short(repr(node.layer)), reads, node.output_shape, node.parameter_count,
                        node.multiply_adds, stored))
        before = node.name
    return Summary(graph.name, tuple(rows))
