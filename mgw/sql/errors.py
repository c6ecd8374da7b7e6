"""What can be wrong with a project's queries.

    MgwError
    └── SqlError                        a project's SQL, and what is known about it
        ├── QueriesMissing              SQL_QUERIES_MISSING
        ├── TempDenied                  SQL_TEMP_DENIED
        ├── NothingPrepared             SQL_NOTHING_PREPARED
        ├── QueryUnknown                SQL_QUERY_UNKNOWN
        └── QueryFault                  one query is at fault: file, line, column
            ├── NameInvalid             SQL_NAME_INVALID
            ├── NameTwice               SQL_NAME_TWICE
            ├── NotUtf8                 SQL_NOT_UTF8
            ├── QueryEmpty              SQL_QUERY_EMPTY
            ├── TwoStatements           SQL_TWO_STATEMENTS
            ├── DirectiveInvalid        SQL_DIRECTIVE_INVALID
            ├── ParameterClash          SQL_PARAMETER_CLASH
            ├── ParameterUntyped        SQL_PARAMETER_UNTYPED
            ├── ColumnUnnamed           SQL_COLUMN_UNNAMED
            ├── OverrideContradicted    SQL_OVERRIDE_CONTRADICTED
            ├── NotDescribable          SQL_NOT_DESCRIBABLE
            ├── NeedsInvalid            SQL_NEEDS_INVALID
            ├── SyntaxInvalid           SQL_SYNTAX_INVALID
            └── QueryRefused            SQL_QUERY_REFUSED

A fault of one query never hides that of another: whoever reads or describes a folder collects them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.core.errors import MgwError

if TYPE_CHECKING:
    from pathlib import Path


class SqlError(MgwError):
    """Base of the errors in a project's SQL."""


class QueriesMissing(SqlError):
    """The folder of queries does not exist, or holds none.

    Name it with `--queries`, or put the first query into it: one statement in a file that ends in `.sql`.
    """

    code = "SQL_QUERIES_MISSING"


class TempDenied(SqlError):
    """The user may not create temporary objects, which describing a query needs.

    The analysed query is stored for a moment as a temporary function. `GRANT TEMPORARY ON DATABASE … TO …`, or
    describe on a shadow database with `--shadow`.
    """

    code = "SQL_TEMP_DENIED"


class NothingPrepared(SqlError):
    """There are no descriptions yet.

    `mgw prepare` writes them; commit the folder `.prepared`.
    """

    code = "SQL_NOTHING_PREPARED"
    exit_code = 1


class QueryUnknown(SqlError):
    """No query has the name that was given.

    A query's name is its path below the folder of queries, without the ending: `graph/genre_similar`.
    """

    code = "SQL_QUERY_UNKNOWN"
    exit_code = 1


class QueryFault(SqlError):
    """Base of what is wrong with one query.

    Attributes:
        summary: what is wrong, in one line, without the place.
        path: its file.
        line: from 1; 0 where the fault is that of the whole file.
        column: from 1; 0 where the fault is that of the whole line or file.
    """

    exit_code = 1

    def __init__(
        self,
        summary: str,
        *,
        path: Path,
        text: str = "",
        offset: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.summary, self.path = summary, path
        self.line = self.column = 0
        where, excerpt = str(path), ""
        if offset is not None:
            self.line, self.column, excerpt = _pointed_out(text, offset)
            where = f"{path}:{self.line}:{self.column}"
        super().__init__(f"{where}: {summary}{excerpt}", hint=hint)


def _pointed_out(text: str, offset: int) -> tuple[int, int, str]:
    """Return line and column of an offset, both from 1, and the line with a caret below the place."""
    offset = min(offset, len(text))
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : end if end >= 0 else len(text)].rstrip()
    # What stands before the caret keeps its tabs, so that the caret is below its place in any terminal.
    blank = "".join("\t" if letter == "\t" else " " for letter in line[: offset - start])
    return text.count("\n", 0, offset) + 1, offset - start + 1, f"\n    {line}\n    {blank}^"


class NameInvalid(QueryFault):
    """The path of a query is no name: it has to become a Python function.

    Use letters, digits and underscores, and begin with a letter.
    """

    code = "SQL_NAME_INVALID"


class NameTwice(QueryFault):
    """Two queries have the same name, once it is written as Python writes names.

    `a/b_c.sql` and `a_b/c.sql` would both become `a_b_c`: rename one.
    """

    code = "SQL_NAME_TWICE"


class NotUtf8(QueryFault):
    """A query is not a text in UTF-8, or cannot be read at all.

    Save it in UTF-8.
    """

    code = "SQL_NOT_UTF8"


class QueryEmpty(QueryFault):
    """There is no statement in the file.

    Write one, or remove the file.
    """

    code = "SQL_QUERY_EMPTY"


class TwoStatements(QueryFault):
    """There is more than one statement in the file.

    A query is one statement: put the other into a file of its own. A name or a value cannot smuggle in a second one,
    because PostgreSQL is asked to parse the text as one statement before anything else is done with it.
    """

    code = "SQL_TWO_STATEMENTS"


class DirectiveInvalid(QueryFault):
    """A line of the header looks like a directive, and is none, or says what makes no sense.

    A line that begins with a word in lower case and a colon is a directive; prose begins with a capital.
    """

    code = "SQL_DIRECTIVE_INVALID"


class ParameterClash(QueryFault):
    """Two parameters differ only in case, or cannot both become Python arguments.

    Rename one of them.
    """

    code = "SQL_PARAMETER_CLASH"


class ParameterUntyped(QueryFault):
    """PostgreSQL cannot tell the type of a parameter.

    Say it in the header, `-- param NAME: TYPE`, or in the query, `:name::TYPE`.
    """

    code = "SQL_PARAMETER_UNTYPED"


class ColumnUnnamed(QueryFault):
    """A result column has no name of its own.

    Give it one with AS, for the accessors need it.
    """

    code = "SQL_COLUMN_UNNAMED"


class OverrideContradicted(QueryFault):
    """The header claims what the database refutes.

    Remove the directive, or change the query so that it is true.
    """

    code = "SQL_OVERRIDE_CONTRADICTED"


class NotDescribable(QueryFault):
    """A statement that PostgreSQL does not describe lacks `-- utility`, or one that it does has it.

    COPY, CREATE, DROP, ANALYZE and the like are kept as they are: put `-- utility` into the header. Others are
    described: remove it.
    """

    code = "SQL_NOT_DESCRIBABLE"


class NeedsInvalid(QueryFault):
    """`-- needs:` names no query, or one that does more than create a temporary table.

    Name the queries, marked `-- utility`, that create the temporary tables, in their order.
    """

    code = "SQL_NEEDS_INVALID"


class SyntaxInvalid(QueryFault):
    """PostgreSQL cannot parse the query.

    The caret stands below the place; PostgreSQL's own hint follows where it has one.
    """

    code = "SQL_SYNTAX_INVALID"


class QueryRefused(QueryFault):
    """PostgreSQL can parse the query, and refuses it: an unknown table or column, a type that does not fit.

    Mend the query, or add the migration that it waits for.
    """

    code = "SQL_QUERY_REFUSED"
