"""What a model's bits depend on besides its data and its parameters."""

from __future__ import annotations

import platform
from importlib.metadata import version

from mgw import __version__


def library_versions() -> dict[str, str]:
    """Return the versions of the program and of what a model's bits depend on."""
    libraries = {name: version(name) for name in ("numba", "numpy", "scipy")}
    return {"mgw": __version__, "python": platform.python_version(), **libraries}
