"""What somebody should hear of the recommendation service."""

from __future__ import annotations

from mgw.core.monitoring.alerts import Alert

ALERTS = (
    Alert(
        "RecommendationsFail",
        'sum(rate(mgw_service_requests_total{status=~"5.."}[5m])) / sum(rate(mgw_service_requests_total[5m])) > 0.02',
        5, "page", "More than one request in fifty is answered with 5xx.", "The log names each with its request id.",
    ),
    Alert(
        "RecommendationsAreSlow",
        "histogram_quantile(0.99, sum by (le) ("
        'rate(mgw_service_request_seconds_bucket{route=~".*/recommendations"}[5m]))) > 0.5',
        10, "page", "One list in a hundred takes longer than half a second.",
        "mgw_service_stage_seconds says whether the database or the ranking is slow.",
    ),
    Alert(
        "DatabaseIsAway", "max(mgw_service_database_away) > 0", 2, "page",
        "The service answers from the snapshot alone, without what users watched lately.", "`mgw doctor`",
    ),
    Alert(
        "RequestsFindNoPlace", "sum(rate(mgw_service_refused_total[5m])) > 0", 5, "page",
        "Requests are refused because too many wait.", "More workers or threads: `service.workers`, `service.threads`.",
    ),
    Alert(
        "ModelIsOld", "time() - min(mgw_service_model_created_timestamp_seconds) > 7 * 86400", 60, "ticket",
        "A model that answers was trained more than a week ago.", "`mgw train als`, and `mgw models list`.",
    ),
    Alert(
        "TrainingsFail", 'increase(mgw_training_runs_total{outcome="failed"}[1d]) > 0', 1, "ticket",
        "A training of {{ $labels.kind }} has failed since yesterday.", "Run it again by hand: it says why.",
    ),
    Alert(
        "AuditTrailWaits", "max(mgw_service_audit_backlog_files) > 0", 30, "ticket",
        "Entries of the audit trail do not come to the database.", "`mgw audit flush` says why.",
    ),
    Alert(
        "ExposuresWait", "max(mgw_service_exposures_backlog_files) > 10", 30, "ticket",
        "Exposures of experiments do not come to the database; reports lack them.", "The service's log says why.",
    ),
    Alert(
        "AdaptersLagBehind", "sum(mgw_service_refits_waiting) > 1000", 30, "ticket",
        "Users with new events wait long for their adapters.", "`mgw train lora` trains them all at once.",
    ),
)  # fmt: skip
"""By how bad it is to miss them."""
