"""What a variant lays over the settings: weights of the sources, diversity, another model, adapters on or off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from mgw.core.errors import ExperimentInvalid
from mgw.core.settings import BlendSettings, DiversitySettings

if TYPE_CHECKING:
    from mgw.core.settings import Settings

Number: TypeAlias = Annotated[float, Meta(ge=0)]
_Section = TypeVar("_Section", BlendSettings, DiversitySettings)


class Overlay(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A variant's config; what is left out is as the settings have it.

    Attributes:
        blend: keys of the section `blend`.
        diversity: keys of the section `diversity`.
        model: the snapshot that answers.
        adapter: whether users' adapters are used.
    """

    blend: dict[str, Number] = field(default_factory=dict)
    diversity: dict[str, Number] = field(default_factory=dict)
    model: Annotated[str, Meta(min_length=1)] | None = None
    adapter: bool | None = None

    def __post_init__(self) -> None:
        try:
            _laid(BlendSettings(), self.blend, "blend")
            _laid(DiversitySettings(), self.diversity, "diversity")
        except ExperimentInvalid as error:
            raise ValueError(error.message) from error  # which msgspec tells with the place

    def __or__(self, other: Overlay) -> Overlay:
        """Lay another one over this."""
        return Overlay(
            blend={**self.blend, **other.blend},
            diversity={**self.diversity, **other.diversity},
            model=self.model if other.model is None else other.model,
            adapter=self.adapter if other.adapter is None else other.adapter,
        )

    def over(self, settings: Settings) -> Settings:
        """Return the whole tree with this laid over it, but for the model."""
        lora = settings.lora
        return msgspec.structs.replace(
            settings,
            blend=self.blend_over(settings),
            diversity=self.diversity_over(settings),
            lora=msgspec.structs.replace(lora, strength=0.0) if self.adapter is False else lora,
        )

    def blend_over(self, settings: Settings) -> BlendSettings:
        """Return the weights of the sources."""
        return _laid(settings.blend, self.blend, "blend")

    def diversity_over(self, settings: Settings) -> DiversitySettings:
        """Return how lists are made various."""
        return _laid(settings.diversity, self.diversity, "diversity")


def _laid(section: _Section, given: dict[str, float], name: str) -> _Section:
    """Lay keys over a section.

    Raises:
        ExperimentInvalid: there is no such key, or the value does not fit.
    """
    if not given:
        return section
    whole = {
        key: int(value) if float(value).is_integer() else value
        for key, value in {**msgspec.to_builtins(section), **given}.items()
    }
    try:
        return msgspec.convert(whole, type(section))
    except msgspec.ValidationError as error:
        raise ExperimentInvalid(f"config.{name}: {error}") from error
