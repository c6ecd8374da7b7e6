"""Plan findings without data: predicates that no index can serve, with the index that would."""

from mgw.sql.plan.findings import Planner

__all__ = ["Planner"]
