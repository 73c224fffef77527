"""How a pattern is written: text to tokens, tokens to a tree of layers, brackets and repetitions.

    pattern  = item { "->" item }
    item     = element [ "?" ] [ "*" number ]
    element  = layer | "[" item { "->" item } "]"
    layer    = name [ "(" [ argument { "," argument } ] ")" ]
    argument = [ name "=" ] value
    value    = number | size | name | quoted name | "(" value { "," value } ")"

One function reads each of these rules, with what comes next as its only look ahead. A number after * may be a letter
that stands for one; a size is 3x3 or 3x224x224; # begins a comment, which ends with the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from cnncourse.errors import PatternError

T = TypeVar("T")

DEEPEST = 40
"""Brackets within brackets beyond this are refused."""

LONGEST = 9
"""Whole numbers have at most so many digits."""

_TOKEN = re.compile(r"""
    (?P<blank> \s+ | \#[^\n]* )
  | (?P<arrow> -> | → | ⟶ )
  | (?P<size> [0-9]+ (?: [xX×] [0-9]+ )+ )
  | (?P<number> -? (?: [0-9]+ (?: \.[0-9]* )? | \.[0-9]+ ) (?: [eE] [-+]? [0-9]+ )? )
  | (?P<name> [A-Za-z_] [A-Za-z0-9_]* )
  | (?P<quoted> '[^'\n]*' | "[^"\n]*" )
  | (?P<sign> [][(),=?*×] )
""", re.VERBOSE)

_WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Token:
    """A piece of the text; the kind is a group of the expression above, or "end"."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Argument:
    """A value in the parentheses after a layer's name, and the option it is for if that is said."""

    option: str | None
    value: Any
    start: int
    end: int


@dataclass(frozen=True)
class Mention:
    """A layer as it is written; text[start:end] includes its arguments."""

    name: str
    arguments: tuple[Argument, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Sequence:
    """What stands between brackets, or the whole pattern."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Times:
    """What comes after *: a number, or a letter that stands for one."""

    value: int | str
    start: int
    end: int


@dataclass(frozen=True)
class Item:
    """A layer or a bracket, whether it bears a question mark, and how often it comes if that is said."""

    element: Mention | Sequence
    optional: bool
    times: Times | None
    start: int
    end: int


def read(text: str) -> Sequence:
    """The tree of a pattern.

    Raises
    ------
    PatternError
    """
    return _Reader(text).pattern()


def tokens(text: str) -> list[Token]:
    """The pieces of a text, without blanks and comments, and an "end" after them.

    Raises
    ------
    PatternError
        At a character that begins no piece.
    """
    found = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise PatternError(_strange(text[position]), text, position, position + 1)
        if match.lastgroup != "blank":
            found.append(Token(match.lastgroup, match.group(), position, match.end()))
        position = match.end()
    # The end is marked right after the last piece, not below empty lines and comments.
    last = found[-1].end if found else 0
    return [*found, Token("end", "", last, last)]


def _strange(character: str) -> str:
    if character in "-=>–—":
        return "an arrow is written ->"
    if character in "{}<":
        return f"{character} has no meaning here; what repeats stands between [ and ]"
    if character in "'\"":
        return "the quotation mark is not closed on its line"
    if character in "+/;.:|":
        return f"{character} has no meaning here; layers are joined with ->, options with commas"
    return f"{character!r} has no meaning in a pattern"


class _Reader:
    """Goes through the tokens once, one method for each rule of the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.next
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def sees(self, *signs: str) -> bool:
        return self.next.kind == "sign" and self.next.text in signs

    def fail(self, problem: str, token: Token | None = None) -> NoReturn:
        token = token or self.next
        raise PatternError(problem, self.text, token.start, token.end)

    def pattern(self) -> Sequence:
        found = self.sequence()
        if self.next.kind != "end":
            self.fail("this ] closes nothing" if self.sees("]") else self.no_arrow())
        return found

    def no_arrow(self) -> str:
        if self.sees("?", "*", "×"):
            return f"{self.next.text} comes right after a layer or ], the question mark first, and each once"
        if self.next.kind == "size" or self.next.kind == "number" or self.sees("("):
            return "numbers belong in parentheses right after a layer's name, or after *"
        if self.next.kind == "name" or self.sees("["):
            return "an arrow -> is missing before this"
        return f"{self.next.text} has no meaning here; an arrow -> and a layer would"

    def sequence(self) -> Sequence:
        items = [self.item()]
        while self.next.kind == "arrow":
            self.take()
            items.append(self.item())
        return Sequence(tuple(items))

    def item(self) -> Item:
        start = self.next.start
        element = self.bracket() if self.sees("[") else self.layer()
        optional = self.sees("?")
        if optional:
            self.take()
        times = None
        if self.sees("*", "×"):
            self.take()
            times = Times(self.repetitions(self.next), self.next.start, self.next.end)
            self.take()
        return Item(element, optional, times, start, self.tokens[self.position - 1].end)

    def repetitions(self, token: Token) -> int | str:
        if token.kind == "name":
            return token.text
        if token.kind != "number":
            self.fail("after * comes how often: a whole number, as in *2", token)
        number = self.number(token)
        if isinstance(number, float) or number < 0:
            self.fail(f"something cannot come {token.text} times; a whole number from 0 is needed", token)
        return number

    def bracket(self) -> Sequence:
        opening = self.deeper()
        if self.sees("]"):
            self.fail("there is nothing between these brackets; a layer would be")
        found = self.sequence()
        if not self.sees("]"):
            self.fail("this [ is never closed" if self.next.kind == "end" else self.no_arrow(),
                      opening if self.next.kind == "end" else None)
        self.take()
        self.depth -= 1
        return found

    def deeper(self) -> Token:
        """Take what opens; every level is a call of Python's, which has only so many."""
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(f"brackets within brackets, {self.depth} deep; {DEEPEST} is the most")
        return self.take()

    def layer(self) -> Mention:
        name = self.next
        if name.kind != "name":
            if name.kind == "end":
                self.fail("a layer is missing after the arrow" if self.position else
                          "there is nothing here; a pattern begins with INPUT and goes on with -> and a layer")
            self.fail(f"here a layer's name or [ should stand, not {name.text}")
        self.take()
        found: tuple[Argument, ...] = ()
        if self.sees("("):
            found = self.arguments()
        return Mention(name.text, found, name.start, self.tokens[self.position - 1].end)

    def arguments(self) -> tuple[Argument, ...]:
        return self.listed(self.take(), self.argument, "options")

    def listed(self, opening: Token, one: Callable[[Token], T], what: str) -> tuple[T, ...]:
        """Whatever stands between commas, up to the end of a parenthesis."""
        found: list[T] = []
        while not self.sees(")"):
            if found:
                if not self.sees(","):
                    self.unclosed(opening, f"between two {what} stands a comma")
                self.take()
                if self.sees(")"):  # a comma after the last one, as in Python
                    break
            found.append(one(opening))
        self.take()
        return tuple(found)

    def unclosed(self, opening: Token, otherwise: str) -> NoReturn:
        # Values hold no arrows and no brackets, so where one comes the parenthesis was forgotten.
        if self.next.kind in ("end", "arrow") or self.sees("[", "]", "?"):
            self.fail("this ( is never closed", opening)
        self.fail(otherwise)

    def argument(self, opening: Token) -> Argument:
        start, option = self.next.start, None
        following = self.tokens[min(self.position + 1, len(self.tokens) - 1)]
        if self.next.kind == "name" and following.kind == "sign" and following.text == "=":
            option = self.take().text
            self.take()
        value = self.value(opening)
        return Argument(option, value, start, self.tokens[self.position - 1].end)

    def value(self, opening: Token) -> Any:
        token = self.next
        if self.sees("("):
            return self.several()
        if token.kind == "number":
            return self.number(self.take())
        if token.kind == "size":
            self.take()
            return tuple(self.whole(part, token) for part in re.split("[xX×]", token.text))
        if token.kind == "name":
            word = self.take().text
            return _WORDS.get(word.lower(), word)
        if token.kind == "quoted":
            return self.take().text[1:-1]
        self.unclosed(opening, "here a value should stand: a number, several in parentheses, or a word")

    def several(self) -> tuple[Any, ...]:
        found = self.listed(self.deeper(), self.value, "values")
        self.depth -= 1
        return found

    def number(self, token: Token) -> int | float:
        if re.fullmatch("-?[0-9]+", token.text):
            return self.whole(token.text, token)
        found = float(token.text)
        if found in (float("inf"), -float("inf")):
            self.fail("this number is too large", token)
        return found

    def whole(self, digits: str, token: Token) -> int:
        size = digits.lstrip("-").lstrip("0")
        if len(size) > LONGEST:
            self.fail(f"this number has more than {LONGEST} digits", token)
        return int(size or "0") * (-1 if digits.startswith("-") else 1)
