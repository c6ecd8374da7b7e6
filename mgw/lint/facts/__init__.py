"""What is known of a Python module once it was read: all that rules ask, so that no module is read twice."""

from mgw.lint.facts.module import read_module
from mgw.lint.facts.values import Call, Declaration, Mention, ModuleFacts, Use

__all__ = ["Call", "Declaration", "Mention", "ModuleFacts", "Use", "read_module"]
