"""The book: a static site for readers, made from the same sources as the notebooks."""

from autograder.book.serving import serve
from autograder.book.site import build_book

__all__ = ["build_book", "serve"]
