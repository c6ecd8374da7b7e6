"""What PostgreSQL says of each query: parameters, columns, what can be NULL, how many rows, and what it depends on."""

from mgw.sql.describe.describing import Describer

__all__ = ["Describer"]
