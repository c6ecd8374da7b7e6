"""What the service answers of experiments: blocking, for the threads of a worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from msgspec import UNSET

from mgw.core.database import queries
from mgw.core.problems import Fault, bad_request
from mgw.experiments.conversions import Conversion, conversion_faults, record_conversions
from mgw.experiments.documents import experiment_document, report_document
from mgw.experiments.measure import Look
from mgw.experiments.report import make_report
from mgw.experiments.store import create_experiment, load_experiment, set_status
from mgw.service.messages import ConversionsReply, ExperimentsReply, ExperimentSummary

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.audit import Actor
    from mgw.experiments.definition import Definition
    from mgw.experiments.documents import ExperimentDocument, ReportDocument
    from mgw.service.connections import Connections
    from mgw.service.messages import ConversionsRequest, StatusRequest

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """A request on experiments.

    Attributes:
        name: of the experiment, from the path; empty where there is none in it.
        body: what was sent; None where nothing is.
        actor: who asks.
    """

    name: str
    body: Any
    actor: Actor


class ExperimentAnswers:
    """Answers from the database.

    Args:
        connections: to it.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def create(self, call: Call) -> ExperimentDocument:
        """Create an experiment, as a draft.

        Raises:
            ExperimentInvalid: it cannot be run.
            ExperimentExists: there is one of this name.
        """
        definition: Definition = call.body
        return experiment_document(self._connections.run(lambda c: create_experiment(c, definition, call.actor)))

    def list(self, _call: Call) -> ExperimentsReply:
        """List experiments, but for archived ones."""
        rows = self._connections.run(lambda c: queries.experiments_list(c, with_archived=False, top_k=_MOST))
        return ExperimentsReply(
            experiments=tuple(
                ExperimentSummary(
                    name=row.name,
                    status=cast("Any", row.status),
                    users=row.users,
                    created_at=row.created_at,
                    started_at=row.started_at,
                    ended_at=row.ended_at,
                )
                for row in rows
            )
        )

    def show(self, call: Call) -> ExperimentDocument:
        """Return an experiment.

        Raises:
            ExperimentUnknown: there is none of this name.
        """
        return experiment_document(self._connections.run(lambda c: load_experiment(c, call.name)))

    def set_status(self, call: Call) -> ExperimentDocument:
        """Move an experiment to another status.

        Raises:
            ExperimentUnknown: there is none of this name.
            ExperimentStatusInvalid: there is no way from where it is.
        """
        asked: StatusRequest = call.body
        moved = self._connections.run(lambda c: set_status(c, call.name, asked.status, call.actor, why=asked.why))
        return experiment_document(moved)

    def metrics(self, call: Call) -> ReportDocument:
        """Report on an experiment.

        Raises:
            ExperimentUnknown: there is none of this name.
        """

        def read(connection: Connection[TupleRow]) -> ReportDocument:
            with connection.transaction():  # of one moment
                look = Look(connection, load_experiment(connection, call.name), datetime.now(UTC))
                return report_document(make_report(look))

        return self._connections.run(read)

    def convert(self, call: Call) -> ConversionsReply:
        """Record conversions, all or none.

        Raises:
            Problem: one of them cannot be recorded.
        """
        asked: ConversionsRequest = call.body
        now = datetime.now(UTC)
        given = [
            Conversion(
                user_id=each.user_id,
                event=each.event,
                idempotency_key=each.idempotency_key,
                converted_at=now if each.at is UNSET else each.at,
                value=each.value,
                experiment=each.experiment or "",
            )
            for each in asked.conversions
        ]

        def record(connection: Connection[TupleRow]) -> int:
            faults = [
                Fault(f"conversions[{place}].{key}", problem)
                for place, key, problem in conversion_faults(connection, given, now)
            ]
            if faults:
                raise bad_request("nothing was recorded", *faults)
            return record_conversions(connection, given)

        return ConversionsReply(given=len(given), new=self._connections.run(record))
