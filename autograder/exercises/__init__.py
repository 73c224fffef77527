"""The exercises of the course, a package per notebook; importing this declares them all, in the course's order."""

from autograder.exercises import local_connectivity  # isort: skip
from autograder.exercises import parameter_sharing  # isort: skip
from autograder.exercises import pooling  # isort: skip
from autograder.exercises import fc_to_conv  # isort: skip
from autograder.exercises import architectures  # isort: skip
from autograder.exercises import memory  # isort: skip
from autograder.exercises import training  # isort: skip

__all__ = ["architectures", "fc_to_conv", "local_connectivity", "memory", "parameter_sharing", "pooling", "training"]
