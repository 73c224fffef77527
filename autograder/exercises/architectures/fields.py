"""Stacks of layers: what a neuron on top sees of the picture, and what a stack costs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from autograder.exercises import words
from autograder.exercises.architectures.patterns import NOTEBOOK
from autograder.exercises.making import in_answer
from autograder.exercises.written import Written
from autograder.judging.exercise import Case, Misconception, exercise
from cnncourse import geometry
from cnncourse.layers import Conv2d, ReLU
from cnncourse.network import Network

ALEXNET = ((11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1))
VGG = tuple(layer for count in (2, 2, 3, 3, 3) for layer in (((3, 1, 1),) * count + ((2, 2, 1),)))


def _seen(layers):
    """A right answer, of which wrong ones are edits."""
    size, step = 1, 1
    for kernel, stride, dilation in layers:
        size += dilation * (kernel - 1) * step
        step *= stride
    return size


FIELD = Written.of(_seen)


@exercise("stack_receptive_field", notebook=NOTEBOOK, points=2)
class StackReceptiveField:
    """How many inputs a neuron on top of a stack of layers can see, along one axis.

    `layers` lists the layers from the input upwards, each as (kernel_size, stride, dilation); convolution and pooling
    follow the same rule. Count the inputs from the first to the last that the neuron depends on, both included.
    """

    lists = ("layers",)

    def stack_receptive_field(layers):
        return geometry.receptive_field([geometry.Window(k, stride=s, dilation=d) for k, s, d in layers]).size

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield Case("one layer", (((5, 1, 1),),))
        yield Case("three layers of 3", (((3, 1, 1),) * 3,))
        yield Case("a layer of 7", (((7, 1, 1),),))
        yield Case("different kernels", (((3, 1, 1), (5, 1, 1), (1, 1, 1), (2, 1, 1)),))
        yield Case("pooling on top", (((3, 1, 1), (2, 2, 1)),))
        yield Case("pooling below", (((2, 2, 1), (3, 1, 1)),))
        yield Case("two strides below a layer", (((7, 2, 1), (3, 2, 1), (3, 1, 1)),))
        yield Case("three strides, all different", (((5, 3, 1), (3, 2, 1), (4, 4, 1), (3, 1, 1)),))
        yield Case("dilations 1, 2, 4", (((3, 1, 1), (3, 1, 2), (3, 1, 4)),))
        yield Case("strides and dilations", (((3, 2, 1), (3, 1, 2), (3, 2, 3), (4, 1, 2)),))
        yield Case("a stride larger than the kernel", (((1, 2, 1), (3, 3, 1), (2, 1, 1)),))
        yield Case("no layer at all", ((),))
        yield Case("AlexNet up to its last convolution", (ALEXNET,))
        yield Case("VGG-16 up to its last pool", (VGG,))
        count = int(rng.integers(4, 7))
        drawn = zip(rng.integers(2, 7, count), rng.integers(2, 4, count), rng.integers(1, 4, count), strict=True)
        yield Case("drawn at random", (tuple((int(k), int(s), int(d)) for k, s, d in drawn),))

    misconceptions = (
        Misconception(*words.STRIDE_IGNORED, FIELD.edited({"step *= stride": "pass"}),
                      detail="Below a layer with stride 2 neighbors are two inputs apart: from then on each further "
                             "step reaches twice as far."),
        Misconception("dilation left out", "A kernel with gaps between its taps reaches further than one without.",
                      FIELD.edited({"dilation * ": ""})),
        Misconception("kernels added up",
                      "Windows of neighboring neurons overlap: a further layer adds its kernel size less one, not the "
                      "whole of it.", lambda layers: sum(kernel for kernel, _, _ in layers),
                      also=(FIELD.edited({"(kernel - 1)": "kernel"}),
                            FIELD.edited({"(kernel - 1)": "kernel", "1, 1": "0, 1"}),
                            FIELD.edited({"dilation * (kernel - 1)": "(dilation * (kernel - 1) + 1)", "1, 1": "0, 1"}),
                            FIELD.edited({"dilation * (kernel - 1)": "(dilation * (kernel - 1) + 1)"}))),
        Misconception("kernels multiplied",
                      "Three layers of 3 do not see 27 inputs: count them in the picture of part 4.",
                      lambda layers: math.prod(kernel for kernel, _, _ in layers)),
        Misconception("a layer's own stride counted",
                      "The stride of a layer says how far its *outputs* are apart. It matters to the layers above it, "
                      "not to its own window.", FIELD.edited({"* step": "* step * stride"})),
        Misconception("only the stride just below",
                      "Strides multiply: after two layers of stride 2 neighbors are four inputs apart.",
                      FIELD.edited({"*=": "="})),
        Misconception(*words.STRIDES_ADDED, FIELD.edited({"*=": "+="}),
                      also=(FIELD.edited({"*= stride": "+= stride - 1"}),)),
        Misconception("dilation counted in holes",
                      "Dilation is the distance from tap to tap: 1 is the kernel without gaps.",
                      FIELD.edited({"dilation * ": "(dilation + 1) * "})),
        Misconception("dilation times the kernel size",
                      "A kernel of F taps has F - 1 gaps between them, and only those are stretched.",
                      FIELD.edited({"dilation * (kernel - 1)": "(dilation * kernel - 1)"})),
        Misconception("dilation handed on to later layers",
                      "A dilated layer still has an output for every input: the distance of its outputs is its "
                      "stride, whatever its dilation.", FIELD.edited({"*= stride": "*= stride * dilation"}),
                      also=(FIELD.edited({"dilation * ": "", "*= stride": "*= stride * dilation"}),)),
        Misconception("the last layer alone",
                      "Each input of the last layer sees a block of the layer below, and so on down.",
                      FIELD.edited({"in layers": "in layers[-1:]"})),
        Misconception("only the largest window",
                      "The windows of all layers add to the field, not only the largest one.",
                      lambda layers: max((dilation * (kernel - 1) + 1 for kernel, _, dilation in layers), default=1)),
        Misconception("the stack upside down",
                      "The list begins at the input: it is the strides *before* a layer in the list that count for it.",
                      FIELD.edited({"in layers": "in layers[::-1]"})),
        Misconception("begun with zero",
                      "With no layer at all a neuron is its own input: the field begins with one input, not with none.",
                      FIELD.edited({"1, 1": "0, 1"})),
        Misconception("one step too many",
                      "From the first to the last of r neighbors there are r - 1 steps. Going down through a stride, "
                      "the field grows by that many strides.",
                      FIELD.edited({"in layers": "in layers[::-1]", "size +=": "size = size * stride +",
                                    " * step": ""})),
        Misconception("the field multiplied on the way up",
                      "Going up, a stride does not stretch what is seen already. It makes the steps of the layers "
                      "above longer.", FIELD.edited({"size +=": "size = size * stride +", " * step": ""}),
                      also=(FIELD.edited({" * step": "", "step *=": "size *="}),)),
        Misconception("the area instead of the side", "Asked for is the number of inputs along one axis.",
                      FIELD.returning("size ** 2")),
    )
    hints = (
        "How far does one step to the right at the top lead at the bottom, if a layer between has stride 2?",
        "Keep two numbers: how many inputs are seen so far, and how many inputs apart two neighbors are. Both begin "
        "with 1. Which one does a layer change first?",
        "A layer adds d * (F - 1) steps, each as long as neighbors below it are apart; after that its own stride makes "
        "neighbors S times as far apart.",
    )


def _stack(channels: int, height: int, width: int, kernel_sizes: tuple[int, ...]) -> Network:
    network = Network((channels, height, width))
    for size in kernel_sizes:
        network.add(Conv2d(channels, size, padding=size // 2))
        network.add(ReLU())
    return network


def _shrunk(height: int, width: int, kernel_sizes: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Kernel and number of positions of each layer, if nothing is padded."""
    for size in kernel_sizes:
        height, width = height - size + 1, width - size + 1
        yield size, height * width


ALL_LIKE_FIRST = "all layers like the first", "The kernels may differ from layer to layer."


@exercise("stack_cost", notebook=NOTEBOOK, points=3,
          answers=("stack_parameters", "stack_multiply_adds", "stack_kept"), tolerance=1e-12)
class StackCost:
    """What a stack of convolutions costs: parameters, multiply-adds, and numbers kept for the backward pass.

    All layers have `channels` channels in and out; `kernel_sizes` lists their square kernels. Stride is 1, and padding
    keeps height and width. Parameters are weights and biases. Multiply-adds are counted without biases. The output of
    each convolution is kept, one number per position and channel; ReLUs work in place and add nothing, and the input
    of the stack is not counted.
    """

    lists = ("kernel_sizes",)

    def stack_parameters(channels, kernel_sizes):
        return _stack(channels, 1, 1, kernel_sizes).parameter_count()

    def stack_multiply_adds(channels, height, width, kernel_sizes):
        return _stack(channels, height, width, kernel_sizes).multiply_adds()

    def stack_kept(channels, height, width, kernel_sizes):
        return _stack(channels, height, width, kernel_sizes).activation_count() - channels * height * width

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        channels, height, width = (int(n) for n in rng.choice(np.arange(10, 40), 3, replace=False))
        sizes = tuple(int(n) for n in rng.choice([3, 5, 7], 3, replace=False))
        stacks = (("one channel, one layer of 7", 1, 9, 9, (7,)),
                  ("one channel, three layers of 3", 1, 9, 9, (3, 3, 3)),
                  ("64 channels, one layer of 7", 64, 16, 16, (7,)),
                  ("64 channels, three layers of 3", 64, 16, 16, (3, 3, 3)),
                  ("taller than wide", 8, 24, 10, (5, 3)), ("wider than tall", 6, 11, 30, (3, 1, 3)),
                  ("drawn at random", channels, height, width, sizes))
        for name, c, h, w, kernels in stacks:
            yield Case(name, (c, kernels), "stack_parameters")
            yield Case(name, (c, h, w, kernels), "stack_multiply_adds")
            yield Case(name, (c, h, w, kernels), "stack_kept")

    misconceptions = (
        Misconception(*words.BIASES_FORGOTTEN, lambda c, ks: sum(k * k * c * c for k in ks)),
        Misconception("biases of one layer only", "Every layer of the stack has biases of its own.",
                      lambda c, ks: sum(k * k * c * c for k in ks) + c),
        Misconception(*words.ONE_BIAS, lambda c, ks: sum(k * k * c * c + 1 for k in ks)),
        Misconception(*words.BIAS_FOR_EACH_CHANNEL, lambda c, ks: sum((k * k + 1) * c * c for k in ks)),
        Misconception("channels left out",
                      "49 against 27 counts one filter of one channel. A filter spans all channels of its input, and "
                      "there is one filter for each channel of the output.", lambda c, ks: sum(k * k for k in ks),
                      also=(lambda c, ks: sum(k * k + 1 for k in ks),)),
        Misconception("channels counted once",
                      "Two numbers of channels matter: how deep each filter is, and how many filters there are.",
                      lambda c, ks: sum(k * k * c + c for k in ks), also=(lambda c, ks: sum(k * k * c for k in ks),)),
        Misconception(*words.KERNEL_NOT_SQUARED, lambda c, ks: sum(k * c * c + c for k in ks)),
        Misconception("one layer with the whole field",
                      "The stack has the field of one large filter, but not its weights: add up the layers.",
                      lambda c, ks: (sum(k - 1 for k in ks) + 1) ** 2 * c * c + c),
        Misconception(*words.FIRST_LAYER, lambda c, ks: ks[0] ** 2 * c * c + c),
        Misconception(*ALL_LIKE_FIRST, lambda c, ks: len(ks) * (ks[0] ** 2 * c * c + c)),
        *in_answer(
            "stack_multiply_adds",
            Misconception(*words.BIASES_AS_WORK, lambda c, h, w, ks: sum((k * k * c + 1) * c * h * w for k in ks)),
            Misconception(*words.WORK_WITHOUT_POSITIONS, lambda c, h, w, ks: sum(k * k * c * c for k in ks),
                          also=(lambda c, h, w, ks: sum(k * k * c * c + c for k in ks),)),
            Misconception("work of one channel only",
                          "Each output number is a sum over all channels of the input, and there is one for each "
                          "filter.", lambda c, h, w, ks: sum(k * k * c * h * w for k in ks)),
            Misconception(*words.COUNTED_APART, lambda c, h, w, ks: 2 * sum(k * k * c * c * h * w for k in ks)),
            Misconception(*words.KERNEL_NOT_SQUARED, lambda c, h, w, ks: sum(k * c * c * h * w for k in ks)),
            Misconception(*words.PADDING_IGNORED,
                          lambda c, h, w, ks: sum(k * k * c * c * n for k, n in _shrunk(h, w, ks))),
            Misconception(*words.SQUARE_INPUTS, lambda c, h, w, ks: sum(k * k * c * c * h * h for k in ks),
                          also=(lambda c, h, w, ks: sum(k * k * c * c * w * w for k in ks),)),
            Misconception(*ALL_LIKE_FIRST, lambda c, h, w, ks: len(ks) * ks[0] ** 2 * c * c * h * w),
        ),
        *in_answer(
            "stack_kept",
            Misconception("last output left out", "The output of every convolution is counted, the last one's too.",
                          lambda c, h, w, ks: (len(ks) - 1) * c * h * w),
            Misconception("only the last output kept",
                          "The backward pass goes through every layer of the stack and needs what went into each of "
                          "them.", lambda c, h, w, ks: c * h * w),
            Misconception("input counted",
                          "The input is there whatever the stack; here only what the stack adds is counted.",
                          lambda c, h, w, ks: (len(ks) + 1) * c * h * w),
            Misconception("ReLUs counted too", "A ReLU in place overwrites its input: nothing is stored a second time.",
                          lambda c, h, w, ks: 2 * len(ks) * c * h * w),
            Misconception("one map for each layer", "Each layer gives as many maps as there are channels.",
                          lambda c, h, w, ks: len(ks) * h * w),
            Misconception(*words.PADDING_IGNORED, lambda c, h, w, ks: sum(c * n for _, n in _shrunk(h, w, ks))),
            Misconception(*words.BYTES, lambda c, h, w, ks: 4 * len(ks) * c * h * w),
            Misconception("weights among what is kept",
                          "Parameters are counted by another function; here only what changes from picture to picture.",
                          lambda c, h, w, ks: sum(c * h * w + k * k * c * c + c for k in ks)),
        ),
    )
    hints = (
        "Count one layer first. What does one filter look like, and how many of them are there?",
        "Every layer's weights are used once at each position; every layer's output is as large as the input.",
        "A layer has K * K * C weights in each of its C filters, and one bias for each filter. Multiply the weights by "
        "height times width for the work, and C by height times width for what is kept. Add up over the layers.",
    )
