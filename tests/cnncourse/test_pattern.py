"""Patterns: what is written is what is built, and whatever else is written is refused where it is wrong."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncourse.errors import ArgumentError, CNNCourseError, PatternError
from cnncourse.layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    GlobalAvgPool2d,
    Identity,
    Linear,
    LocallyConnected2d,
    LocalResponseNorm,
    LpPool2d,
    MaxPool2d,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
    TrainableAvgPool2d,
)
from cnncourse.network import Network
from cnncourse.pattern import describe, parse
from cnncourse.pattern.syntax import DEEPEST
from tests.cnncourse.randomly import many


def layers(text, *arguments, **options):
    return [node.layer for node in parse(text, *arguments, **options).nodes]


def chain(*layers, input_shape=(3, 32, 32)):
    network = Network(input_shape)
    for layer in layers:
        network.add(layer)
    return network


def test_the_pattern_of_the_course_with_numbers():
    network = parse("INPUT -> [[CONV -> RELU]*2 -> POOL?]*3 -> [FC -> RELU]*1 -> FC")
    blocks = [layer for filters in (32, 64, 128) for layer in (
        Conv2d(filters, 3, padding=1), ReLU(), Conv2d(filters, 3, padding=1), ReLU(), MaxPool2d(2))]
    assert [node.layer for node in network.nodes] == [*blocks, Flatten(), Linear(128), ReLU(), Linear(10)]
    assert network.input_shape == (3, 32, 32)
    assert network.output_shape == (10,)


def test_letters_stand_for_numbers_that_are_given():
    text = "INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC"
    assert layers(text, N=2, m=3, K=0) == layers("INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> FC")


@pytest.mark.parametrize(("written", "expected"), [
    ("CONV", Conv2d(32, 3, padding=1)),
    ("CONV(64)", Conv2d(64, 3, padding=1)),
    ("CONV(64, 5)", Conv2d(64, 5, padding=2)),
    ("CONV(64, 3, 2)", Conv2d(64, 3, 2, 1)),
    ("CONV(64, 3, stride=2, padding=0)", Conv2d(64, 3, 2, 0)),
    ("conv(64, 3x5, dilation=(1, 2))", Conv2d(64, (3, 5), dilation=(1, 2), padding=(1, 4))),
    ("CONV(64, 4)", Conv2d(64, 4, padding=((1, 2), (1, 2)))),
    ("CONV(kernel_size=2x3)", Conv2d(32, (2, 3), padding=((0, 1), (1, 1)))),
    ("CONV(6, 3, padding=((1, 2), 0), groups=3, bias=False)", Conv2d(6, 3, padding=((1, 2), 0), groups=3, bias=False)),
    ("CONV(6, 3, padding='same', STRIDE=2)", Conv2d(6, 3, 2, "same")),
    ("CONV(6, 3, padding=valid,)", Conv2d(6, 3, padding="valid")),
    ("LOCAL(4, 5)", LocallyConnected2d(4, 5, padding=2)),
    ("POOL", MaxPool2d(2)),
    ("MaxPool(3, stride=2, ceil_mode=true)", MaxPool2d(3, 2, ceil_mode=True)),
    ("POOL(3)", MaxPool2d(3)),
    ("AVGPOOL(3, 1, 1, count_include_pad=false)", AvgPool2d(3, 1, 1, count_include_pad=False)),
    ("LPPOOL", LpPool2d(2, 2)),
    ("LPPOOL(3, stride=2, norm_type=1.5)", LpPool2d(1.5, 3, 2)),
    ("GAP", GlobalAvgPool2d()),
    ("NORM", LocalResponseNorm(5, 5e-4, 0.75, 2.0)),
    ("lrn(3, alpha=1e-4, k=1)", LocalResponseNorm(3, 1e-4, 0.75, 1)),
    ("BN(momentum=.5)", BatchNorm2d(momentum=0.5)),
    ("BatchNorm", BatchNorm2d()),
    ("RELU()", ReLU()),
    ("TANH", Tanh()),
    ("SIGMOID", Sigmoid()),
    ("SOFTMAX", Softmax()),
    ("DROPOUT", Dropout(0.5)),
    ("DROPOUT(0.25)", Dropout(0.25)),
    ("FLATTEN", Flatten()),
    ("IDENTITY", Identity()),
])
def test_options_and_their_defaults(written, expected):
    assert layers(f"INPUT -> {written}") == [expected]


def test_padding_by_default_keeps_the_size_whatever_the_kernel():
    for kernel in range(1, 7):
        for dilation in (1, 2, 3):
            assert parse(f"INPUT(3, 20, 23) -> CONV(4, {kernel}, dilation={dilation})").output_shape == (4, 20, 23)


def test_filters_double_after_what_shrinks_and_go_on_from_the_last_number():
    text = """INPUT -> CONV -> AVGPOOL(3, stride=1, padding=1) -> CONV -> LPPOOL
              -> CONV -> CONV(24) -> CONV -> POOL(3, 2) -> LOCAL -> POOL(1, 1x1) -> LOCAL"""
    found = [layer.out_channels for layer in layers(text) if hasattr(layer, "out_channels")]
    assert found == [32, 32, 64, 24, 24, 48, 48]


def test_the_last_fc_has_ten_features_and_a_flatten_comes_only_before_the_first():
    found = layers("INPUT -> [FC -> RELU]*2 -> DROPOUT -> FC -> SOFTMAX")
    assert found == [Flatten(), Linear(128), ReLU(), Linear(128), ReLU(), Dropout(), Linear(10), Softmax()]
    assert layers("INPUT(784) -> FC(bias=false)") == [Linear(10, bias=False)]
    assert layers("INPUT -> FLATTEN -> DROPOUT -> LINEAR(7)") == [Flatten(), Dropout(), Linear(7)]


@pytest.mark.parametrize(("written", "shape"), [
    ("INPUT", (3, 32, 32)), ("INPUT()", (3, 32, 32)), ("Input(1, 28, 20)", (1, 28, 20)), ("INPUT(3x9x8)", (3, 9, 8)),
    ("INPUT((3, 9, 8))", (3, 9, 8)), ("INPUT(5)", (5,)),
])
def test_the_input_says_its_shape(written, shape):
    assert parse(f"{written} -> RELU").input_shape == shape
    assert parse(f"{written} -> RELU", shape).input_shape == shape


def test_the_input_shape_may_be_given_beside_the_pattern():
    assert parse("INPUT -> CONV", (1, 28, 28)).output_shape == (32, 28, 28)
    with pytest.raises(PatternError, match=re.escape("the pattern says (3, 8, 8), input_shape says (1, 8, 8)")):
        parse("INPUT(3, 8, 8) -> CONV", (1, 8, 8))
    with pytest.raises(ArgumentError, match="input_shape has to be"):
        parse("INPUT -> CONV", (3, 0, 8))


def test_question_marks_are_kept_unless_asked_otherwise():
    text = "INPUT -> [CONV -> POOL?]*2 -> [RELU]?*2 -> TANH?*0"
    assert layers(text) == layers("INPUT -> CONV -> POOL -> CONV -> POOL -> RELU -> RELU")
    assert layers(text, optional=False) == [Conv2d(32, 3, padding=1), Conv2d(32, 3, padding=1)]


def test_times_zero_leaves_out():
    assert layers("INPUT -> [CONV -> POOL*0]*2 -> [[FC]*0 -> RELU*3]*2") == layers("INPUT -> CONV*2 -> RELU*6")
    assert layers("INPUT -> RELU -> [[RELU]*999999999]*0 -> [[TANH*0]*999999999]*999999999") == [ReLU()]


def test_blanks_comments_arrows_and_case_do_not_matter():
    spread = """
        input(3×32×32)      # a picture
          → [ [conv → Relu] × 2
              ⟶ POOL ? ] * 2   # [not read -> (
        \t-> FC
    """
    assert layers(spread) == layers("INPUT->[[CONV->RELU]*2->POOL?]*2->FC")


REFUSALS = [  # text, line, column, what is marked, words
    ("", 1, 1, "", "there is nothing here"),
    ("  # only a comment", 1, 1, " ", "there is nothing here"),
    ("CONV -> RELU", 1, 1, "CONV", "a pattern begins with INPUT"),
    ("[INPUT -> CONV]", 1, 1, "[INPUT -> CONV]", "a pattern begins with INPUT"),
    ("INPUT", 1, 1, "INPUT", "at least one layer"),
    ("INPUT -> CONV*0", 1, 1, "INPUT", "at least one layer"),
    ("INPUT*2 -> CONV", 1, 1, "INPUT*2", "INPUT comes once"),
    ("INPUT? -> CONV", 1, 1, "INPUT?", "INPUT comes once"),
    ("INPUT(3, 32) -> CONV", 1, 1, "INPUT(3, 32)", "INPUT takes channels, height and width"),
    ("INPUT(3, 32, 0) -> CONV", 1, 1, "INPUT(3, 32, 0)", "INPUT takes channels, height and width"),
    ("INPUT(()) -> CONV", 1, 1, "INPUT(())", "INPUT takes channels, height and width"),
    ("INPUT(size=3) -> CONV", 1, 7, "size=3", "INPUT(3, 32, 32)"),
    ("INPUT -> CONV -> INPUT", 1, 18, "INPUT", "INPUT comes first"),
    ("INPUT ->", 1, 9, "", "a layer is missing after the arrow"),
    ("INPUT -> -> CONV", 1, 10, "->", "a layer's name or [ should stand, not ->"),
    ("INPUT -> CONV RELU", 1, 15, "RELU", "an arrow -> is missing"),
    ("INPUT -> CONV [RELU]", 1, 15, "[", "an arrow -> is missing"),
    ("INPUT -> CONV 3", 1, 15, "3", "numbers belong in parentheses"),
    ("INPUT -> [CONV](3)", 1, 16, "(", "numbers belong in parentheses"),
    ("INPUT -> CONV, RELU", 1, 14, ",", ", has no meaning here"),
    ("INPUT -> CONV - > RELU", 1, 15, "-", "an arrow is written ->"),
    ("INPUT -> CONV | RELU", 1, 15, "|", "layers are joined with ->"),
    ("INPUT -> {CONV}", 1, 10, "{", "between [ and ]"),
    ("INPUT -> CONV(64, padding='same)", 1, 27, "'", "quotation mark is not closed"),
    ("INPUT -> CONV²", 1, 14, "²", "'²' has no meaning"),
    ("INPUT -> [CONV -> RELU", 1, 10, "[", "this [ is never closed"),
    ("INPUT -> [CONV -> RELU)", 1, 23, ")", ") has no meaning here"),
    ("INPUT -> CONV -> RELU]", 1, 22, "]", "this ] closes nothing"),
    ("INPUT -> []*2", 1, 11, "]", "nothing between these brackets"),
    ("INPUT -> CONV(64 -> RELU", 1, 14, "(", "this ( is never closed"),
    ("INPUT -> CONV(64, (3, 3)", 1, 14, "(", "this ( is never closed"),
    ("INPUT -> CONV(64, (3, 3", 1, 19, "(", "this ( is never closed"),
    ("INPUT -> CONV(64 3)", 1, 18, "3", "between two options stands a comma"),
    ("INPUT -> CONV(64, (3 3))", 1, 22, "3", "between two values stands a comma"),
    ("INPUT -> CONV(64, stride=)", 1, 26, ")", "here a value should stand"),
    ("INPUT -> CONV(,)", 1, 15, ",", "here a value should stand"),
    ("INPUT -> CONV*", 1, 15, "", "after * comes how often"),
    ("INPUT -> CONV*(3)", 1, 15, "(", "after * comes how often"),
    ("INPUT -> CONV*-1", 1, 15, "-1", "cannot come -1 times"),
    ("INPUT -> CONV*1.5", 1, 15, "1.5", "cannot come 1.5 times"),
    ("INPUT -> CONV*2?", 1, 16, "?", "the question mark first"),
    ("INPUT -> CONV*2*3", 1, 16, "*", "each once"),
    ("INPUT -> [CONV]*N", 1, 17, "N", "parse(..., N=2)"),
    ("INPUT -> CONV*1234567890", 1, 15, "1234567890", "more than 9 digits"),
    ("INPUT -> DROPOUT(1e999)", 1, 18, "1e999", "too large"),
    ("INPUT -> [[CONV]*50]*50", 1, 10, "[[CONV]*50]*50", "2,500 layers; 2,000 is the most"),
    ("INPUT -> CONV*1500 -> RELU*501", 1, 23, "RELU*501", "2,001 layers"),
    ("INPUT -> CNOV(64)", 1, 10, "CNOV", "there is no layer CNOV; did you mean CONV"),
    ("INPUT -> CONV2D(64)", 1, 10, "CONV2D", "did you mean CONV"),
    ("INPUT -> XYZZY", 1, 10, "XYZZY", "there are INPUT, CONV, LOCAL, POOL"),
    ("INPUT -> CONV(64, strid=2)", 1, 19, "strid=2", "CONV has no option strid; did you mean stride?"),
    ("INPUT -> CONV(filters=64)", 1, 15, "filters=64", "did you mean out_channels?"),
    ("INPUT -> POOL(size=3)", 1, 15, "size=3", "did you mean kernel_size?"),
    ("INPUT -> DROPOUT(zzz=3)", 1, 18, "zzz=3", "it has p"),
    ("INPUT -> RELU(3)", 1, 15, "3", "RELU has no options"),
    ("INPUT -> RELU(x=3)", 1, 15, "x=3", "RELU has no options"),
    ("INPUT -> DROPOUT(0.5, 1)", 1, 23, "1", "DROPOUT has no further options; it has p"),
    ("INPUT -> CONV(64, out_channels=32)", 1, 19, "out_channels=32", "out_channels is given twice"),
    ("INPUT -> CONV(stride=2, 64)", 1, 25, "64", "the others need theirs too"),
    ("INPUT -> CONV(64, 0)", 1, 19, "0", "kernel_size of CONV has to be a whole number of at least 1"),
    ("INPUT -> CONV(64, 3x3x3)", 1, 19, "3x3x3", "(vertical, horizontal)"),
    ("INPUT -> CONV(64.0)", 1, 15, "64.0", "out_channels of CONV has to be a whole number"),
    ("INPUT -> CONV(true)", 1, 15, "true", "out_channels of CONV has to be a whole number"),
    ("INPUT -> CONV(64, padding=-1)", 1, 19, "padding=-1", "at least 0"),
    ("INPUT -> CONV(64, padding=full)", 1, 19, "padding=full", "same or valid"),
    ("INPUT -> CONV(64, bias=1)", 1, 19, "bias=1", "true or false"),
    ("INPUT -> AVGPOOL(count_include_pad=no)", 1, 18, "count_include_pad=no", "has to be true or false"),
    ("INPUT -> DROPOUT(1.5)", 1, 18, "1.5", "p of DROPOUT has to be a number from 0 to 1"),
    ("INPUT -> LPPOOL(norm_type=0)", 1, 17, "norm_type=0", "a number above 0"),
    ("INPUT -> NORM(alpha=a)", 1, 15, "alpha=a", "alpha of NORM has to be a number"),
    ("INPUT(3, 8, 8) ->\n  CONV(64) ->\n\tCONV(8, 11, padding=0)", 3, 2, "CONV(8, 11, padding=0)",
     "conv2 after conv1 (64, 8, 8)"),
    ("INPUT -> CONV(64, groups=2)", 1, 10, "CONV(64, groups=2)", "groups=2 has to divide the 3 input channels"),
    ("INPUT -> FC -> CONV", 1, 16, "CONV", "conv1 after fc1 (10,)"),
    ("INPUT -> [CONV -> POOL]*7", 1, 19, "POOL", "(repetition 6 of 7)"),
    ("INPUT -> [[CONV]*2 -> POOL]*7", 1, 23, "POOL", "(repetition 6 of 7)"),
    ("[" * 50, 1, DEEPEST + 1, "[", "brackets within brackets"),
    ("INPUT -> CONV(" + "(" * 50, 1, 14 + DEEPEST + 1, "(", "brackets within brackets"),
]


def test_brackets_beside_each_other_are_not_deep():
    count = 2 * DEEPEST
    assert layers("INPUT -> " + " -> ".join(["[CONV(8, (3, 3)) -> RELU]"] * count)) == [
        Conv2d(8, (3, 3), padding=1), ReLU()] * count
    text = "INPUT -> " + "[" * DEEPEST + "RELU" + "]" * DEEPEST
    assert layers(text) == [ReLU()]


@pytest.mark.parametrize(("text", "line", "column", "marked", "words"), REFUSALS)
def test_a_refusal_points_at_the_place_and_says_why(text, line, column, marked, words):
    with pytest.raises(PatternError) as refusal:
        parse(text)
    error = refusal.value
    assert words in str(error)
    assert (error.line, error.column) == (line, column)
    if marked.strip():
        assert text[error.start:error.end] == marked
    first, shown, marks = str(error).split("\n")
    assert first.startswith(f"line {line}, column {column}: ")
    assert re.fullmatch(r" +\^~*", marks)
    under = shown[marks.index("^"):len(marks)]
    assert under == marked.split("\n")[0] or not under.strip()


def test_the_caret_stands_under_the_place_in_a_line_that_is_cut():
    text = "INPUT -> " + "CONV -> RELU -> " * 30 + "\tCNOV -> " + "RELU -> " * 30 + "FC"
    with pytest.raises(PatternError) as refusal:
        parse(text)
    _, shown, marks = str(refusal.value).split("\n")
    assert len(shown) <= 104
    assert shown[marks.index("^"):len(marks)] == "CNOV"
    assert refusal.value.column == text.index("CNOV") + 1


def test_the_error_tells_what_inferring_shapes_told_and_survives_pickling():
    with pytest.raises(PatternError) as refusal:
        parse("INPUT -> POOL(40)")
    assert isinstance(refusal.value, ValueError)
    assert isinstance(refusal.value.__cause__, CNNCourseError)
    assert str(refusal.value.__cause__) in str(refusal.value)
    assert str(pickle.loads(pickle.dumps(refusal.value))) == str(refusal.value)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: parse(b"INPUT -> CONV"), "a pattern is a string, a bytes was given"),
    (lambda: parse("INPUT -> CONV*N", N=-1), "N has to be a whole number of at least 0, -1 was given"),
    (lambda: parse("INPUT -> CONV*N", N=True), "True was given"),
])
def test_what_is_no_text_or_no_number_is_an_argument_error(call, words):
    with pytest.raises(ArgumentError, match=re.escape(words)):
        call()


# Random patterns: a tree is drawn, written down in some way, and its layers are put together here on their own.

WAYS = {  # how a layer may be written, and the layer
    "CONV(8)": Conv2d(8, 3, padding=1), "CONV(6, 5, padding=1)": Conv2d(6, 5, padding=1),
    "CONV(4, 2x3, stride=(2, 1), bias=false)": Conv2d(4, (2, 3), (2, 1), ((0, 1), (1, 1)), bias=False),
    "RELU": ReLU(), "TANH": Tanh(), "BN": BatchNorm2d(), "NORM(3)": LocalResponseNorm(3, 5e-4, 0.75, 2.0),
    "DROPOUT(.1)": Dropout(0.1), "POOL": MaxPool2d(2), "POOL(3, stride=2, ceil_mode=true)":
    MaxPool2d(3, 2, ceil_mode=True), "AVGPOOL(2x1)": AvgPool2d((2, 1)), "LPPOOL(norm_type=3)": LpPool2d(3, 2),
    "IDENTITY": Identity(), "LOCAL(2, 3)": LocallyConnected2d(2, 3, padding=1),
}
TREES = st.recursive(
    st.tuples(st.sampled_from(sorted(WAYS)), st.booleans(), st.integers(0, 3)),
    lambda inner: st.tuples(st.lists(inner, min_size=1, max_size=3), st.booleans(), st.integers(0, 3)), max_leaves=6)
BLANKS = st.sampled_from(("", " ", "  ", "\n", "\t", " # -> ]( \n"))


def written(tree, draw):
    element, optional, times = tree
    blank = lambda: draw(BLANKS)  # noqa: E731
    if isinstance(element, str):
        text = draw(st.sampled_from((element, element.lower())))
    else:
        arrow = draw(st.sampled_from(("->", "→", "⟶")))
        inside = f"{blank()}{arrow}{blank()}".join(written(one, draw) for one in element)
        text = f"[{blank()}{inside}{blank()}]"
    text += f"{blank()}?" if optional else ""
    if times != 1 or draw(st.booleans()):
        text += f"{blank()}*{blank()}{times}"
    return text


def expanded(tree, keep):
    element, optional, times = tree
    if optional and not keep:
        return []
    once = [WAYS[element]] if isinstance(element, str) else [one for part in element for one in expanded(part, keep)]
    return once * times


@many
@given(st.data(), st.lists(TREES, min_size=1, max_size=4), st.booleans())
def test_a_random_pattern_is_read_described_and_read_again(data, trees, keep):
    text = "INPUT(4, 41, 38) -> " + " -> ".join(written(tree, data.draw) for tree in trees)
    wanted = [layer for tree in trees for layer in expanded(tree, keep)]
    try:
        expected = chain(*wanted, input_shape=(4, 41, 38))
    except CNNCourseError as error:
        with pytest.raises(PatternError) as refusal:
            parse(text, optional=keep)
        assert str(error) in refusal.value.problem
        return
    if not wanted:
        with pytest.raises(PatternError, match="at least one layer"):
            parse(text, optional=keep)
        return
    network = parse(text, optional=keep)
    assert [node.layer for node in network.nodes] == wanted
    assert network.output_shape == expected.output_shape
    again = parse(describe(network))
    assert [node.layer for node in again.nodes] == wanted
    assert again.input_shape == network.input_shape
    assert describe(again) == describe(network)


SHORT = [
    "INPUT->[CONV(4,3,2)->RELU]*2->FC",
    "INPUT(3x9x8)->CONV(6,3x2,padding=(1,0))",
    "INPUT(3, 8, 8) -> [POOL? -> DROPOUT(.5)]*1\n-> FC # so",
    "INPUT->NORM(5,alpha=1e-4)→LPPOOL->BN*3",
]
STRANGE = "[]()<>-*?=,.#'\"x0A9_ \n\t²−é{:→N\x00"


@pytest.mark.parametrize("text", SHORT)
def test_one_wrong_character_is_refused_or_means_something_else(text):
    parse(text)
    refused = 0
    for position in range(len(text) + 1):
        before, after = text[:position], text[position + 1:]
        for other in (before + after, *(before + one + after for one in STRANGE),
                      *(before + one + text[position:] for one in STRANGE)):
            try:
                parse(other)
            except PatternError as error:
                str(error)
                refused += 1
    assert refused > 20 * len(text)


@many
@given(st.lists(st.sampled_from(("INPUT", "CONV", "POOL", "FC", "GAP", "->", "[", "]", "(", ")", "*", "?", "=", ",",
                                 "3", "0", "64", "3x3", "-1", "1e9", "999999999", "stride", "padding", "same", "'")),
                max_size=14))
def test_any_row_of_words_is_a_pattern_or_refused(words):
    for text in ("".join(words), "INPUT -> CONV -> " + " ".join(words)):
        try:
            parse(text)
        except PatternError as error:
            assert text[error.start:error.end] in text.split("\n")[error.line - 1]


@many
@given(st.text(max_size=40))
def test_any_text_is_a_pattern_or_refused(text):
    for whole in (text, f"INPUT -> {text}", f"INPUT -> CONV({text}) -> FC", f"INPUT -> CONV*{text}"):
        try:
            parse(whole)
        except PatternError as error:
            assert str(error).count("\n") == 2


def test_describing_writes_repetitions_in_brackets():
    text = ("INPUT(3, 224, 224) -> [CONV(64) -> RELU]*2 -> POOL -> [[CONV(128, 5) -> BN]*2 -> POOL(3, stride=2)]*2 "
            "-> FC(5)")
    assert describe(parse(text)) == text
    assert describe(parse("INPUT(7) -> FC(3) -> FC(3) -> FC(3) -> DROPOUT")) == "INPUT(7) -> FC(3)*3 -> DROPOUT"
    kept = "INPUT(3, 8, 8) -> FLATTEN -> DROPOUT(0.2) -> FC(10)"
    assert describe(parse(kept)) == kept


def branching():
    network = Network((3, 8, 8), "two ways")
    network.add(Conv2d(4, 3))
    network.add(Conv2d(4, 3), "input")
    return network


def with_two_outputs():
    network = chain(Conv2d(4, 3), ReLU())
    network.set_outputs("relu1", "conv1")
    return network


@pytest.mark.parametrize(("network", "words"), [
    (branching(), "two ways is no plain chain: conv2 reads input, not just conv1"),
    (with_two_outputs(), "network gives relu1, conv1"),
    (chain(), "has 0 layers"),
    (chain(ReLU(), input_shape=(4, 5)), "samples of shape (4, 5)"),
    (chain(TrainableAvgPool2d(2)), "pool1 is a TrainableAvgPool2d, for which a pattern has no word"),
    (chain(Conv2d(2, 3, connections=((0, 1), (2,)))), "conv1 connects its filters to some of the channels only"),
    (chain(LpPool2d(float("inf"), 2)), "a pattern cannot say the number inf"),
    (chain(Conv2d(10**9, 3)), "a pattern cannot say the number 1000000000"),
])
def test_describing_refuses_what_a_pattern_cannot_say(network, words):
    with pytest.raises(ArgumentError, match=re.escape(words)):
        describe(network)


@pytest.mark.parametrize("layer", [
    Conv2d(6, 4), Conv2d(6, (3, 3)), Conv2d(6, [3, 1], padding=[1, 0]), Conv2d(6, 3, padding="same", dilation=2),
    Conv2d(6, 3, groups=3, padding=1), MaxPool2d(3, 3), MaxPool2d(2, dilation=2), AvgPool2d(2, count_include_pad=False),
    LpPool2d(2.5, 3), LocalResponseNorm(5), BatchNorm2d(1e-12, affine=False), Dropout(1 / 3), Linear(4, bias=False),
    LocallyConnected2d(3, 2),
])
def test_describing_keeps_every_setting(layer):
    network = chain(*([Flatten()] if isinstance(layer, Linear) else []), layer)
    found = [node.layer for node in parse(describe(network)).nodes]
    assert [repr(one).replace("[", "(").replace("]", ")") for one in found] == [
        repr(node.layer).replace("[", "(").replace("]", ")") for node in network.nodes]
