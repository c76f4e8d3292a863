"""Templates of the owner's files: one environment, and one way to say what is wrong with one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jinja2

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

ENVIRONMENT = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True)


@contextmanager
def filling(name: str, remedy: str, code: Code) -> Iterator[None]:
    """Around reading and filling in the template `name`. Raises LabError for all that a template can do wrong.

    Of what is not jinja2's own error only the kind is told: Python's words may hold the value, and that may be a secret.
    """
    try:
        yield
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"{name}:{line}" if line else name
        raise LabError(f"{where}: the template cannot be filled in ({error.message})", remedy, code=code) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        what = f"{name}: the template cannot be filled in ({type(error).__name__} in one of its expressions)"
        raise LabError(what, remedy, code=code) from None
