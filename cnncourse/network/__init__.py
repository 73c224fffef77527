"""Networks as graphs of layers: shapes, weights, forward, backward, summary."""

from cnncourse.network.graph import Graph, Node
from cnncourse.network.network import Network
from cnncourse.network.summary import Summary

__all__ = ["Graph", "Network", "Node", "Summary"]
