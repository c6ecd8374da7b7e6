"""The themes of the sample: what a title is about, which genres like it, and the sentence it puts into a plot."""

from __future__ import annotations

from typing import NamedTuple


class Theme(NamedTuple):
    """One theme.

    Attributes:
        name: what the catalogue calls it.
        genres: the genres that it is at home in.
        clause: what the main character does about it: "… , a baker from Ostrel, <clause>."
    """

    name: str
    genres: tuple[str, ...]
    clause: str


THEMES = (
    Theme("found family", ("drama", "family", "animation"), "gathers a household out of strangers"),
    Theme("second chances", ("drama", "romance", "music"), "gets one more try at a life that slipped away"),
    Theme("sibling rivalry", ("drama", "comedy", "family"), "goes home to settle an old score with a sister"),
    Theme("small-town secrets", ("mystery", "crime", "drama"), "asks a question that a whole town has agreed to avoid"),
    Theme("heists", ("crime", "thriller", "comedy"), "plans to steal what was never for sale"),
    Theme("double lives", ("thriller", "crime", "romance"), "has kept two names apart for years"),
    Theme("conspiracies", ("thriller", "mystery", "history"), "finds one file too many in the archive"),
    Theme("revenge", ("action", "crime", "thriller"), "comes back for the people who did not expect it"),
    Theme("last jobs", ("action", "crime", "thriller"), "agrees to one final job and knows better"),
    Theme("chases", ("action", "adventure", "thriller"), "has to cross the country before word gets round"),
    Theme("survival", ("adventure", "action", "horror"), "has a broken radio and two days of water"),
    Theme("treasure hunts", ("adventure", "family", "fantasy"), "follows half a map towards the other half"),
    Theme("lost worlds", ("adventure", "science fiction", "fantasy"), "walks into a valley that is on no chart"),
    Theme(
        "quests", ("fantasy", "adventure", "animation"), "sets out to return a thing that should not have been taken"
    ),
    Theme("forbidden magic", ("fantasy", "horror", "romance"), "learns a word that was struck from every book"),
    Theme("talking animals", ("animation", "family", "fantasy"), "is given advice by a badger, and takes it"),
    Theme("growing up", ("family", "drama", "animation"), "spends the summer that separates before from after"),
    Theme("holiday chaos", ("comedy", "family", "romance"), "books the wrong cottage for the right week"),
    Theme("mistaken identities", ("comedy", "mystery", "romance"), "is taken for somebody far more important"),
    Theme("office life", ("comedy", "drama", "documentary"), "inherits the worst desk on the fourth floor"),
    Theme("fish out of water", ("comedy", "family", "adventure"), "moves to a place where nothing works as it should"),
    Theme("wedding trouble", ("comedy", "romance", "drama"), "has four days to save somebody else's wedding"),
    Theme("long-distance love", ("romance", "drama", "music"), "writes every week to someone on another coast"),
    Theme("enemies to lovers", ("romance", "comedy", "fantasy"), "must share a train compartment with a sworn rival"),
    Theme("first love", ("romance", "drama", "music"), "falls in love at an inconvenient speed"),
    Theme("artificial minds", ("science fiction", "thriller", "drama"), "teaches a machine to doubt"),
    Theme("time loops", ("science fiction", "comedy", "mystery"), "wakes up to the same Tuesday again"),
    Theme("first contact", ("science fiction", "drama", "adventure"), "answers a voice that should not be there"),
    Theme("deep space", ("science fiction", "horror", "adventure"), "is woken ninety years too early"),
    Theme("dystopia", ("science fiction", "action", "thriller"), "stops taking the pills that everybody takes"),
    Theme("haunted houses", ("horror", "mystery", "family"), "buys a house that nobody else bid for"),
    Theme("possession", ("horror", "drama", "fantasy"), "hears a stranger speak with a familiar voice"),
    Theme("monsters", ("horror", "action", "fantasy"), "finds tracks that begin in the middle of a field"),
    Theme("locked rooms", ("mystery", "crime", "thriller"), "is called to a room that was bolted from inside"),
    Theme("amateur sleuths", ("mystery", "comedy", "crime"), "solves the wrong case first"),
    Theme("courtrooms", ("drama", "crime", "history"), "defends the one client who will not talk"),
    Theme("war", ("history", "drama", "action"), "carries a message across a front that keeps moving"),
    Theme("court intrigue", ("history", "fantasy", "drama"), "is the only person at court without a secret"),
    Theme("exile", ("history", "drama", "adventure"), "leaves with one suitcase and the wrong papers"),
    Theme("nature", ("documentary", "animation", "adventure"), "spends a year beside one river"),
    Theme("craftsmanship", ("documentary", "drama", "music"), "is the last to know how it is made by hand"),
    Theme("food", ("documentary", "comedy", "romance"), "reopens a kitchen that has been cold for ten years"),
    Theme("discovery", ("documentary", "science fiction", "history"), "tests an idea that took a century to prove"),
    Theme("sport", ("drama", "documentary", "family"), "coaches the team that has never won"),
    Theme("bands on the road", ("music", "comedy", "documentary"), "takes an old band on one more tour"),
    Theme("stage fright", ("music", "drama", "comedy"), "has to stand where the light is"),
)
