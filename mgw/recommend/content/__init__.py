"""What titles say of themselves: words of the catalogue, text, and the embeddings made of both."""

from mgw.recommend.content.catalogue import Catalogue, read_catalogue
from mgw.recommend.content.embedding import embed
from mgw.recommend.content.encoder import Encoder

__all__ = ["Catalogue", "Encoder", "embed", "read_catalogue"]
