"""What titles say of themselves: words of the catalogue, text, and the embeddings made of both."""

from mgw.recommend.content.catalogue import Catalogue, read_catalogue
from mgw.recommend.content.embedding import embed

__all__ = ["Catalogue", "embed", "read_catalogue"]
