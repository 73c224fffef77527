"""Memory accounting: what a training step or a pass takes, and the largest batch that fits."""

from cnncourse.memory.accounting import OPTIMIZERS, Account, LayerMemory, account, max_batch_size

__all__ = ["OPTIMIZERS", "Account", "LayerMemory", "account", "max_batch_size"]
