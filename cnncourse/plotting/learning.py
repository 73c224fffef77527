"""Figures of learning: scores that become a loss, where training begins, how it steps, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

from cnncourse import functional as F
from cnncourse.plotting.illustration import BLUE, GRAY, GREEN, ORANGE, RED, SKY, Illustration, illustrated

LINES = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "^"), (RED, ":", "D"), (SKY, "-", "v"))
"""Colors with a dash and a marker each, so that no color is needed."""


START = np.array([-4.0, 0.9])
"""Where the paths downhill begin."""


@illustrated
def probability_bars(scores: np.ndarray, label: int) -> Illustration:
    """The scores of one sample, the probabilities that softmax makes of them, and the loss.

    Parameters
    ----------
    scores : array of shape (K,)
    label : int
        The right class.

    Returns
    -------
    Illustration
    """
    row = np.asarray(scores, np.float64)[np.newaxis]
    probabilities = F.softmax(row)[0]
    loss = F.cross_entropy(row, np.array([label]))
    classes = range(row.shape[1])
    figure = Illustration(7.0, 2.9)
    for axes, values, name in zip(figure.subplots(1, 2), (row[0], probabilities), ("score", "probability"),
                                  strict=True):
        bars = axes.bar(classes, values, color=SKY, edgecolor="black", linewidth=0.6)
        bars[label].set(facecolor=ORANGE, hatch="//")
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set(xlabel="class", ylabel=name, xticks=list(classes))
    probability = probabilities[label]
    axes.set_title(f"right class (hatched): {probability:.3g}\nloss −log({probability:.3g}) = {loss:.3g}")
    figure.alt = (f"Bars of the scores of {row.shape[1]} classes, {_listed(row[0])}, and of the probabilities, "
                  f"{_listed(probabilities)}. The right class is {label}: its probability is {probability:.3g} and the "
                  f"loss {loss:.3g}.")
    return figure


@illustrated
def signal_sizes(
    scales: Mapping[str, Callable[[np.ndarray], np.ndarray]], layers: int = 10, channels: int = 16, seed: int = 0
) -> Illustration:
    """How large numbers are after each of many layers, for several ways to begin.

    Parameters
    ----------
    scales : mapping of str to callable
        Each takes random numbers in the shape of a weight, (channels, channels, 3, 3), and returns weights.
    layers : int, optional
        Convolutions of 3x3, each followed by a ReLU.
    channels : int, optional
    seed : int, optional

    Returns
    -------
    Illustration
        The root of the mean square of what each layer is given, on a logarithmic axis.
    """
    figure = Illustration(7.0, 3.4)
    axes = figure.subplots()
    ends = {}
    for (name, scale), (color, dash, marker) in zip(scales.items(), LINES, strict=False):
        rng = np.random.default_rng(seed)
        x: np.ndarray = rng.standard_normal((8, channels, 8, 8))
        sizes = [_size(x)]
        for _ in range(layers):
            noise = rng.standard_normal((channels, channels, 3, 3))
            # Pictures whose ends meet, so that no zeros from beyond the border weaken the numbers.
            around = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="wrap")
            x = F.relu(F.conv2d(around, np.asarray(scale(noise), np.float64)))
            sizes.append(_size(x))
        axes.plot(range(layers + 1), sizes, color=color, linestyle=dash, marker=marker, label=name)
        ends[name] = sizes[-1]
    axes.set(yscale="log", xlabel="number of layers", ylabel="size of the numbers", xticks=range(0, layers + 1, 2))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = (f"How large the numbers are after up to {layers} layers; at first {1.0:.2g}. After the last: "
                  + "; ".join(f"{name}, {size:.2g}" for name, size in ends.items()) + ".")
    return figure


@illustrated
def descent_paths(
    step: Callable[..., tuple[np.ndarray, np.ndarray]], settings: Mapping[str, tuple[float, float]], steps: int = 40
) -> Illustration:
    """Ways downhill in a narrow valley.

    Parameters
    ----------
    step : callable
        Called as step(weight, gradient, velocity, learning_rate, momentum, weight_decay), returns weight and velocity.
    settings : mapping of str to (learning_rate, momentum)
        Up to four.
    steps : int, optional

    Returns
    -------
    Illustration
        The loss is (w0^2 + 20 w1^2) / 2; contours, and the path from (-4, 0.9) for each setting.
    """
    slopes = np.array([1.0, 20.0])
    columns, rows = np.linspace(-4.6, 2.6, 120), np.linspace(-1.4, 1.4, 80)
    valley = (slopes[0] * columns**2 + slopes[1] * rows[:, np.newaxis] ** 2) / 2
    figure = Illustration(7.0, 1.75 * -(-len(settings) // 2) + 0.4)
    grid = figure.subplots(-(-len(settings) // 2), min(len(settings), 2), squeeze=False, sharey=True)
    ends = []
    for axes, (name, (rate, momentum)) in zip(grid.ravel(), settings.items(), strict=False):
        weight, velocity, path = START.copy(), np.zeros(2), [START]
        for _ in range(steps):
            weight, velocity = (np.asarray(a) for a in step(weight, slopes * weight, velocity, rate, momentum, 0.0))
            path.append(weight)
        loss = float(np.sum(slopes * weight**2) / 2)
        axes.contour(columns, rows, valley, levels=np.geomspace(0.05, 25, 9), colors=GRAY, linewidths=0.7)
        axes.plot(*np.transpose(path), color=BLUE, marker=".", markersize=5, linewidth=1)
        axes.plot(0, 0, marker="x", color=RED, markersize=9, markeredgewidth=2)
        axes.set(xlim=(-4.6, 2.6), ylim=(-1.4, 1.4), title=f"{name}\nloss after {steps} steps: {loss:.2g}")
        ends.append(f"{name}, {loss:.2g}")
    for axes in grid.ravel()[len(settings):]:
        axes.remove()
    figure.supxlabel("weight 0", fontsize=11.5)
    figure.supylabel("weight 1", fontsize=11.5)
    first = float(np.sum(slopes * START**2) / 2)
    figure.alt = (f"Contours of a valley twenty times as steep across as along, and the path of {steps} steps for each "
                  f"setting. The loss is {first:.3g} at the beginning and in the end: {'; '.join(ends)}.")
    return figure


@illustrated
def rate_schedule(
    schedule: Callable[[float, float, float, float], float], epochs: float, warmup: float, peak: float
) -> Illustration:
    """The learning rate in the course of the training.

    Parameters
    ----------
    schedule : callable
        Called as schedule(epoch, epochs, warmup, peak).
    epochs, warmup, peak : float

    Returns
    -------
    Illustration
    """
    times = np.linspace(0, epochs, 241)
    rates = np.array([float(schedule(float(time), epochs, warmup, peak)) for time in times])
    figure = Illustration(7.0, 2.7)
    axes = figure.subplots()
    axes.plot(times, rates, color=BLUE, linewidth=2)
    axes.axvspan(0, warmup, color=ORANGE, alpha=0.25, label="warm-up")
    axes.set(xlabel="epochs that have passed", ylabel="learning rate")
    axes.legend(frameon=False)
    top = int(rates.argmax())
    figure.alt = (f"The learning rate over {epochs:g} epochs: {rates[0]:.3g} at the beginning, largest after "
                  f"{times[top]:.3g} epochs with {rates[top]:.3g}, {rates[120]:.3g} at half of the time, "
                  f"{abs(rates[-1]):.3g} at the end.")
    return figure


@illustrated
def training_curves(losses: Sequence[float], accuracies: Mapping[str, Sequence[float]]) -> Illustration:
    """The loss of every batch with a running mean, and accuracies after each epoch.

    Parameters
    ----------
    losses : sequence of float
        One for each batch, in order.
    accuracies : mapping of str to sequence of float
        For instance "training" and "held out"; one number for each epoch.

    Returns
    -------
    Illustration
    """
    epochs = len(next(iter(accuracies.values())))
    per_epoch = len(losses) / epochs
    times = (np.arange(len(losses)) + 1) / per_epoch
    width = max(1, round(per_epoch / 2))
    figure = Illustration(7.0, 3.2)
    left, right = figure.subplots(1, 2)
    left.plot(times, losses, color=SKY, linewidth=0.8, label="each batch")
    left.plot(times[width - 1:], _running(losses, width), color=BLUE, linewidth=2.2,
              label=f"mean of {width}")
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    left.legend(frameon=False)
    said = []
    for (name, values), (color, dash, marker) in zip(accuracies.items(), LINES, strict=False):
        right.plot(range(1, epochs + 1), values, color=color, linestyle=dash, marker=marker, label=name)
        said.append(f"{name} from {values[0]:.1%} after the first epoch to {values[-1]:.1%} after the last")
    right.set(xlabel="epoch", ylabel="accuracy", ylim=(min(0.9, min(map(min, accuracies.values())) - 0.01), 1.005))
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    right.legend(frameon=False, loc="lower right")
    figure.alt = (f"Left: the loss of {len(losses)} batches falls from {losses[0]:.3g} to a mean of "
                  f"{np.mean(losses[-width:]):.2g} over the last {width}. Right: accuracy, {'; '.join(said)}.")
    return figure


@illustrated
def losses_compared(losses: Mapping[str, Sequence[float]], width: int = 10) -> Illustration:
    """Running means of the losses of several trainings.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        Up to five; what is infinite or not a number is left out.
    width : int, optional
        Number of batches in each mean.

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 3.2)
    axes = figure.subplots()
    ends = []
    for (name, values), (color, dash, _) in zip(losses.items(), LINES, strict=False):
        means = _running(values, width)
        finite = np.isfinite(means)
        axes.plot(np.flatnonzero(finite) + width, means[finite], color=color, linestyle=dash, linewidth=2, label=name)
        ends.append(f"{name}, {means[-1]:.3g}" if finite[-1] else f"{name}, no number any more")
    axes.set(xlabel="batch", ylabel=f"loss (mean of {width} batches)", yscale="log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.alt = f"Losses of {len(losses)} trainings, batch by batch. In the end: {'; '.join(ends)}."
    return figure


@illustrated
def accuracy_by_samples(
    counts: Sequence[int], accuracies: Mapping[str, Mapping[str, Sequence[float]]]
) -> Illustration:
    """Accuracies for trainings on more and more samples.

    Parameters
    ----------
    counts : sequence of int
        Numbers of training samples, rising.
    accuracies : mapping of str to mapping of str to sequence of float
        A panel for each title, a line for each name, a number for each count.

    Returns
    -------
    Illustration
    """
    figure = Illustration(7.0, 3.3)
    panels = np.atleast_1d(figure.subplots(1, len(accuracies), sharey=True))
    said = []
    for axes, (title, lines) in zip(panels, accuracies.items(), strict=True):
        for (name, values), (color, dash, marker) in zip(lines.items(), LINES, strict=False):
            axes.plot(counts, values, color=color, linestyle=dash, marker=marker, label=name)
            said.append(f"{title}, {name}: " + ", ".join(f"{value:.0%}" for value in values))
        _samples_axis(axes, counts)
        axes.set_title(title)
    panels[0].set_ylabel("accuracy")
    panels[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    figure.legend(*panels[0].get_legend_handles_labels(), frameon=False, loc="outside lower center", ncols=3)
    figure.alt = (f"Accuracies after training on {', '.join(map(str, counts))} samples. {'; '.join(said)}.")
    return figure


def _samples_axis(axes: Axes, counts: Sequence[int]) -> None:
    axes.set(xscale="log", xlabel="training samples")
    axes.set_xticks(list(counts), [f"{count:,}" for count in counts])
    axes.xaxis.set_minor_formatter(NullFormatter())


def _running(values: Sequence[float], width: int) -> np.ndarray:
    """Means of `width` values that follow each other; shorter ones where there are not so many."""
    width = min(width, len(values))
    with np.errstate(invalid="ignore", over="ignore"):
        return np.convolve(np.asarray(values, np.float64), np.full(width, 1 / width), mode="valid")


def _size(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))


def _listed(values: np.ndarray) -> str:
    return ", ".join(f"{value:.2g}" for value in values).replace("-", "−")
