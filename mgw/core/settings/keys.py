"""The schema as a flat table of dotted keys: what loading, showing and explaining the settings walk over.

Nothing is declared twice: names, types, defaults, ranges and which keys are secret come from the structs of
`mgw.core.settings.schema`; the name of each environment variable follows from the dotted key.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import NODEFAULT, Struct, structs
from msgspec.inspect import Metadata, Type, UnionType, type_info

from mgw.core.settings.schema import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "MGW_"


@dataclass(frozen=True, slots=True)
class Key:
    """One setting.

    Attributes:
        name: the dotted key, `als.factors`.
        type: what the schema declares for it, for msgspec.
        default: its value where nobody sets it.
        secret: whether its value may be shown only after redaction.
    """

    name: str
    type: Any
    default: object
    secret: bool

    @property
    def path(self) -> tuple[str, ...]:
        """The dotted key in its parts."""
        return tuple(self.name.split("."))

    @property
    def variable(self) -> str:
        """The name of the environment variable that sets it."""
        return PREFIX + "_".join(self.path).upper()

    @property
    def info(self) -> Type:
        """The type as msgspec understands it, with its range."""
        return type_info(self.type)

    def get(self, settings: Settings) -> object:
        """Return the value of this key in `settings`."""
        value: Any = settings
        for part in self.path:
            value = getattr(value, part)
        return value


@cache
def keys() -> Mapping[str, Key]:
    """Return every setting by its dotted key, in the order of the schema."""
    return MappingProxyType({key.name: key for key in _walk(Settings, "")})


@cache
def sections() -> frozenset[str]:
    """Return the dotted names of the parts of the tree that are not values themselves."""
    paths = (key.path for key in keys().values())
    return frozenset(".".join(path[:end]) for path in paths for end in range(1, len(path)))


def build(values: Mapping[str, object]) -> Settings:
    """Return the settings in which the dotted keys of `values`, already checked, differ from the defaults."""
    settings: Settings = _build(Settings, "", values)
    return settings


def _walk(struct: type[Struct], prefix: str) -> Iterator[Key]:
    for field in structs.fields(struct):
        name = prefix + field.name
        if _is_section(field.type):
            yield from _walk(field.type, name + ".")
        else:
            yield Key(name=name, type=field.type, default=_default(field), secret=_is_secret(type_info(field.type)))


def _build(struct: type[Struct], prefix: str, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - any struct
    chosen = {}
    for field in structs.fields(struct):
        name = prefix + field.name
        if _is_section(field.type):
            chosen[field.name] = _build(field.type, name + ".", values)
        elif name in values:
            chosen[field.name] = values[name]
    return struct(**chosen)


def _is_section(declared: Any) -> bool:  # noqa: ANN401 - whatever a field may be annotated with
    return isinstance(declared, type) and issubclass(declared, Struct)


def _is_secret(info: Type) -> bool:
    if isinstance(info, Metadata):
        return bool((info.extra or {}).get("secret")) or _is_secret(info.type)
    return isinstance(info, UnionType) and any(_is_secret(one) for one in info.types)


def _default(field: structs.FieldInfo) -> object:
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    if field.default is NODEFAULT:
        # Not for users: every setting has a default, so that mgw runs without a file.
        raise msgspec.MsgspecError(f"the setting {field.name} has no default")
    return field.default
