"""`mgw explain-error`: the page of an error, by the code that it is shown with."""

from __future__ import annotations

import importlib
import inspect
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.core.errors import MgwError, UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFINING = ("mgw.core.errors", "mgw.sql.errors", "mgw.sql.nullability.errors")
"""The modules that define errors."""


def explain_error(
    code: Annotated[str | None, typer.Argument(help="As it is shown: error[CODE]. Default: all of them.")] = None,
    json: Json = False,
) -> None:
    """Say what an error means, by the code that it is shown with."""
    known = {error.code: error for error in errors_with_codes()}
    if code is None:
        wanted = list(known.values())
    elif (found := known.get(code.upper())) is not None:
        wanted = [found]
    else:
        near = get_close_matches(code.upper(), known, 1)
        hint = f"did you mean {near[0]}?" if near else "without a code all of them are shown"
        raise UsageInvalid(f"there is no error {code}", hint=hint)
    if json:
        errors = [{"code": each.code, "exit_code": each.exit_code, "text": page(each)} for each in wanted]
        out.json({"errors": errors})
    else:
        out.print("\n\n".join(f"{each.code}, exit code {each.exit_code}\n\n{page(each)}" for each in wanted))


def page(error: type[MgwError]) -> str:
    """Return what an error means."""
    return inspect.cleandoc(error.__doc__ or "").partition("\n\nAttributes:")[0]


def errors_with_codes() -> list[type[MgwError]]:
    """Return every error that has a code of its own, by code."""
    for module in DEFINING:
        importlib.import_module(module)
    return sorted(_concrete(MgwError), key=lambda error: error.code)


def _concrete(error: type[MgwError]) -> Iterator[type[MgwError]]:
    if "code" in vars(error) and error is not MgwError:
        yield error
    for child in error.__subclasses__():
        yield from _concrete(child)
