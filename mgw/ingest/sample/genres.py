"""The genres of the sample: where each stands in the space of tastes, how its titles sound and when they are watched.

Four coordinates are set by hand (dark against light, fantastic against real, action against thought, wide against
intimate), so that neighbours in taste are neighbours in fact: who likes thrillers will not mind a crime story.
"""

from __future__ import annotations

from typing import NamedTuple


class Genre(NamedTuple):
    """One genre.

    Attributes:
        name: what the catalogue calls it.
        share: how common it is, relative to the others.
        place: its coordinates, each -1 to 1: dark, fantastic, action, wide.
        runtime_minutes: what its films run to, on average.
        hour_shift: how much later than usual it is watched, in hours.
        adjectives: words for its titles.
        nouns: words for its titles.
        closings: second sentences of its plots.
    """

    name: str
    share: float
    place: tuple[float, float, float, float]
    runtime_minutes: int
    hour_shift: float
    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]
    closings: tuple[str, ...]


def _genre(
    name: str, share: float, place: tuple[float, float, float, float], clock: tuple[int, float], *words: str
) -> Genre:
    adjectives, nouns, *closings = words
    return Genre(name, share, place, *clock, tuple(adjectives.split()), tuple(nouns.split()), tuple(closings))


GENRES = (
    _genre(
        "drama", 1.6, (0.3, -0.7, -0.7, -0.3), (112, 0.0),
        "Quiet Unspoken Borrowed Patient Tender", "Tide Orchard Promise Kitchen Letter Season",
        "What is left unsaid weighs more every day.", "Nobody leaves the table unchanged.",
        "Old wounds open slowly and close more slowly still.",
    ),
    _genre(
        "comedy", 1.5, (-0.9, -0.3, -0.2, -0.6), (97, -0.4),
        "Awkward Reluctant Second-Hand Overdressed Cheerful", "Lodger Umbrella Wedding Parrot Neighbour Casserole",
        "Every attempt to put things right makes them funnier.", "By Sunday the whole street has an opinion.",
        "It would all be simpler if anyone had read the invitation.",
    ),
    _genre(
        "thriller", 1.2, (0.8, -0.4, 0.5, 0.0), (108, 0.8),
        "Cold Silent Double Hidden Last", "Signal Witness Corridor Alibi Frequency Keyhole",
        "The closer the answer comes, the fewer people can be trusted.", "Someone is always one call ahead.",
        "There are nine hours left, and then eight.",
    ),
    _genre(
        "crime", 0.9, (0.9, -0.8, 0.3, -0.3), (110, 0.7),
        "Crooked Unpaid Marked Blunt Midnight", "Ledger Debt Precinct Informer Pier Verdict",
        "The evidence points home.", "Every favour in this town is written down somewhere.",
        "An honest mistake turns out to be neither.",
    ),
    _genre(
        "romance", 1.0, (-0.5, -0.6, -0.9, -0.7), (103, -0.1),
        "Second Slow Almost Summer Paper", "Waltz Valentine Ferry Confession Balcony Encore",
        "Two careful people run out of reasons to be careful.", "Timing, as ever, is the third person in the room.",
        "A goodbye has to be said twice before it fails.",
    ),
    _genre(
        "science fiction", 1.0, (0.3, 0.8, 0.4, 0.8), (118, 0.4),
        "Synthetic Distant Recursive Orbital Unlit", "Meridian Archive Colony Horizon Engine Satellite",
        "The machine has been truthful all along, and that is the trouble.", "Out here, help is eleven years away.",
        "The future arrives with somebody else's handwriting on it.",
    ),
    _genre(
        "fantasy", 0.8, (-0.1, 1.0, 0.3, 0.7), (121, -0.5),
        "Thorned Ashen Wandering Seventh Moonlit", "Crown Lantern Wyrm Oath Thicket Spellwright",
        "Old magic keeps its bargains to the letter.", "The map shows a road only to those who are lost.",
        "A crown is heavier than the legends say.",
    ),
    _genre(
        "adventure", 0.9, (-0.3, 0.3, 0.9, 0.9), (114, -0.8),
        "Uncharted Reckless Golden Windward Far", "Compass Expedition Summit River Caravan Atlas",
        "The way back is longer than the way there.", "Each clue costs them another day's water.",
        "The storm does not read the maps.",
    ),
    _genre(
        "action", 1.0, (0.4, 0.0, 1.0, 0.4), (109, 0.5),
        "Burning Zero Iron Breakneck Loaded", "Convoy Pursuit Rampart Detonator Overpass Contract",
        "The plan lasts for about a minute.", "No bridge in the city is safe by dawn.",
        "It takes one more fight than anybody has left.",
    ),
    _genre(
        "horror", 0.8, (1.0, 0.6, 0.1, -0.6), (98, 1.8),
        "Hollow Whispering Rotten Sleepless Nailed", "Cellar Visitor Lullaby Marsh Mirror Congregation",
        "Whatever knocks at night has begun to use the right name.", "The house remembers its guests.",
        "The children stopped drawing people weeks ago.",
    ),
    _genre(
        "mystery", 0.8, (0.5, -0.2, -0.3, -0.2), (107, 0.3),
        "Missing Locked Curious Thirteenth Misread", "Clockmaker Riddle Postmark Guest Staircase Cipher",
        "Each of the guests has told the truth about something else.", "The simplest answer has an alibi.",
        "The last page has been torn out, and carefully.",
    ),
    _genre(
        "documentary", 0.8, (0.0, -1.0, -0.8, 0.5), (92, -1.3),
        "Ordinary Measured Living Salted Unseen", "Harvest Glacier Workshop Census Delta Apprentice",
        "The camera stays long after the visitors have gone.", "The figures are small until they are added up.",
        "Those who were there tell it in their own order.",
    ),
    _genre(
        "animation", 0.8, (-0.8, 0.8, 0.2, 0.1), (91, -2.6),
        "Tiny Cloudy Runaway Upside-Down Marvellous", "Hedgehog Balloon Teapot Puddle Comet Snail",
        "Being small turns out to be the trick of it.", "It takes a whole meadow to carry one secret.",
        "The moon is consulted, and has views.",
    ),
    _genre(
        "family", 0.9, (-0.9, 0.1, 0.0, -0.3), (96, -2.9),
        "Big Muddy Lost Sunday Birthday", "Treehouse Puppy Recipe Holiday Cousin Sandcastle",
        "Nobody is too old for the treehouse after all.", "Grandmother has known from the start.",
        "The dog is the only one who listens.",
    ),
    _genre(
        "history", 0.6, (0.2, -0.7, 0.0, 0.8), (127, 0.1),
        "Forgotten Tarnished Winter Royal Exiled", "Treaty Regiment Chancellor Fortress Envoy Almanac",
        "The winners are already writing it down.", "A signature can burn more than a torch.",
        "Winter decides what the generals could not.",
    ),
    _genre(
        "music", 0.5, (-0.4, -0.5, -0.4, -0.1), (101, -0.2),
        "Offbeat Velvet Unplugged Minor Borrowed", "Chorus Drummer Refrain Jukebox Bassline Rehearsal",
        "The song is finished on the night it is no longer needed.", "Four people hear four different bands.",
        "The silence between two notes is where they quarrel.",
    ),
)  # fmt: skip
"""One genre, one block of lines: laid out by hand, because a word to a line would run to pages."""

GENRE_NAMES = tuple(genre.name for genre in GENRES)
