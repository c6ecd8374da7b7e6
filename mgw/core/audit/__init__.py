"""The audit trail: who changed what, from where, before and after; only added to, and chained: tampering shows."""

from mgw.core.audit.chain import Point, Purged, Verdict, purge, verify, verify_export
from mgw.core.audit.flushing import Flusher
from mgw.core.audit.listing import EntryFilter, Page, page, pages
from mgw.core.audit.trail import Trail
from mgw.core.changes import Action, Actor, Change, Entry
from mgw.core.database.recording import record, write

__all__ = [
    "Action",
    "Actor",
    "Change",
    "Entry",
    "EntryFilter",
    "Flusher",
    "Page",
    "Point",
    "Purged",
    "Trail",
    "Verdict",
    "page",
    "pages",
    "purge",
    "record",
    "verify",
    "verify_export",
    "write",
]
