"""Recommendations: from viewing events to a model snapshot, and from a snapshot to titles with reasons."""
