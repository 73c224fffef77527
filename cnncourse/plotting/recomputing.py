"""Figures of memory in time: what is held when, and what it saves to compute things twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from cnncourse.memory.rehearsal import Ledger, rehearse
from cnncourse.network import schedule
from cnncourse.network.graph import Graph
from cnncourse.plotting.illustration import BLUE, GRAY, INK, ORANGE, PALE, SKY, Illustration, illustrated
from cnncourse.plotting.memory import KINDS, MIB, size_text


@dataclass
class _Diary(Ledger):
    """A ledger that remembers every moment."""

    moments: list[tuple[str, dict[str, int]]] = field(default_factory=list)

    def note(self, moment: str, passing: int = 0) -> None:
        super().note(moment, passing)
        self.moments.append((moment, {**self.now, "workspace": self.now["workspace"] + passing}))


def _moments(network: Graph, batch_size: int, training: bool, recompute: bool) -> _Diary:
    """Every moment of a training step with one cache for each parameter, or of a pass without training."""
    plan = schedule.training(network, recompute) if training else schedule.inference(network)
    found = rehearse(network, plan, batch_size, np.dtype(np.float32), training, int(training), _Diary)
    return cast(_Diary, found.ledger)


@illustrated
def memory_timeline(network: Graph, batch_size: int) -> Illustration:
    """What is in memory at every moment: in inference, in training, and in training with recomputing.

    Parameters
    ----------
    network : Network
    batch_size : int

    Returns
    -------
    Illustration
        Three panels with one scale; memory by kind, stacked, from the first layer's forward pass to the optimizer's
        step (with momentum).
    """
    ways = {"inference": (False, False), "training": (True, False), "training, recomputing": (True, True)}
    diaries = {title: _moments(network, batch_size, *way) for title, way in ways.items()}
    figure = Illustration(7.4, 4.0)
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(0.7, 1.3, 1.5))
    told = []
    for axes, (title, diary) in zip(panels, diaries.items(), strict=True):
        _draw_moments(axes, title, diary)
        told.append(f"{title}: {size_text(diary.peak)}, in: {diary.moment}")
    panels[0].set(ylabel="MiB", ylim=(0, 1.12 * max(diary.peak for diary in diaries.values()) / MIB))
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside upper center", ncols=len(KINDS),
                  frameon=False, fontsize=9.5, handlelength=1.3, columnspacing=1.0)
    figure.alt = f"Memory of {network.name} with a batch of {batch_size} in time. Peaks: {'; '.join(told)}."
    return figure


def _draw_moments(axes: Axes, title: str, diary: _Diary) -> None:
    x = np.arange(len(diary.moments) + 1)
    bottom = np.zeros(len(x))
    for kind, (color, hatch) in KINDS.items():
        values = np.array([moment[kind] for _, moment in diary.moments]) / MIB
        top = bottom + np.append(values, values[-1])
        axes.fill_between(x, bottom, top, step="post", facecolor=color, hatch=hatch, edgecolor=INK, linewidth=0.3,
                          label=kind)
        bottom = top
    losses = [place for place, (name, _) in enumerate(diary.moments) if "loss" in name]
    if losses:
        axes.axvline(losses[0], color=INK, linewidth=1, linestyle="--")
        axes.set_xticks([losses[0] / 2, (losses[-1] + x[-1]) / 2], ["forward", "backward"])
    else:
        axes.set_xticks([x[-1] / 2], ["forward"])
    axes.tick_params(axis="x", length=0)
    axes.set(xlim=(0, x[-1]), title=title)
    axes.title.set_fontsize(10.5)
    axes.text(x[-1] * 0.97, diary.peak / MIB * 1.015, size_text(diary.peak), ha="right", va="bottom", fontsize=10)


@illustrated
def segments(sizes: Sequence[int], segment_length: int) -> Illustration:
    """A chain of activations cut into segments: what is kept, and the segment that takes the most memory.

    Parameters
    ----------
    sizes : sequence of int
        Bytes, or any other unit; the input first.
    segment_length : int
        Every so many activations one is kept.

    Returns
    -------
    Illustration
        A bar for each activation; those that are kept are dark, those of the largest segment hatched.
    """
    sums = [sum(sizes[start + 1:start + segment_length]) for start in range(0, len(sizes), segment_length)]
    worst = int(np.argmax(sums))
    figure = Illustration(7.0, 2.9)
    axes = figure.subplots()
    for place, size in enumerate(sizes):
        kept, largest = place % segment_length == 0, place // segment_length == worst
        axes.bar(place, size, width=0.84, color=BLUE if kept else SKY if largest else PALE, edgecolor=INK,
                 hatch="" if kept or not largest else "///")
        axes.text(place, size, f"{size:g}", ha="center", va="bottom", fontsize=10.5)
    handles = [Patch(facecolor=color, hatch=hatch, edgecolor=INK, label=title) for color, hatch, title in (
        (BLUE, "", "kept"), (SKY, "///", "largest segment"), (PALE, "", "computed again at another time"))]
    axes.legend(handles=handles, frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=10.5)
    kept_sum = sum(sizes[::segment_length])
    axes.set(xticks=range(len(sizes)), xlabel=f"activation number; kept {kept_sum} + segment {max(sums)} = "
             f"{kept_sum + max(sums)} of {sum(sizes)}", ylabel="memory", ylim=(0, 1.15 * max(sizes)))
    figure.alt = (f"A chain of {len(sizes)} activations in segments of {segment_length}. Kept: {kept_sum}; "
                  f"sums of what lies between: {', '.join(map(str, sums))}; together {kept_sum + max(sums)} of "
                  f"{sum(sizes)}.")
    return figure


@illustrated
def segment_lengths(sizes: Sequence[float], unit: str = "") -> Illustration:
    """Memory against the length of a segment: what is kept gets less, the largest segment gets more.

    Parameters
    ----------
    sizes : sequence of float
        Of a chain's activations, the input first.
    unit : str, optional
        Written at the axis.

    Returns
    -------
    Illustration
        For each length the two parts, stacked; the smallest sum is marked.
    """
    lengths = range(1, len(sizes) + 1)
    kept = np.array([sum(sizes[::k]) for k in lengths])
    segment = np.array([max(sum(sizes[i + 1:i + k]) for i in range(0, len(sizes), k)) for k in lengths])
    total = kept + segment
    best = int(total.argmin())
    figure = Illustration(7.0, 3.3)
    axes = figure.subplots()
    axes.bar(lengths, kept, width=0.86, color=BLUE, label="kept all the time")
    axes.bar(lengths, segment, width=0.86, bottom=kept, color=ORANGE, hatch="//" if len(sizes) < 40 else "",
             edgecolor=INK if len(sizes) < 40 else ORANGE, linewidth=0.3, label="largest segment")
    axes.axhline(total[0], color=GRAY, linestyle="--", linewidth=1)
    axes.text(len(sizes) + 0.5, total[0] * 1.01, "everything kept", ha="right", va="bottom", color=INK, fontsize=10.5)
    axes.annotate(f"length {lengths[best]}: {total[best]:.4g}", (lengths[best], total[best]),
                  (lengths[best] + 0.03 * len(sizes), 0.93 * total[0]), ha="left", va="top",
                  arrowprops={"arrowstyle": "->", "color": INK})
    axes.set(xlabel="length k of a segment", ylabel=f"memory {f'in {unit}' if unit else ''}".strip(),
             xlim=(0.3, len(sizes) + 0.7), ylim=(0, 1.14 * total[0]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    figure.alt = (f"Memory for a chain of {len(sizes)} activations against the length of a segment: {total[0]:.4g} "
                  f"where everything is kept, least with length {lengths[best]}, {total[best]:.4g}: {kept[best]:.4g} "
                  f"kept and {segment[best]:.4g} in the largest segment.")
    return figure

