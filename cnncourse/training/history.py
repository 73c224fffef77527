"""What training has to tell."""

from __future__ import annotations

from dataclasses import dataclass

from cnncourse.training.evaluation import Evaluation


@dataclass(frozen=True)
class Epoch:
    """One pass over the training samples.

    Attributes
    ----------
    number : int
        From 1.
    loss, accuracy : float
        Means over the batches, each as it was before the step that it led to.
    validation : Evaluation or None
        At the end of the epoch, on samples that were not trained on.
    learning_rate : float
        At the end of the epoch.
    seconds : float
        Without the validation.
    """

    number: int
    loss: float
    accuracy: float
    validation: Evaluation | None
    learning_rate: float
    seconds: float

    def __str__(self) -> str:
        beside = f", validation {self.validation}" if self.validation else ""
        return f"epoch {self.number}: loss {self.loss:.4f}, accuracy {self.accuracy:.2%}{beside}, {self.seconds:.1f} s"


@dataclass(frozen=True)
class History:
    """All epochs of a training, and how it ended; `str` has a line for each epoch.

    Attributes
    ----------
    epochs : tuple of Epoch
        Those that were completed.
    batch_losses : tuple of float
        The loss of every batch, in the order in which they came.
    interrupted : bool
        Whether somebody stopped it from the keyboard.
    """

    epochs: tuple[Epoch, ...]
    batch_losses: tuple[float, ...]
    interrupted: bool = False

    @property
    def losses(self) -> tuple[float, ...]:
        """Mean loss of each epoch."""
        return tuple(epoch.loss for epoch in self.epochs)

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Accuracy on the training samples in each epoch."""
        return tuple(epoch.accuracy for epoch in self.epochs)

    @property
    def validation_losses(self) -> tuple[float, ...]:
        """Loss on the validation samples after each epoch; empty if there were none."""
        return tuple(epoch.validation.loss for epoch in self.epochs if epoch.validation)

    @property
    def validation_accuracies(self) -> tuple[float, ...]:
        """Accuracy on the validation samples after each epoch; empty if there were none."""
        return tuple(epoch.validation.accuracy for epoch in self.epochs if epoch.validation)

    @property
    def seconds(self) -> tuple[float, ...]:
        """How long each epoch took, without the validation."""
        return tuple(epoch.seconds for epoch in self.epochs)

    def __str__(self) -> str:
        end = ["interrupted"] if self.interrupted else []
        return "\n".join([*map(str, self.epochs), *end])
