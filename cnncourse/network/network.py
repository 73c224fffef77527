"""A network: a graph of layers with weights, that runs forward and backward."""

from __future__ import annotations

from cnncourse.network.graph import Graph
from cnncourse.network.summary import Summary, summarize


class Network(Graph):
    """A graph of layers."""

    def summary(self) -> Summary:
        """What the network is made of, as a table.

        Returns
        -------
        Summary
        """
        return summarize(self)

    def __repr__(self) -> str:
        return (f"<Network {self.name}: {len(self.nodes)} layers, {self.input_shape} to {self.output_shape}, "
                f"{self.parameter_count():,} parameters>")
