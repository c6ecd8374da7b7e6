"""Facts as values that can be kept between runs."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Declared: TypeAlias = Literal["setting", "action", "filter", "metric"]


class Use(Struct, frozen=True, array_like=True):
    """A use of a column of a row.

    Attributes:
        column: its name; empty for the value of a query with one column.
        line: where it is.
        at: column of the file, from 1.
        dereferenced: whether it would fail where it is NULL.
        guarded: whether it was asked before whether it is.
    """

    column: str
    line: int
    at: int
    dereferenced: bool
    guarded: bool


class Call(Struct, frozen=True, array_like=True):
    """A place that names the accessor of a query.

    Attributes:
        function: the accessor.
        line: where it is.
        at: column of the file, from 1.
        within: the function that it is in; empty at the top of the module.
        is_call: whether it is called there, and not handed on.
        is_followed: whether all that happens to the rows is known here.
        uses: of columns.
        positions: of columns that were unpacked into names.
        keywords: parameters that are given.
        nones: those that are given None, as it stands.
        is_unpacked: whether the whole result is unpacked into names: columns where it is a row, rows where it is many.
    """

    function: str
    line: int
    at: int
    within: str
    is_call: bool
    is_followed: bool = False
    uses: tuple[Use, ...] = ()
    positions: tuple[int, ...] = ()
    keywords: tuple[str, ...] = ()
    nones: tuple[str, ...] = ()
    is_unpacked: bool = False


class Declaration(Struct, frozen=True, array_like=True):
    """Something that is there to be used elsewhere.

    Attributes:
        kind: "setting", a key of a class of settings; "action", a member of a class of actions; "filter", a key of a
            class of filters or a parameter of a function that lists, which nothing in it reads; "metric", a family of
            Prometheus.
        owner: the class or function.
        name: of it.
        line: where it is.
        at: column of the file, from 1.
        bound: the name that a metric can be counted by; empty where there is none.
        is_read: whether it is known here already that something reads it.
    """

    kind: Declared
    owner: str
    name: str
    line: int
    at: int
    bound: str = ""
    is_read: bool = False


class Mention(Struct, frozen=True, array_like=True):
    """A name that stands somewhere.

    Attributes:
        name: of an event that is emitted, or of a call that has an exposure without propensities.
        line: where it is.
        at: column of the file, from 1.
    """

    name: str
    line: int
    at: int


class ModuleFacts(Struct, frozen=True, array_like=True):
    """A module.

    Attributes:
        attributes: names that are read as attributes.
        names: that are read as they stand.
        strings: constants that could be names.
        qualified: `Class.member` as far as it is read like that.
        imports: modules, and names of modules as `module.name`.
        calls: of accessors.
        declarations: settings, actions, filters and metrics.
        events: that are emitted.
        exposures: without propensities.
        problem: why it is no Python; empty where it is.
        line: where.
    """

    attributes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    strings: frozenset[str] = frozenset()
    qualified: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    calls: tuple[Call, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    events: tuple[Mention, ...] = ()
    exposures: tuple[Mention, ...] = ()
    problem: str = ""
    line: int = 0
