"""Names for the sample's people and places, put together from invented parts: none belongs to anybody."""

from __future__ import annotations


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    """Split a paragraph into words: a list literal would set one to a line."""
    return tuple(" ".join(word.split()) for word in text.split(separator))


GIVEN_NAMES = _words(
    """
    Adra Ambel Anso Arvid Belisa Benno Brana Calix Caro Celin Corvo Dalia Darro Delmi Edda Elin Emeric Fanno
    Fenna Fioren Galt Gerda Halvo Hesper Ilka Imbra Isaro Jaleth Jorin Juna Kaspa Kelda Kiro Lanna Leoric Lisbe
    Lovan Maelis Marko Mirel Nadir Nessa Nilo Odra Olin Orsa Pavo Pella Quill Ramo Renka Rosvi Sabel Sander
    Sivra Tamsin Teodor Tilla Ulric Una Valko Vesna Wendel Yorick Ysolde Zanni
    """
)
_HEADS = _words(
    """
    Al Bar Bel Bran Cal Cor Dal Dor El Fal Far Gar Gel Hal Har Il Jar Kal Kest Lan Lor Mar Mel Mor Nar Nor Ol Or
    Par Quen Ras Rov Sal Ser Tal Tor Ul Val Vel Zor
    """
)
_TAILS = _words(
    """
    abeck adane amont anek anto arco ashaw avel beck borne dahl den dottir ecki edge elli enko esko evan ford
    gard hurst iak idge ingo iska land lund mere mont novic osso ova quist rath rell sen shaw stad strom thorne
    uri vane ward wick zani
    """
)
_INITIALS = "ABCDEFGHIJKLMNOPRSTVW"
_PLACE_HEADS = _words(
    """
    Ost Kel Bram Vor Tam Hest Lirr Mav Dask Auk Corv Fenn Gal Holv Ister Jor Lath Nev Pell Rav Sel Thorn Ul Wend
    Yar Zel
    """
)
_PLACE_TAILS = _words(
    """
    rel by haven mouth stead wick burgh vale moor ness ford holm ridge quay field gate marsh cross
    """
)
OCCUPATIONS = _words(
    """
    a baker; a retired pilot; a night nurse; a cartographer; a piano tuner; a court clerk; a lighthouse keeper;
    a young teacher; a beekeeper; a taxi driver; a radio host; a botanist; a locksmith; a widowed judge; an
    apprentice; a ferry captain; an archivist; a former boxer; a translator; a stage hand; a vet; a postal
    worker; a glass blower; a student; an engineer; a shepherd; a bookseller; a surveyor; a street cook; a
    mechanic; an insomniac; a choir master
    """,
    ";",
)

PLACES = tuple(head + tail for head in _PLACE_HEADS for tail in _PLACE_TAILS)

_PLAIN_NAMES = len(GIVEN_NAMES) * len(_HEADS) * len(_TAILS)
_STRIDE = 48_271
"""A prime that does not divide the number of names: steps of it reach every name, and neighbours look unlike."""


def person_name(number: int) -> str:
    """Name a person; no two numbers share a name.

    >>> person_name(3) == person_name(3) != person_name(4)
    True
    """
    layer, index = divmod(number, _PLAIN_NAMES)
    rest, tail = divmod(index * _STRIDE % _PLAIN_NAMES, len(_TAILS))
    given, head = divmod(rest, len(_HEADS))
    return f"{GIVEN_NAMES[given]} {_initials(layer)}{_HEADS[head]}{_TAILS[tail]}"


def _initials(layer: int) -> str:
    """Middle initials that tell namesakes apart, once every plain name is taken."""
    letters = ""
    while layer:
        layer, letter = divmod(layer, len(_INITIALS))
        letters = f"{_INITIALS[letter]}. {letters}"
    return letters
