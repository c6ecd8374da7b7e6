"""The report of an evaluation: one HTML file with tables and plots."""

from mgw.recommend.report.breakdown import by_epoch, by_history, by_popularity
from mgw.recommend.report.page import heading, page

__all__ = ["by_epoch", "by_history", "by_popularity", "heading", "page"]
