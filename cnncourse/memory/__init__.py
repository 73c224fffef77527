"""Memory accounting: what a training step or a pass takes, and the largest batch that fits."""

from cnncourse.memory.accounting import Account, LayerMemory, account, max_batch_size

__all__ = ["Account", "LayerMemory", "account", "max_batch_size"]
