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
Share = Annotated[float, Meta(ge=0, le=1)]
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


class EaseSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """EASE beside ALS: what the most watched titles say of each other; the collaborative source adds both up.

    Attributes:
        titles: how many of the most watched titles it knows; 0 leaves all to ALS.
        regularization: λ, about as many users as it takes to be sure of a pair of titles.
        share: its weight in the scores of the titles that it knows, at most; the rest is that of ALS.
        prior_titles: for a viewer of so many liked titles its weight is half of that; 0 holds nothing back.
    """

    titles: Annotated[int, Meta(ge=0)] = 3_000
    regularization: Positive = 250.0
    share: Share = 0.5
    prior_titles: Annotated[int, Meta(ge=0)] = 5


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
        known: how many of a new user's other titles are told (`cold-users`), their first; none tells all.
        top_k: length of the list for all metrics but recall.
        recall_k: length of the list for recall.
        bootstrap_samples: resamples of users behind each interval.
        seed: seed of the random split and of the bootstrap.
    """

    split: Literal["auto", "time", "user-time", "random", "cold-users", "cold-items"] = "auto"
    test_share: OpenShare = 0.2
    leave_out: PositiveInt | None = None
    known: Annotated[int, Meta(ge=0)] | None = None
    top_k: PositiveInt = 10
    recall_k: PositiveInt = 20
    bootstrap_samples: PositiveInt = 1000
    seed: Seed = 0


class EncoderSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sentence encoder that embeds the titles, in place of their words.

    Attributes:
        model: path of an ONNX file; with it, the words of the catalogue are not embedded.
        tokenizer: path of the model's `tokenizer.json`.
        max_tokens: where a title's text is cut.
        batch: how many titles are encoded at once.
    """

    model: str | None = None
    tokenizer: str | None = None
    max_tokens: PositiveInt = 256
    batch: PositiveInt = 32


class RecommendSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `mgw recommend` and `mgw similar` answer.

    Attributes:
        top_k: how many titles.
        reasons: how many watched titles an explanation names at most.
        exclude_watched: whether titles that the user has met are left out.
        where: an SQL predicate on `c`, the row of `content`; only titles for which it is true are answered.
        region: where the titles are to be available; without one, in any region.
        encoder: of the titles' texts.
    """

    top_k: PositiveInt = 10
    reasons: PositiveInt = 2
    exclude_watched: bool = True
    where: str | None = None
    region: str | None = None
    encoder: EncoderSettings = field(default_factory=EncoderSettings)


class ContentSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The embeddings of titles, which are made with every snapshot from what the catalogue says.

    Attributes:
        dimensions: length of a title's embedding.
        text_weight: of the words of title and plot, beside genres, themes and people, each of which weighs 1.
        regularization: λ of a viewer's fold-in among the embeddings, as `als.regularization` among the factors.
    """

    dimensions: PositiveInt = 128
    text_weight: NonNegative = 1.0
    regularization: NonNegative = 0.03


class ProfileSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A viewer's profile, which is made from their events.

    Attributes:
        decay: what is left of an event's weight after `decay_days`, above 0 to 1.
        decay_days: in days.
        genre_smoothing: how many events of average taste are mixed into each genre's affinity.
    """

    decay: Annotated[float, Meta(gt=0, le=1)] = 0.95
    decay_days: Positive = 30.0
    genre_smoothing: Positive = 5.0


class GraphSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the graph queries ask for and how their answers are put together.

    Attributes:
        seeds: how many of the titles watched last speak for a user.
        per_query: how many titles each query answers.
        billed: how many actors of a title count, from the first billed on.
        genre: weight of shared genres.
        cast: weight of shared actors.
        director: weight of shared directors.
        theme: weight of shared themes.
        viewers_per_seed: how many of a seed's latest viewers are looked at.
        similar_users: how many users are taken for similar, at most.
        minimum_in_common: how many seeds such a user has watched at least.
        minimum_completion: how much of a title counts as watched, 0 to 1.
        minimum_rating: titles that such a user rated lower do not count, in stars.
        per_user: how many of a similar user's latest titles are taken.
        user_decay: factor on what comes by way of another user, 0 to 1.
        content_share: weight of the titles themselves; the rest is that of the similar users.
    """

    seeds: PositiveInt = 50
    per_query: PositiveInt = 100
    billed: PositiveInt = 10
    genre: NonNegative = 0.35
    cast: NonNegative = 0.25
    director: NonNegative = 0.20
    theme: NonNegative = 0.20
    viewers_per_seed: PositiveInt = 50
    similar_users: PositiveInt = 50
    minimum_in_common: PositiveInt = 3
    minimum_completion: Share = 0.7
    minimum_rating: Annotated[float, Meta(ge=1, le=5)] = 4.0
    per_user: PositiveInt = 100
    user_decay: Share = 0.85
    content_share: Share = 0.4


class ContextSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the moment speaks for a title.

    Attributes:
        popularity: weight of how many people watch the title these days; the rest is how its genres fit.
        half_life_days: after how many days a view counts half for that.
        enough_events: in how many events at a time of day a viewer's own taste then outweighs that at any time.
    """

    popularity: Share = 0.6
    half_life_days: Positive = 90.0
    enough_events: PositiveInt = 20


class BlendSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the four sources are weighted; each is on one scale before that. `mgw tune blend` finds weights.

    Attributes:
        collaborative: what people with the same titles watch (ALS and EASE).
        content: how near a title is to those that the viewer likes, by what the catalogue says.
        graph: shared genres, people and themes, and what similar users watched.
        context: the moment and what is popular.
        prior_events: how many liked titles count as much as popularity, which is mixed in, less with each; the content
            source is held back as much.
    """

    collaborative: NonNegative = 0.70
    content: NonNegative = 0.20
    graph: NonNegative = 0.05
    context: NonNegative = 0.05
    prior_events: Annotated[int, Meta(ge=0)] = 2


class LoraSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Adapters of single users, `mgw train lora`: what their latest titles change.

    Attributes:
        rank: r, how many directions of taste all users share in each tower, at most: there are no more than the model
            has factors, or its embeddings numbers. A user has twice as many numbers.
        alpha: α; what an adapter says is scaled by α/r.
        strength: how much it weighs in a score, beside the blend with 1.
        content_share: how much the adapter on what titles say of themselves weighs, beside that on factors with 1.
        half_life: a title counts half as much as one that was liked so many titles later.
        regularization: λ is this times α0 times the number of titles.
        minimum_events: liked titles with times that a user must have.
        sample_users: how many users the shared tier is learnt from, at most.
        keep: versions of each adapter that are kept.
        seed: of the sample, and of what held-out titles are compared with.
    """

    rank: PositiveInt = 32
    alpha: Positive = 32.0
    strength: NonNegative = 0.3
    content_share: NonNegative = 0.5
    half_life: Positive = 3.0
    regularization: Positive = 0.01
    minimum_events: Annotated[int, Meta(ge=4)] = 10
    sample_users: PositiveInt = 3_000
    keep: PositiveInt = 3
    seed: Seed = 0


class DiversitySettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How unlike each other the titles of a list are.

    Attributes:
        threshold: 0 ranks by score alone, 1 by unlikeness alone (maximal marginal relevance).
        pool: how many of the best titles a list is chosen from.
        genre_share: how much of a list one genre may take, as long as there are others in the pool.
        exploration: chance of each place to go to a title drawn from the pool.
    """

    threshold: Share = 0.0
    pool: PositiveInt = 100
    genre_share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    exploration: Share = 0.0


class ServiceSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recommendation service, `mgw serve`.

    Attributes:
        host: the address to listen on; `0.0.0.0` is every one of this machine.
        port: the port to listen on.
        workers: processes that answer.
        threads: requests that a worker works on at once; each has a connection to the database.
        queue: requests that wait for a thread, at most; further ones are told to come back.
        deadline_s: after how long a request is given up, in seconds.
        drain_s: how long requests that are under way may take when the service is to end, in seconds.
        body_limit_bytes: the longest body of a request.
        most_titles: the longest list that may be asked for.
        refresh_s: how often a worker looks for a new model, and for a database that was away, in seconds.
        cache_entries: lists that a worker keeps to answer again; 0 keeps none.
        cache_ttl_s: how long a list is good, in seconds, where nothing new is known of its user before.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8082
    workers: PositiveInt = 1
    threads: PositiveInt = 4
    queue: PositiveInt = 64
    deadline_s: Positive = 2.0
    drain_s: PositiveInt = 30
    body_limit_bytes: PositiveInt = 1_048_576
    most_titles: PositiveInt = 100
    refresh_s: Positive = 1.0
    cache_entries: Annotated[int, Meta(ge=0)] = 10_000
    cache_ttl_s: PositiveInt = 300


class ExperimentsSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Experiments in the service; what an experiment is, is in its own file.

    Attributes:
        flush_s: how long exposures are gathered before they are written to the database, in seconds.
        guard_s: how often running experiments are looked at for harm, in seconds.
    """

    flush_s: Positive = 1.0
    guard_s: Positive = 300.0


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
    ease: EaseSettings = field(default_factory=EaseSettings)
    spark: SparkSettings = field(default_factory=SparkSettings)
    evaluate: EvaluateSettings = field(default_factory=EvaluateSettings)
    recommend: RecommendSettings = field(default_factory=RecommendSettings)
    content: ContentSettings = field(default_factory=ContentSettings)
    profile: ProfileSettings = field(default_factory=ProfileSettings)
    graph: GraphSettings = field(default_factory=GraphSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    blend: BlendSettings = field(default_factory=BlendSettings)
    lora: LoraSettings = field(default_factory=LoraSettings)
    diversity: DiversitySettings = field(default_factory=DiversitySettings)
    service: ServiceSettings = field(default_factory=ServiceSettings)
    experiments: ExperimentsSettings = field(default_factory=ExperimentsSettings)
