"""Every error that a user can meet, in one tree.

    MgwError
    ├── ConfigError                 what was asked for in files, environment or flags
    │   ├── UsageInvalid            USAGE_INVALID
    │   ├── ConfigNotFound          CONFIG_NOT_FOUND
    │   ├── ConfigInvalid           CONFIG_INVALID
    │   └── ConfigExists            CONFIG_EXISTS
    ├── StorageError                the file system said no
    │   ├── DiskFull                DISK_FULL
    │   ├── ReadOnly                READ_ONLY
    │   └── FileUnreadable          FILE_UNREADABLE
    ├── DatabaseError               PostgreSQL, ours or the user's
    │   ├── DatabaseUnreachable     DATABASE_UNREACHABLE
    │   ├── DatabaseAuthFailed      DATABASE_AUTH_FAILED
    │   ├── DatabaseDenied          DATABASE_DENIED
    │   ├── DatabaseFailed          DATABASE_FAILED
    │   ├── DatabaseTooOld          DATABASE_TOO_OLD
    │   ├── SchemaOutdated          SCHEMA_OUTDATED
    │   ├── MigrationEdited         MIGRATION_EDITED
    │   ├── MigrationFailed         MIGRATION_FAILED
    │   ├── MigrationsInvalid       MIGRATIONS_INVALID
    │   ├── EmbeddedUnavailable     EMBEDDED_UNAVAILABLE
    │   └── EmbeddedFailed          EMBEDDED_FAILED
    ├── IngestError                 data on its way in
    │   ├── SourceInvalid           SOURCE_INVALID
    │   ├── RowsInvalid             ROWS_INVALID
    │   ├── SampleWouldMix          SAMPLE_WOULD_MIX
    │   └── ExtraMissing            EXTRA_MISSING
    ├── DataError                   the data cannot answer the question
    │   ├── NoEvents                NO_EVENTS
    │   ├── NothingToEvaluate       NOTHING_TO_EVALUATE
    │   ├── ContentUnknown          CONTENT_UNKNOWN
    │   ├── UserUnknown             USER_UNKNOWN
    │   └── PredicateInvalid        PREDICATE_INVALID
    ├── ModelError                  model snapshots
    │   ├── ModelMissing            MODEL_MISSING
    │   ├── ModelNotFound           MODEL_NOT_FOUND
    │   ├── ModelDamaged            MODEL_DAMAGED
    │   ├── ModelForeign            MODEL_FOREIGN
    │   ├── ModelInUse              MODEL_IN_USE
    │   ├── ParametersInvalid       PARAMETERS_INVALID
    │   ├── AdapterDamaged          ADAPTER_DAMAGED
    │   ├── AdapterForeign          ADAPTER_FOREIGN
    │   ├── MemoryShort             MEMORY_SHORT
    │   └── SparkUnavailable        SPARK_UNAVAILABLE
    ├── ExperimentError             experiments, and what can be said of them
    │   ├── ExperimentInvalid       EXPERIMENT_INVALID
    │   ├── ExperimentUnknown       EXPERIMENT_UNKNOWN
    │   ├── ExperimentExists        EXPERIMENT_EXISTS
    │   ├── ExperimentStatusInvalid EXPERIMENT_STATUS_INVALID
    │   └── NotEnoughData           NOT_ENOUGH_DATA
    ├── AuditError                  the audit trail
    │   ├── AuditExportInvalid      AUDIT_EXPORT_INVALID
    │   └── AuditUnwritten          AUDIT_UNWRITTEN
    ├── LintError                   `mgw lint`
    │   └── BaselineInvalid         BASELINE_INVALID
    ├── DemoFailed                  DEMO_FAILED
    └── ServiceError                what answers over the network
        ├── AddressInUse            ADDRESS_IN_USE
        ├── AddressInvalid          ADDRESS_INVALID
        ├── GatewayRefused          GATEWAY_REFUSED
        └── GatewayUnreachable      GATEWAY_UNREACHABLE

A library raises one of these and never prints; the command line renders it and exits with its `exit_code`:
1 where the answer is no, 2 where the question could not be asked. Foreign exceptions are translated where they
enter, with `raise … from`.
"""

from __future__ import annotations

from typing import ClassVar


class MgwError(Exception):
    """The root: a stable code, a sentence that names the thing at fault, and a hint that says what to do.

    Attributes:
        message: what is wrong, naming the file, line, key or row.
        hint: what to do about it, or None where there is nothing to add.
    """

    code: ClassVar[str] = "MGW_ERROR"
    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(MgwError):
    """Base of the errors in configuration files, environment variables and flags."""


class UsageInvalid(ConfigError):
    """There is no such command, option or argument, or a value does not fit."""

    code = "USAGE_INVALID"


class ConfigNotFound(ConfigError):
    """The configuration file that was named does not exist."""

    code = "CONFIG_NOT_FOUND"


class ConfigInvalid(ConfigError):
    """The configuration cannot be used; the message lists every fault with file, line and key."""

    code = "CONFIG_INVALID"


class ConfigExists(ConfigError):
    """`mgw init` will not write over a configuration that is already there."""

    code = "CONFIG_EXISTS"
    exit_code = 1


class StorageError(MgwError):
    """Base of the errors of the file system."""


class DiskFull(StorageError):
    """A file could not be written because the disk, or the quota, is full."""

    code = "DISK_FULL"


class ReadOnly(StorageError):
    """A folder or file may not be written."""

    code = "READ_ONLY"


class FileUnreadable(StorageError):
    """A file is missing, is not a file, or may not be read."""

    code = "FILE_UNREADABLE"


class DatabaseError(MgwError):
    """Base of the errors that PostgreSQL, or the way to it, can cause."""


class DatabaseUnreachable(DatabaseError):
    """No server answers at the configured address, or it went away."""

    code = "DATABASE_UNREACHABLE"


class DatabaseAuthFailed(DatabaseError):
    """The server refused the user, the password or the database name."""

    code = "DATABASE_AUTH_FAILED"


class DatabaseDenied(DatabaseError):
    """The user lacks a right in the database, or the server only reads: a standby, or a setting."""

    code = "DATABASE_DENIED"


class DatabaseFailed(DatabaseError):
    """PostgreSQL refused a statement for a reason that has no error of its own here."""

    code = "DATABASE_FAILED"


class DatabaseTooOld(DatabaseError):
    """The server is older than the oldest PostgreSQL that is supported."""

    code = "DATABASE_TOO_OLD"


class SchemaOutdated(DatabaseError):
    """The database lacks migrations that this program needs, or has some that it does not know."""

    code = "SCHEMA_OUTDATED"


class MigrationEdited(DatabaseError):
    """A migration file differs from what was applied under its number."""

    code = "MIGRATION_EDITED"


class MigrationFailed(DatabaseError):
    """PostgreSQL refused a migration; its transaction was rolled back."""

    code = "MIGRATION_FAILED"


class MigrationsInvalid(DatabaseError):
    """The folder of migrations has a gap, a duplicate number or a name of another form."""

    code = "MIGRATIONS_INVALID"


class EmbeddedUnavailable(DatabaseError):
    """There are no PostgreSQL binaries to run the embedded server with, or this system cannot run it."""

    code = "EMBEDDED_UNAVAILABLE"


class EmbeddedFailed(DatabaseError):
    """The embedded server did not start or stop; the message quotes its log."""

    code = "EMBEDDED_FAILED"


class IngestError(MgwError):
    """Base of the errors in data on its way into the database."""


class SourceInvalid(IngestError):
    """A file or folder is not what the import was told it is: a column is missing, the encoding is wrong."""

    code = "SOURCE_INVALID"


class RowsInvalid(IngestError):
    """Rows were malformed and the import was told to stop; nothing was changed."""

    code = "ROWS_INVALID"
    exit_code = 1


class SampleWouldMix(IngestError):
    """A generated sample is not mixed with other data."""

    code = "SAMPLE_WOULD_MIX"
    exit_code = 1


class ExtraMissing(IngestError):
    """An optional dependency is needed for what was asked."""

    code = "EXTRA_MISSING"


class DataError(MgwError):
    """Base of the errors where the data cannot answer the question."""

    exit_code = 1


class NoEvents(DataError):
    """The database holds no viewing events to work on."""

    code = "NO_EVENTS"


class TooFewEvents(DataError):
    """A user has fewer liked titles whose times are known than an adapter takes."""

    code = "TOO_FEW_EVENTS"


class NothingToEvaluate(DataError):
    """The split leaves no user with both a history and something held out."""

    code = "NOTHING_TO_EVALUATE"


class ContentUnknown(DataError):
    """No content has the id that was given."""

    code = "CONTENT_UNKNOWN"


class UserUnknown(DataError):
    """No user has the id that was given."""

    code = "USER_UNKNOWN"


class PredicateInvalid(DataError):
    """PostgreSQL does not take the SQL predicate that says which titles may be recommended."""

    code = "PREDICATE_INVALID"
    exit_code = 2


class ModelError(MgwError):
    """Base of the errors of model snapshots and of training."""


class ModelMissing(ModelError):
    """No model has been trained yet."""

    code = "MODEL_MISSING"
    exit_code = 1


class ModelNotFound(ModelError):
    """No model snapshot has the name that was given."""

    code = "MODEL_NOT_FOUND"
    exit_code = 1


class ModelDamaged(ModelError):
    """A model snapshot is incomplete or its content does not match its checksums."""

    code = "MODEL_DAMAGED"


class ModelForeign(ModelError):
    """A model snapshot has a format, or a format version, that this program does not read."""

    code = "MODEL_FOREIGN"


class EncoderInvalid(ModelError):
    """The text encoder, or its tokenizer, is missing, is not one, or fails."""

    code = "ENCODER_INVALID"


class ModelInUse(ModelError):
    """The model snapshot that is in use is not deleted."""

    code = "MODEL_IN_USE"
    exit_code = 1


class ParametersInvalid(ModelError):
    """Parameters of a model are out of their range, or do not fit together."""

    code = "PARAMETERS_INVALID"


class MemoryShort(ModelError):
    """A training would not fit into the memory that is left; it was not started."""

    code = "MEMORY_SHORT"


class AdapterDamaged(ModelError):
    """A stored adapter is not what was stored, or of a form that this version does not know."""

    code = "ADAPTER_DAMAGED"


class AdaptersMissing(ModelError):
    """No adapters have been trained for the model in use."""

    code = "ADAPTERS_MISSING"
    exit_code = 1


class TrainingBusy(ModelError):
    """Somebody else trains adapters in this database at the moment."""

    code = "TRAINING_BUSY"
    exit_code = 1


class AdapterForeign(ModelError):
    """An adapter is of another model than the one in use, with whose titles it means nothing."""

    code = "ADAPTER_FOREIGN"


class ExperimentError(MgwError):
    """Base of the errors of experiments."""


class ExperimentInvalid(ExperimentError):
    """An experiment is not described as it can be run: weights, traffic or a namespace do not fit."""

    code = "EXPERIMENT_INVALID"


class ExperimentUnknown(ExperimentError):
    """There is no experiment, or no variant, metric or event of it, of this name."""

    code = "EXPERIMENT_UNKNOWN"
    exit_code = 1


class ExperimentExists(ExperimentError):
    """There is an experiment of this name already."""

    code = "EXPERIMENT_EXISTS"
    exit_code = 1


class ExperimentStatusInvalid(ExperimentError):
    """The experiment is not in a status in which this can be done, such as changing one that is running."""

    code = "EXPERIMENT_STATUS_INVALID"
    exit_code = 1


class NotEnoughData(ExperimentError):
    """Too few users, or values that do not vary, for what was asked: there is no number to give."""

    code = "NOT_ENOUGH_DATA"
    exit_code = 1


class DemoFailed(MgwError):
    """A step of `mgw demo --full` did not do what it is there to show."""

    code = "DEMO_FAILED"
    exit_code = 1


class AuditError(MgwError):
    """Base of the errors of the audit trail."""


class AuditExportInvalid(AuditError):
    """A file is no export of the audit trail, or a line of it cannot be read."""

    code = "AUDIT_EXPORT_INVALID"


class AuditUnwritten(AuditError):
    """Something was done, and neither the disk nor the database takes the entry that says so; a token is not told."""

    code = "AUDIT_UNWRITTEN"


class LintError(MgwError):
    """Base of the errors of the linter."""


class BaselineInvalid(LintError):
    """A baseline cannot be read, or was written by another version."""

    code = "BASELINE_INVALID"


class SparkUnavailable(ModelError):
    """Spark has no Java to run on, its master does not answer, or it gave up in the middle of a training."""

    code = "SPARK_UNAVAILABLE"


class ServiceError(MgwError):
    """Base of the errors of what answers over the network."""


class AddressInUse(ServiceError):
    """Somebody listens on the address already."""

    code = "ADDRESS_IN_USE"


class AddressInvalid(ServiceError):
    """There is no listening on the address: it is none of this machine, or not permitted."""

    code = "ADDRESS_INVALID"


class GatewayUnreachable(ServiceError):
    """No gateway answers at the admin port."""

    code = "GATEWAY_UNREACHABLE"


class GatewayRefused(ServiceError):
    """A gateway that runs does not do what it was told, and says why."""

    code = "GATEWAY_REFUSED"
