"""From bytes to a request: valid, or refused with every fault that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from mgw.core.problems import Fault, bad_request
from mgw.service.messages import MOST_EVENTS, ViewingEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

_Message = TypeVar("_Message", bound=Struct)


def decode(body: bytes, decoder: msgspec.json.Decoder[_Message]) -> _Message:
    """Read a request.

    Raises:
        Problem: it is no JSON, or not what is asked for; then every fault is named.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        faults = tuple(_faults(_read_all(body), decoder.type, ""))
        raise bad_request("the request is not valid", *(faults or (Fault("", str(error)),))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"the body is not JSON: {error}") from None


def _read_all(body: bytes) -> object:
    """Read a body without any expectation.

    Raises:
        Problem: a number is larger than any, or lists are nested deeper than anybody reads.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise bad_request("the request is not valid", Fault("", str(error))) from None


def readable_events(body: bytes) -> list[ViewingEvent | None]:
    """Return the events of an update that is not valid as a whole, None in place of those that cannot be read."""
    document = _read_all(body)
    events = document.get("viewing_events") if isinstance(document, dict) else None
    return [_readable(event) for event in events[:MOST_EVENTS]] if isinstance(events, list) else []


def _readable(value: object) -> ViewingEvent | None:
    try:
        return msgspec.convert(value, ViewingEvent)
    except msgspec.ValidationError:
        return None


def _faults(value: object, wanted: object, at: str) -> Iterator[Fault]:
    """Find what msgspec would complain of, had it not stopped at the first."""
    wanted = _bare(wanted)
    if isinstance(wanted, type) and issubclass(wanted, Struct) and isinstance(value, dict):
        yield from _faults_of_fields(value, wanted, at)
        return
    element = get_args(wanted)[0] if get_origin(wanted) is tuple else None
    if isinstance(value, list) and isinstance(element, type) and issubclass(element, Struct):
        for place, each in enumerate(value):
            yield from _faults(each, element, f"{at}[{place}]")
        return
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        yield Fault(at, _sentence(error))


def _faults_of_fields(value: dict[str, object], wanted: type[Struct], at: str) -> Iterator[Fault]:
    prefix = f"{at}." if at else ""
    known = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name in value.keys() - known.keys():
        yield Fault(f"{prefix}{name[:100]}", f"there is no such field; there are {', '.join(known)}")
    for name, field in known.items():
        if name in value:
            found = list(_faults(value[name], field.type, f"{prefix}{name}"))
            yield from found
            if not found:
                yield from _fault_of_whole(value[name], field.type, f"{prefix}{name}")
        elif field.required and field.default is NODEFAULT:
            yield Fault(f"{prefix}{name}", "this field is missing")


def _fault_of_whole(value: object, wanted: object, at: str) -> Iterator[Fault]:
    """Find what is wrong with a list though none of its elements is: too many, or none."""
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        yield Fault(at, _sentence(error))


def _bare(wanted: object) -> object:
    """Take the constraints of a list away: its elements are looked at one by one."""
    inner = getattr(wanted, "__origin__", None)
    return inner if hasattr(wanted, "__metadata__") and get_origin(inner) is tuple else wanted


def _sentence(error: msgspec.ValidationError) -> str:
    """Return what msgspec says without the place, which is ours to name."""
    return str(error).partition(" - at `")[0]
