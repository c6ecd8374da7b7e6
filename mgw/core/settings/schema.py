"""The settings: one tree of frozen structs, each key with its default, its range and what it is for.

The docstring of a struct documents its keys; `configs/mgw.yaml` shows the same tree with the same defaults.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

PositiveInt = Annotated[int, Meta(ge=1)]
Seed = Annotated[int, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
OpenShare = Annotated[float, Meta(gt=0, lt=1)]
Secret = Annotated[str, Meta(extra={"secret": True})]  # never shown or echoed as it is; see `redacted`


class DatabaseSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the data lives.

    Attributes:
        url: a PostgreSQL URL (`postgresql://user@host/name`); none means the embedded server. Secret.
        password_file: a file whose content is the password for `url`, so that the URL can be shown to anybody.
        embedded_version: major version of PostgreSQL that the embedded server runs, where there is a choice.
        bin_dir: folder with `postgres` and `initdb` for the embedded server; none means search for them.
        connect_timeout_s: how long to wait for a connection, in seconds.
    """

    url: Secret | None = None
    password_file: str | None = None
    embedded_version: Literal[15, 16, 17, 18] = 18
    bin_dir: str | None = None
    connect_timeout_s: PositiveInt = 10


class AlsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Implicit-feedback ALS: weighted matrix factorisation over all user-title pairs.

    Attributes:
        factors: length of each user's and each title's vector.
        epochs: passes over all users and all titles.
        regularization: λ, the weight of the squared norms.
        regularization_exponent: ν; a row with n interactions is regularized by λ·(n + α0·N)^ν.
        unobserved_weight: α0, the weight with which every pair, observed or not, is pulled towards 0.
        strength_scale: factor on an observed pair's engagement, the weight with which it is pulled towards 1.
        activity_exponent: β; in the history of a user with n titles that factor is (n / n₀)^-β times as large.
        activity_reference: n₀; none means the average number of titles of the users of the training.
        start: `spectral` begins in the leading directions of the interactions, `random` anywhere.
        init_stddev: standard deviation of random starting values, divided by √factors.
        solver: `cg`, conjugate gradients from the last epoch's factors, or `cholesky`, exact and much slower.
        cg_steps: steps of conjugate gradients for each user and title in an epoch.
        relaxation: how far each epoch goes along the change it finds; 1 is plain ALS, and more gets there sooner.
        seed: seed of the starting values; one seed gives one model, bit for bit.
        content_features: whether titles that nobody has watched get factors from what the catalogue says of them.
        feature_regularization: φ, how many titles' evidence a word of the catalogue has to outweigh for that.
    """

    factors: PositiveInt = 64
    epochs: PositiveInt = 12
    regularization: NonNegative = 0.01
    regularization_exponent: NonNegative = 1.0
    unobserved_weight: Positive = 0.2
    strength_scale: Positive = 1.0
    activity_exponent: Annotated[float, Meta(ge=0, le=1)] = 0.25
    activity_reference: Positive | None = None
    start: Literal["spectral", "random"] = "spectral"
    init_stddev: Positive = 0.1
    solver: Literal["cg", "cholesky"] = "cg"
    cg_steps: PositiveInt = 1
    relaxation: Annotated[float, Meta(gt=0, lt=2)] = 1.4
    seed: Seed = 0
    content_features: bool = True
    feature_regularization: Positive = 10.0


class SparkSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where `mgw train als --engine spark` trains.

    Attributes:
        master: address of a cluster (`spark://host:7077`, `yarn`, `k8s://…`), or `local[*]` for this machine.
        driver_memory: heap of the driver, as Spark writes it (`8g`); none means half of the memory that is left.
        checkpoint_dir: a folder that all executors see, where Spark keeps the factors of every tenth epoch; none means
            a folder of this machine with `local[…]`, and nothing kept on a cluster.
    """

    master: str = "local[*]"
    driver_memory: str | None = None
    checkpoint_dir: str | None = None


class EvaluateSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How models are compared.

    Attributes:
        split: `time` cuts everybody's events at one moment, `user-time` holds out each user's latest events, `random`
            holds out some of each user's pairs; `auto` takes the first of these that the data supports. `cold-users`
            trains without some users, and holds out some of their pairs; `cold-items` trains without some titles,
            and ranks these alone.
        test_share: share of the events (`time`), of the titles (`cold-items`) or of each user's pairs that is held out;
            of the users too (`cold-users`).
        leave_out: how many of each user's titles are held out instead of a share (but not by `time`, nor
            `cold-items`); 1 is leave-one-out. Users with no more titles than that are not asked.
        top_k: length of the list for all metrics but recall.
        recall_k: length of the list for recall.
        bootstrap_samples: resamples of users behind each interval.
        seed: seed of the random split and of the bootstrap.
    """

    split: Literal["auto", "time", "user-time", "random", "cold-users", "cold-items"] = "auto"
    test_share: OpenShare = 0.2
    leave_out: PositiveInt | None = None
    top_k: PositiveInt = 10
    recall_k: PositiveInt = 20
    bootstrap_samples: PositiveInt = 1000
    seed: Seed = 0


class RecommendSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `mgw recommend` and `mgw similar` answer.

    Attributes:
        top_k: how many titles.
        reasons: how many watched titles an explanation names at most.
        exclude_watched: whether titles that the user has met are left out.
        where: an SQL predicate on `c`, the row of `content`; only titles for which it is true are answered.
        region: where the titles are to be available; without one, in any region.
    """

    top_k: PositiveInt = 10
    reasons: PositiveInt = 2
    exclude_watched: bool = True
    where: str | None = None
    region: str | None = None


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole tree.

    Attributes:
        state_dir: folder for the embedded database and the models, relative to the project.
        threads: threads for training and evaluation; 0 means one for each CPU that this process may use.
    """

    state_dir: str = ".mgw"
    threads: Annotated[int, Meta(ge=0)] = 0
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    als: AlsSettings = field(default_factory=AlsSettings)
    spark: SparkSettings = field(default_factory=SparkSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    recommend: RecommendSettings = field(default_factory=RecommendSettings)
