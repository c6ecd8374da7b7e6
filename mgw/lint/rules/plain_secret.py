"""A secret stands in a configuration file.

## Why is this bad

The file is in version control: everybody who ever had a copy has the secret, and taking it out later takes it out of no
copy. It also ends up in images, backups and error reports.

## What instead

Name an environment variable or a file that holds it (`url_env`, `password_file`), and make a new secret: this one is
known. What is a name of a variable, a reference (`${NAME}`) or a placeholder is no finding. Lines longer than 10,000
characters are data, and are not read.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWS002"

_KINDS = (".yaml", ".yml", ".json", ".toml", ".ini", ".cfg")
_KEY = re.compile(
    r"""["']?\b(?P<key>(?:[\w.]*[_.-])?(?:password|passwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|
    credentials?)(?:[_.-][\w.-]*)?)["']?\s*[:=]\s*(?P<value>"[^"]*"|'[^']*'|[^\s,#}\]]+)""",
    re.IGNORECASE | re.VERBOSE,
)
_REFERS = re.compile(
    r"_?(?:env|file|path|name|names|algorithms?|type|header|prefix|ttl\w*|\w*_s|url|kid|id|scopes?)\Z", re.IGNORECASE
)
_FORMS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a token of GitHub": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{22,}\b"),
    "a token of Slack": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "a key of an API": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}\b|\bsk_live_[A-Za-z0-9]{16,}\b"),
    "a JSON Web Token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    "a password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@\"'$]*:(?![$<{*]|\s)[^\s/@\"']+@[^\s\"']"),
}
_PLACEHOLDER = re.compile(
    r"\$\{?\w|\{\{|<.*>|\*{3,}|x{4,}\Z|(?:change|replace)[_ -]?me|your[_ -]|example|placeholder|redacted|none\Z|null\Z|"
    r"true\Z|false\Z|~\Z|\[|\{|\d{1,6}\Z|(?:env|file|vault|aws|gcp)[:/]",
    re.IGNORECASE,
)


def check(project: Project) -> Iterator[Finding]:
    """Find values that look like secrets, in files that configure."""
    for path in filter(_configures, project.paths):
        source = project.source(path)
        for number, line in enumerate(source.text.splitlines(), start=1):
            if (what := _secret(line)) is not None:
                yield Finding(
                    code=CODE, name="plain-secret", path=path, line=number,
                    message=f"{what} stands in the file",  # which is not repeated here
                    hint="name a variable or a file that holds it, and make a new one",
                )  # fmt: skip


def _configures(path: str) -> bool:
    """Say whether a file is one that programs are configured by; what tools keep in hidden folders is not."""
    *folders, name = path.split("/")
    return name.startswith(".env") or (name.endswith(_KINDS) and not any(each.startswith(".") for each in folders))


def _secret(line: str) -> str | None:
    """Return what kind of secret a line holds."""
    if len(line) > 10_000:
        return None
    for what, form in _FORMS.items():
        if (match := form.search(line)) and not _PLACEHOLDER.match(match[0].rpartition("://")[2]):
            return what
    for match in _KEY.finditer(line):
        key, value = match["key"], match["value"].strip("\"'")
        if not _REFERS.search(key) and _is_secret(value):
            return f"the value of {key}"
    return None


def _is_secret(value: str) -> bool:
    """Say whether a text is random enough, or long enough, to be one."""
    if len(value) < 6 or _PLACEHOLDER.match(value) or (value.isidentifier() and value.isupper()):
        return False
    return len(value) >= 12 or _bits(value) >= 2.5


def _bits(text: str) -> float:
    """Return Shannon's entropy of the letters of a text."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
