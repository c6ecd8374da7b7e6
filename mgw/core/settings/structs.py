"""A YAML file as a struct, with every fault at its line: what `load_settings` does for the settings, for any file.

A struct is a class of msgspec's; its keys, and those of the structs, lists and mappings in it, are looked at one by
one, because msgspec stops at the first fault and knows no lines.
"""

from __future__ import annotations

import difflib
import re
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from mgw.core.errors import FileUnreadable
from mgw.core.settings.faults import HINT, Fault, Place, invalid
from mgw.core.settings.yaml_source import Entry, Listing, Scalar, Section, parse_document, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from mgw.core.settings.yaml_source import Node

_Struct = TypeVar("_Struct", bound=Struct)
_NAMES = re.compile(r"`(\w+)(?: \| null)?`")
_PARTS = re.compile(r"[^.\[\]]+")
_WORDS = {
    "array": "a list", "object": "a section of keys", "str": "text", "float": "a number", "int": "a whole number",
    "bool": "true or false", "null": "nothing",
}  # fmt: skip


def read_struct(
    path: Path,
    kind: type[_Struct],
    check: Callable[[_Struct], Iterable[tuple[str, str]]] = lambda _: (),
    hint: str = HINT,
) -> _Struct:
    """Read a YAML file.

    Args:
        path: of the file.
        kind: the struct that its top level is.
        check: finds what no type can say, as keys, `routes[3].path`, and what is wrong with each.
        hint: what helps with a file of this kind.

    Raises:
        FileUnreadable: there is no such file, or it may not be read.
        ConfigInvalid: something is wrong; the message lists every fault with file, line and key.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise invalid([Fault(str(path), None, "is not UTF-8 text; save the file as UTF-8")], hint) from error
    except OSError as error:
        raise FileUnreadable(f"cannot read {path}: {error.strerror}") from error
    document = parse_document(text, str(path))
    faults = [*document.faults, *_faults(document.root, kind, "", document.root.place)]
    if faults:
        raise invalid(faults, hint)
    try:
        made = msgspec.convert(plain(document.root), kind)
    except msgspec.ValidationError as error:  # of a whole, such as too few elements
        raise invalid([Fault(document.root.place, None, _sentence(error))], hint) from error
    faults = [Fault(_place_of(document.root, key), key, problem) for key, problem in check(made)]
    if faults:
        raise invalid(faults, hint)
    return made


def _place_of(root: Section, key: str) -> Place:
    """Return where a key is; where it is left to its default, the place of what is above it."""
    node: Node | None = root
    place = root.place
    for part in _PARTS.findall(key):
        if isinstance(node, Section):
            entry = next((entry for entry in node.entries if entry.key == part), None)
            place, node = (entry.place, entry.value) if entry is not None else (place, None)
        elif isinstance(node, Listing) and part.isdecimal() and int(part) < len(node.items):
            node = node.items[int(part)]
            place = node.place
        else:
            break
    return place


def _faults(node: Node, wanted: Any, key: str, place: Place) -> Iterator[Fault]:  # noqa: ANN401 - any annotation
    bare = _fitting(wanted, node)
    element = get_args(bare)[-1] if get_origin(bare) is dict else (get_args(bare) or (None,))[0]
    if isinstance(bare, type) and issubclass(bare, Struct) and isinstance(node, Section):
        found = list(_faults_of_keys(node, bare, key, place))
    elif get_origin(bare) is tuple and isinstance(node, Listing):
        found = [
            fault
            for number, item in enumerate(node.items)
            for fault in _faults(item, element, f"{key}[{number}]", item.place)
        ]
    elif get_origin(bare) is dict and isinstance(node, Section):
        found = [
            fault
            for entry in node.entries
            for fault in _faults(entry.value, element, _below(key, entry.key), entry.place)
        ]
    else:
        found = []
    yield from found
    if not found:
        try:
            msgspec.convert(plain(node), wanted)
        except msgspec.ValidationError as error:
            yield Fault(place, key or None, _sentence(error))


def _faults_of_keys(node: Section, kind: type[Struct], key: str, place: Place) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    there: dict[str, Entry] = {entry.key: entry for entry in node.entries}
    for name, entry in there.items():
        if name in fields:
            yield from _faults(entry.value, fields[name].type, _below(key, name), entry.place)
            continue
        near = difflib.get_close_matches(name, fields, n=1)
        meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(fields)}"
        yield Fault(entry.place, _below(key, name), f"there is no such key{meant}")
    for name, field in fields.items():
        if name not in there and field.required and field.default is NODEFAULT:
            yield Fault(place, _below(key, name), "this key is missing")


def _fitting(wanted: Any, node: Node) -> Any:  # noqa: ANN401 - any annotation
    """Take constraints away, and of several types the one that the node may be."""
    if get_origin(wanted) is Annotated:
        return _fitting(get_args(wanted)[0], node)
    if get_origin(wanted) in {Union, UnionType}:
        choices = [each for each in get_args(wanted) if each is not NoneType]
        return NoneType if isinstance(node, Scalar) else _fitting(choices[0], node)
    return wanted


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _sentence(error: msgspec.ValidationError) -> str:
    """Return what msgspec says in words that need no knowledge of Python, without the place, which is ours to name."""
    said = str(error).partition(" - at `")[0]
    return _NAMES.sub(lambda name: _WORDS.get(name[1], name[0]), said)
