"""The networks that the course talks about, in their authors' sizes; building one allocates no weights."""

from cnncourse.zoo.alexnet import alexnet, zfnet
from cnncourse.zoo.all_convolutional import all_convolutional
from cnncourse.zoo.googlenet import googlenet
from cnncourse.zoo.lenet import lenet5
from cnncourse.zoo.resnet import resnet18, resnet34, resnet50, resnet101, resnet152
from cnncourse.zoo.vgg import vgg11, vgg13, vgg16, vgg19

__all__ = [
    "alexnet",
    "all_convolutional",
    "googlenet",
    "lenet5",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "zfnet",
]
