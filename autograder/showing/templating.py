"""The package's templates: pages, fragments of HTML and pictures."""

from __future__ import annotations

from functools import cache

import jinja2

from cnncourse.language import say


def template(name: str, *, plain: bool = False) -> jinja2.Template:
    """One of the files in `templates`; what goes into it is escaped, and what is missing is an error.

    Parameters
    ----------
    name : str
    plain : bool, optional
        For what is no HTML: nothing is escaped, and the last line ends as it does in the file.
    """
    return _environment(plain).get_template(name)


@cache
def _environment(plain: bool) -> jinja2.Environment:
    environment = jinja2.Environment(loader=jinja2.PackageLoader("autograder"), autoescape=not plain, trim_blocks=True,
                                     lstrip_blocks=True, keep_trailing_newline=plain,
                                     undefined=jinja2.StrictUndefined)
    environment.globals["say"] = say
    environment.filters["number"] = lambda value: f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
    return environment
