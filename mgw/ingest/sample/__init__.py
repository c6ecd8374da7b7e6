"""A generated platform: a catalogue and two years of viewing, for a first look and for tests at any size.

Tastes, genres, people, popularity, evenings and ratings hang together the way they do on a real platform, so that a
recommender has something to find: more than popularity, less than certainty. A seed gives the same sample anywhere.

    size     how large, and which random stream serves what
    genres, themes, names     the vocabulary
    world    the space of tastes -> people, catalogue -> stories (the catalogue in words)
    audience who watches -> choice (what) -> sittings (when, on what) -> response (how it was taken) -> viewing
"""

from mgw.ingest.sample.sittings import DEVICES
from mgw.ingest.sample.size import SampleSize
from mgw.ingest.sample.stories import Credit, SampleTitle, generate_catalogue
from mgw.ingest.sample.viewing import EventChunk, generate_events

__all__ = [
    "DEVICES",
    "Credit",
    "EventChunk",
    "SampleSize",
    "SampleTitle",
    "generate_catalogue",
    "generate_events",
]
