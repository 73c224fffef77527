"""The one exception family of the reference."""


class CNNCourseError(Exception):
    """Base of every error that the reference raises on purpose."""


class ArgumentError(CNNCourseError, ValueError):
    """A setting is not of a kind that could ever work: a stride of zero, a kernel size of 2.5."""


class GeometryError(CNNCourseError, ValueError):
    """Settings that are fine on their own do not fit together: the window does not fit the input."""


class ShapeError(CNNCourseError, ValueError):
    """An array does not have the shape that the other arrays call for."""


class ArrayTypeError(CNNCourseError, TypeError):
    """Something is not an array of single or double precision, or two arrays differ in precision."""


class PatternError(CNNCourseError, ValueError):
    """A pattern of layers cannot be read, or its layers do not fit together; the message points at the place.

    Attributes
    ----------
    problem : str
        What is wrong, without the place.
    text : str
        The whole pattern.
    start, end : int
        The wrong part is text[start:end].
    line, column : int
        Where it begins, counted from 1.
    """

    def __init__(self, problem: str, text: str, start: int, end: int) -> None:
        super().__init__(problem, text, start, end)
        self.problem, self.text, self.start, self.end = problem, text, start, end
        self.line = text.count("\n", 0, start) + 1
        self.column = start - (text.rfind("\n", 0, start) + 1) + 1

    def __str__(self) -> str:
        line = self.text.split("\n")[self.line - 1]
        before, after = self.column - 1, min(self.column - 1 + max(self.end - self.start, 1), len(line))
        # Of a long line the part that matters, and tabs as one space, so that the caret stands where it should.
        first = max(0, before - 70)
        part = line[first:max(after, first + 100)]
        shown = "".join(character if character.isprintable() else " " for character in part)
        marks = " " * (before - first) + "^" + "~" * (after - before - 1)
        return f"line {self.line}, column {self.column}: {self.problem}\n    {shown}\n    {marks}"


class FileError(CNNCourseError, ValueError):
    """A file is damaged, holds what it must not, or does not fit what it is read for."""


class DivergenceError(CNNCourseError, ArithmeticError):
    """Training cannot go on: the loss is not a number any more, or infinite."""


class UnsupportedError(CNNCourseError, NotImplementedError):
    """A model from elsewhere is right, but made of something that this package does not have."""
