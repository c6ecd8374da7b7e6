"""Other tools that do well what need not be done again; what they find is told as one report with ours."""

from mgw.lint.delegates.running import TOOLS, Delegates, Trouble

__all__ = ["TOOLS", "Delegates", "Trouble"]
