"""Proving that queries, descriptions, accessors and, if asked, the database still fit together."""

from mgw.sql.check.difference import RULES, Difference
from mgw.sql.check.offline import check_offline

__all__ = ["RULES", "Difference", "check_offline"]
