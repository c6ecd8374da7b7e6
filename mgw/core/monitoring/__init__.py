"""A dashboard and alerts made from the metrics that are declared, so that neither names one that there is not."""

from mgw.core.monitoring.alerts import Alert, alert_rules
from mgw.core.monitoring.dashboard import dashboard

__all__ = ["Alert", "alert_rules", "dashboard"]
