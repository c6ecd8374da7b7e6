"""The YAML that we read: the core schema of YAML 1.2 on PyYAML's scanner and composer.

PyYAML resolves words by YAML 1.1, where `no` is false, `1:30` is ninety and `1e-3` is text. A configuration is read
by people before it is read by a program, so words mean here what YAML 1.2 (section 10.3.2) says: only `true` and
`false` are booleans, `1e-3` is a number, and everything else is text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from mgw.core.settings.faults import Fault, Place, invalid

if TYPE_CHECKING:
    from mgw.core.errors import ConfigInvalid

MAX_DEPTH = 40

_NULL, _BOOL, _INT, _FLOAT, _STR, _SEQ, _MAP = (
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")
)
TAGS: Final[dict[type[yaml.Node], frozenset[str]]] = {
    yaml.ScalarNode: frozenset({_NULL, _BOOL, _INT, _FLOAT, _STR}),
    yaml.SequenceNode: frozenset({_SEQ}),
    yaml.MappingNode: frozenset({_MAP}),
}
"""The tags that a node of each kind may have; any other would ask for an object that is not plain data."""

_FORMS = {
    _NULL: re.compile(r"(?:~|null|Null|NULL|)\Z"),
    _BOOL: re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    _INT: re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"),
    _FLOAT: re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
    ),
}

_IN_PLAIN_WORDS = (
    # PyYAML's sentence, ours. The first four are about things that PyYAML would quote from the file, maybe a password.
    ("found undefined alias", "an alias (`*…`) without its anchor; quote the text if it only starts with `*`"),
    ("found undefined tag handle", "a YAML tag (`!…`) that nothing defines; quote the text if it only starts with `!`"),
    ("second occurrence", "an anchor (`&…`) that is defined twice"),
    ("duplicate tag handle", "a %TAG line that is there twice"),
    ("found character '\\t'", "a tab character; YAML wants spaces here"),
    ("but found another document", "a second document starts here; one file holds one"),
    ("mapping values are not allowed here", "a `:` that does not belong here; indent the line or quote the text"),
    ("is nested deeper", f"is nested deeper than {MAX_DEPTH} levels"),
    ("could not find expected ':'", "a key without its `:`"),
)


class UnreadableScalarError(ValueError):
    """A scalar whose text does not have the form that its tag asks for."""


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """PyYAML's pipeline up to the composer: nothing in it can construct an object."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - the signature is PyYAML's
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem="is nested deeper", problem_mark=self._ahead())
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _ahead(self) -> Any:  # noqa: ANN401 - a yaml.Mark, which the stubs do not say
        return self.peek_event().start_mark  # type: ignore[no-untyped-call]


for _tag, _form in _FORMS.items():
    # None: try the form on every word, whatever its first character.
    _Loader.add_implicit_resolver(_tag, _form, [None])


def compose(text: str, name: str) -> yaml.Node | None:
    """Compose the single document in `text`, the content of the file `name`; None where it is empty.

    Raises:
        ConfigInvalid: the text is not YAML, is nested too deeply, or holds more than one document.
    """
    try:
        loader = _Loader(text)
    except ReaderError as error:
        line_start = text.rfind("\n", 0, error.position) + 1
        place = Place(name, text.count("\n", 0, error.position) + 1, error.position - line_start + 1)
        problem = f"the character U+{ord(text[error.position]):04X} is not allowed in YAML"
        raise invalid([Fault(place, None, problem)]) from error
    try:
        node: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, name) from error
    except (ValueError, OverflowError) as error:
        # Numbers that Python refuses: an escape beyond Unicode (`"\U00110000"`), a %YAML version of 5000 digits.
        place = _place(loader.get_mark(), name)
        raise invalid([Fault(place, None, "an escape or a number that is out of range")]) from error
    return node


def scalar_value(node: yaml.Node) -> str | int | float | bool | None:
    """Return the value of a scalar node by its tag.

    Raises:
        UnreadableScalarError: an explicit tag (`!!int`) and the text do not fit, or the number has thousands of digits.
    """
    text: str = node.value
    form = _FORMS.get(node.tag)
    if form is None:
        return text
    if not form.match(text):
        raise UnreadableScalarError(f"does not have the form of its tag `!!{node.tag.rpartition(':')[2]}`")
    if node.tag == _NULL:
        return None
    if node.tag == _BOOL:
        return text.lower() == "true"
    if node.tag == _INT:
        return _integer(text)
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    try:
        return int(text, base)
    except ValueError as error:  # more digits than Python converts (sys.set_int_max_str_digits)
        raise UnreadableScalarError("is a number with too many digits") from error


def _place(mark: yaml.Mark, name: str) -> Place:
    return Place(name, mark.line + 1, mark.column + 1)


def _syntax(error: yaml.MarkedYAMLError, name: str) -> ConfigInvalid:
    """Translate PyYAML's complaint, which would otherwise quote the line and whatever secret is on it."""
    mark = error.problem_mark or error.context_mark
    place = _place(mark, name) if mark else name
    problem = error.problem or error.context or "is not YAML"
    for theirs, ours in _IN_PLAIN_WORDS:
        if problem.startswith(theirs):
            return invalid([Fault(place, None, ours)])
    start = error.context_mark
    if error.context and start and mark and start.line != mark.line:
        problem = f"{problem}, {error.context} that starts on line {start.line + 1}"
    return invalid([Fault(place, None, f"is not YAML: {problem}")])
