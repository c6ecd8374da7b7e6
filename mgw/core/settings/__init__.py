"""The settings: one tree of typed values from flags, the environment and a YAML file, checked before anything runs.

The tree and its defaults are in `schema`, every other module here serves `load_settings`. What it returns is frozen
and is passed to whoever needs it; nothing in mgw reads the environment or a configuration file by itself.
"""

from mgw.core.settings.keys import Key, keys
from mgw.core.settings.load import LoadedSettings, Source, load_settings, resolve_path
from mgw.core.settings.redaction import redact_url, redacted
from mgw.core.settings.schema import (
    AlsSettings,
    BlendSettings,
    ContentSettings,
    ContextSettings,
    DatabaseSettings,
    DiversitySettings,
    EaseSettings,
    EncoderSettings,
    EvaluateSettings,
    ExperimentsSettings,
    GraphSettings,
    LoraSettings,
    ProfileSettings,
    RecommendSettings,
    ServiceSettings,
    Settings,
    SparkSettings,
)
from mgw.core.settings.structs import read_struct

__all__ = [
    "AlsSettings",
    "BlendSettings",
    "ContentSettings",
    "ContextSettings",
    "DatabaseSettings",
    "DiversitySettings",
    "EaseSettings",
    "EncoderSettings",
    "EvaluateSettings",
    "ExperimentsSettings",
    "GraphSettings",
    "Key",
    "LoadedSettings",
    "LoraSettings",
    "ProfileSettings",
    "RecommendSettings",
    "ServiceSettings",
    "Settings",
    "Source",
    "SparkSettings",
    "keys",
    "load_settings",
    "read_struct",
    "redact_url",
    "redacted",
    "resolve_path",
]
