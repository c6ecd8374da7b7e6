"""`mgw --help` with its commands in groups, in the order in which somebody new meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS: dict[str, tuple[str, ...]] = {
    "Begin": ("demo", "init", "config", "doctor", "status"),
    "Data": ("db", "import", "sample"),
    "Models": ("train", "tune", "evaluate", "models", "adapters", "export"),
    "Recommendations": ("recommend", "similar", "profile"),
    "Experiments": ("experiment",),
    "Service and gateway": ("serve", "gateway", "token"),
    "What keeps them honest": ("prepare", "check", "explain", "watch", "lint"),
    "Operations": ("audit", "metrics", "explain-error"),
}


class GroupedCommands(TyperGroup):
    """A group whose help lists its commands in sections."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - Typer has no public name for either
        """Write the sections; what is in none of them stands in one of its own."""
        for title, names in self._sections(ctx):
            with formatter.section(title):
                limit = formatter.width - 6 - max(map(len, self.list_commands(ctx)))
                formatter.write_dl([(name, self._summary(ctx, name, limit)) for name in names])

    def _sections(self, ctx: Any) -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401
        known = [name for name in self.list_commands(ctx) if not self._command(ctx, name).hidden]
        placed = {name for names in GROUPS.values() for name in names}
        for title, names in {**GROUPS, "Other": tuple(name for name in known if name not in placed)}.items():
            if shown := [name for name in names if name in known]:
                yield title, shown

    def _command(self, ctx: Any, name: str) -> Any:  # noqa: ANN401
        return self.get_command(ctx, name)

    def _summary(self, ctx: Any, name: str, limit: int) -> str:  # noqa: ANN401
        return str(self._command(ctx, name).get_short_help_str(limit))
