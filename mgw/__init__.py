"""mgw: a command-line toolkit for a film and television platform."""

__version__ = "0.1.0"
