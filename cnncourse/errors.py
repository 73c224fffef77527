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
