"""Experiments: who is in which variant."""
