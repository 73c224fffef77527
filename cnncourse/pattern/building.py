"""From the tree of a pattern to a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from cnncourse.errors import ArgumentError, CNNCourseError, PatternError
from cnncourse.layers import Conv2d, Flatten, Layer, Linear, LocallyConnected2d, Shape
from cnncourse.network import Network
from cnncourse.pattern.syntax import Argument, Item, Mention, Sequence, read
from cnncourse.pattern.vocabulary import (
    BY_NAME,
    CLASSES,
    COUNT,
    DENSE,
    FEATURES,
    FILTERS,
    INPUT_SHAPE,
    KINDS,
    WINDOWS_THAT_SHRINK,
    Word,
    no_option,
    no_word,
    padding_that_keeps,
)

MOST_LAYERS = 2000
"""A pattern with more layers is taken for a slip of the pen."""


def parse(text: str, input_shape: Shape | None = None, *, optional: bool = True, **times: int) -> Network:
    """Build the network that a pattern describes.

    Parameters
    ----------
    text : str
        Such as "INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> [FC -> RELU]*1 -> FC"; see Notes.
    input_shape : tuple of int, optional
        Shape of one sample, where the pattern's INPUT does not say it; (3, 32, 32) if neither does.
    optional : bool, optional
        Whether what bears a question mark is kept.
    **times : int
        Values of letters: with N=2, "[CONV -> RELU]*N" comes twice.

    Returns
    -------
    Network
        Without weights yet.

    Raises
    ------
    PatternError
        If the text is no pattern, or a layer does not take what it would get; the message points at the place.
    ArgumentError
        If `text` is not a string, or a value of `times` not a whole number of at least 0.

    Notes
    -----
    A pattern is INPUT and the layers after it, joined with -> or →. What stands between [ and ] is taken as one, *3
    after a layer or ] repeats it, *0 leaves it out, and ? marks what may be left out. A layer may have options in
    parentheses: CONV(64, 3, stride=2). Two or three sizes may be written as 3x3 and 3x224x224. Upper and lower case are
    alike, line breaks go anywhere, and # begins a comment. Before FC a flatten is put where it is needed. Names,
    options and defaults are listed in `cnncourse.pattern.vocabulary`.

    References
    ----------
    Li, Karpathy and Johnson: CS231n, convolutional networks, "layer patterns", 2016.

    Examples
    --------
    >>> network = parse("INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC", N=2, M=3, K=1)
    >>> [network.shape_of(name) for name in ("conv1", "pool3", "fc1", "fc2")]
    [(32, 32, 32), (128, 4, 4), (128,), (10,)]
    """
    if not isinstance(text, str):
        raise ArgumentError(f"a pattern is a string, a {type(text).__name__} was given")
    for letter, number in times.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ArgumentError(f"{letter} has to be a whole number of at least 0, {number!r} was given")
    return _Builder(text, optional, times).network(read(text), input_shape)


@dataclass(frozen=True)
class _Place:
    """A layer of the pattern written out: where it stands, and which of its repetitions this is."""

    mention: Mention
    round: int
    rounds: int


class _Builder:
    """Adds the layers of one pattern to one network."""

    def __init__(self, text: str, optional: bool, times: Mapping[str, int]) -> None:
        self.text = text
        self.optional = optional
        self.times = {letter.upper(): number for letter, number in times.items()}
        self.filters = FILTERS

    def fail(self, problem: str, where: Mention | Argument | Item) -> NoReturn:
        raise PatternError(problem, self.text, where.start, where.end)

    def network(self, pattern: Sequence, input_shape: Shape | None) -> Network:
        first, *others = pattern.items
        if not isinstance(first.element, Mention) or first.element.name.upper() != "INPUT":
            self.fail("a pattern begins with INPUT, then comes -> and the first layer", first)
        if first.optional or first.times is not None:
            self.fail("INPUT comes once; it cannot be repeated or left out", first)
        network = self.empty(first.element, input_shape)
        places: list[_Place] = []
        for item in others:
            self.check_length(item, len(places))
            places += self.written_out(item, 1, 1)
        if not places:
            self.fail("a network needs at least one layer after INPUT", first)
        self.add(network, places)
        return network

    def empty(self, mention: Mention, given: Shape | None) -> Network:
        for argument in mention.arguments:
            if argument.option is not None:
                self.fail("INPUT takes channels, height and width as plain numbers: INPUT(3, 32, 32)", argument)
        written = tuple(argument.value for argument in mention.arguments)
        if len(written) == 1 and isinstance(written[0], tuple):
            written = written[0]
        if mention.arguments and (len(written) not in (1, 3) or not all(map(COUNT.accepts, written))):
            self.fail("INPUT takes channels, height and width, or one number of features, each a whole number of at "
                      "least 1: INPUT(3, 32, 32)", mention)
        network = Network((written or INPUT_SHAPE) if given is None else given, "pattern")
        if written and network.input_shape != written:
            self.fail(f"the pattern says {written}, input_shape says {given}; one of them is enough", mention)
        return network

    def count(self, item: Item) -> int:
        """How many layers an item stands for when it is written out."""
        if item.optional and not self.optional:
            return 0
        times = self.times_of(item)
        if isinstance(item.element, Mention):
            return times
        return times * sum(map(self.count, item.element.items))

    def times_of(self, item: Item) -> int:
        if item.times is None:
            return 1
        letter = item.times.value
        if isinstance(letter, int):
            return letter
        if letter.upper() not in self.times:
            raise PatternError(f"how often is {letter}? Write a number, as in *2, or give the letter its value: "
                               f"parse(..., {letter}=2)", self.text, item.times.start, item.times.end)
        return self.times[letter.upper()]

    def check_length(self, item: Item, before: int) -> None:
        layers = self.count(item) + before
        if layers > MOST_LAYERS:
            self.fail(f"with this the network has {layers:,} layers; {MOST_LAYERS:,} is the most", item)

    def written_out(self, item: Item, round: int, rounds: int) -> Iterator[_Place]:
        times = self.times_of(item) if self.count(item) else 0
        for number in range(1, times + 1):
            # Of nested repetitions the innermost that is more than one is told.
            which = (number, times) if times > 1 else (round, rounds)
            if isinstance(item.element, Mention):
                yield _Place(item.element, *which)
            else:
                for inner in item.element.items:
                    yield from self.written_out(inner, *which)

    def add(self, network: Network, places: list[_Place]) -> None:
        dense = [number for number, place in enumerate(places) if place.mention.name.upper() in DENSE]
        for number, place in enumerate(places):
            mention = place.mention
            features = CLASSES if [number] == dense[-1:] else FEATURES
            try:
                layer = self.layer(mention, features)
                if isinstance(layer, Linear) and len(network.output_shape) > 1:
                    network.add(Flatten())
                network.add(layer)
            except PatternError:
                raise
            except CNNCourseError as error:
                again = f" (repetition {place.round} of {place.rounds})" if place.rounds > 1 else ""
                raise PatternError(f"{error}{again}", self.text, mention.start, mention.end) from error
            self.remember(layer)

    def remember(self, layer: Layer) -> None:
        """What later layers without numbers go by."""
        if isinstance(layer, (Conv2d, LocallyConnected2d)):
            self.filters = layer.out_channels
        elif isinstance(layer, WINDOWS_THAT_SHRINK):
            stride = layer.kernel_size if layer.stride is None else layer.stride
            if stride not in (1, (1, 1)):
                self.filters *= 2

    def layer(self, mention: Mention, features: int) -> Layer:
        name = mention.name.upper()
        if name == "INPUT":
            self.fail("INPUT comes first, and only there", mention)
        if name not in BY_NAME:
            raise PatternError(no_word(mention.name), self.text, mention.start, mention.start + len(mention.name))
        word = BY_NAME[name]
        said = self.settings(word, mention)
        settings = {option: word.default(option) for option in word.options} | said
        if settings.get("out_channels", 0) is None:
            settings["out_channels"] = self.filters
        if settings.get("out_features", 0) is None:
            settings["out_features"] = features
        if word.layer in (Conv2d, LocallyConnected2d) and "padding" not in said:
            settings["padding"] = padding_that_keeps(settings["kernel_size"], settings.get("dilation", 1))
        return word.layer(**settings)

    def settings(self, word: Word, mention: Mention) -> dict[str, Any]:
        """What the mention says, by the names of the options."""
        found: dict[str, Any] = {}
        for number, argument in enumerate(mention.arguments):
            option = self.option(word, mention, number)
            if option in found:
                self.fail(f"{option} is given twice", argument)
            if not KINDS[option].accepts(argument.value):
                self.fail(f"{option} of {word.name} has to be {KINDS[option].words}", argument)
            found[option] = argument.value
        return found

    def option(self, word: Word, mention: Mention, number: int) -> str:
        argument = mention.arguments[number]
        if argument.option is not None:
            if argument.option.lower() not in word.options:
                self.fail(no_option(word, argument.option), argument)
            return argument.option.lower()
        if any(before.option is not None for before in mention.arguments[:number]):
            self.fail("after an option with a name the others need theirs too", argument)
        if number >= len(word.options):
            self.fail(f"{word.name} has no {'further ' if word.options else ''}options"
                      f"{'; it has ' if word.options else ''}{', '.join(word.options)}", argument)
        return word.options[number]
