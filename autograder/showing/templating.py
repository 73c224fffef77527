"""The package's templates: pages, fragments of HTML and pictures."""

from __future__ import annotations

from functools import cache

import jinja2

from cnncourse.language import say


def template(name: str) -> jinja2.Template:
    """One of the files in `templates`; what goes into it is escaped, and what is missing is an error.

    Parameters
    ----------
    name : str
    """
    return _environment().get_template(name)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(loader=jinja2.PackageLoader("autograder"), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.globals["say"] = say
    environment.filters["number"] = lambda value: f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"
    return environment
