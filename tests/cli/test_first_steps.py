"""The main job through the command line, as a newcomer does it: init, sample, train, evaluate, recommend."""

from __future__ import annotations

import json
import random

import commands
import pytest
from small_encoder import small_model, small_tokenizer

from mgw.core.artifacts import ModelStore

SIZE = ("--users", "400", "--titles", "300", "--events", "20000")


def mgw(folder, *arguments, code=0, **changes):
    """Run a command in a project, check its exit code, return what it printed on stdout and on stderr."""
    done = commands.mgw(folder, *arguments, **changes)
    assert done.code == code, done.err
    return done.out, done.err


def answer(folder, *arguments, **options):
    """Run a command with --json and parse what it prints."""
    return json.loads(mgw(folder, *arguments, "--json", **options)[0])


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a small sample and a trained model; its server is gone when the module ends."""
    folder = tmp_path_factory.mktemp("project")
    mgw(folder, "init")
    mgw(folder, "db", "start")
    try:
        answer(folder, "sample", *SIZE)
        answer(folder, "train", "als", "--factors", "32")
        yield folder
    finally:
        mgw(folder, "db", "stop")


def test_a_sample_twice_changes_nothing(project):
    report = answer(project, "sample", *SIZE)
    assert report["content"] == {"new": 0, "changed": 0, "unchanged": 300}
    assert report["events"]["new"] == 0
    assert report["events"]["already_there"] == 20_000


def test_a_sample_of_another_catalogue_is_not_mixed_in(project):
    _, said = mgw(project, "sample", "--users", "10", "--titles", "20", "--events", "60", code=1)
    assert "error[SAMPLE_WOULD_MIX]" in said


def test_als_beats_popularity_and_the_difference_is_significant(project):
    found = answer(project, "evaluate", "--factors", "16")
    assert found["split"]["name"] == "time"
    assert list(found["models"]) == ["popularity", "item-kNN", "RP3β", "EASE", "ALS"]
    ndcg = found["models"]["ALS"]["metrics"]["ndcg@10"]
    assert ndcg["low"] < ndcg["value"] < ndcg["high"]
    assert found["models"]["ALS"]["differences"]["ndcg@10"]["low"] > 0


def test_evaluate_prints_every_metric_of_every_model(project):
    printed, _ = mgw(project, "evaluate", "--factors", "32")
    assert "are learned from" in printed
    for word in ("popularity", "item-kNN", "ALS", "NDCG@10", "Recall@20", "Precision@10", "Novelty@10", "Coverage@10"):
        assert word in printed


def test_the_figures_of_a_training_stay_with_the_model(project):
    before = answer(project, "models", "show")
    answer(project, "train", "als", "--factors", "8", "--evaluate")
    shown = answer(project, "models", "show")
    assert 0 < shown["metrics"]["ndcg@10"]["value"] < 1
    assert "held out" in shown["metrics"]["split"]["description"]
    mgw(project, "models", "use", before["name"])
    mgw(project, "models", "delete", shown["name"])


def test_ten_titles_with_reasons(project):
    printed, said = mgw(project, "recommend", "u00042")
    assert [line.split()[0] for line in printed.splitlines()[2:]] == [str(place) for place in range(1, 11)]
    assert "because you watched" in printed
    assert said == ""


def test_recommendations_as_json_are_unseen_and_explained(project):
    found = answer(project, "recommend", "u00042", "--top-k", "4")
    assert found["user_id"] == "u00042"
    assert found["known_user"] is True
    assert len(found["recommendations"]) == 4
    for entry in found["recommendations"]:
        assert entry["title"]
        assert 0 <= entry["confidence_score"] <= 1
        assert entry["recommendation_type"] in {"collaborative", "content_based", "graph_based", "hybrid"}
        assert entry["explanation"].startswith("because you watched ") == bool(entry["based_on"])
        assert set(entry["components"]) == {"collaborative", "content", "graph", "context", "lora_boost"}
        assert entry["propensity"] == 1
    assert found["model"] == answer(project, "models", "show")["name"]


def test_an_unknown_user_gets_popular_titles_and_is_told_so(project):
    found = answer(project, "recommend", "somebody-else")
    assert found["known_user"] is False
    assert {entry["recommendation_type"] for entry in found["recommendations"]} == {"cold_start"}
    printed, said = mgw(project, "recommend", "somebody-else")
    assert "there is no user somebody-else: these are the titles that are watched these days" in said
    assert "watched by many these days" in printed


def listed(found, key="recommendations"):
    return [entry["content_id"] for entry in found[key]]


def test_filters(project):
    everything = listed(answer(project, "recommend", "u00042", "-k", "20"))
    (project / "some.txt").write_text("\n".join(["", *everything[::2], "unheard-of"]) + "\n")
    _, said = mgw(project, "recommend", "u00042", "--except", "some.txt", "-k", "5")
    assert "warning: --except some.txt: there is no content unheard-of (1 of 11)" in " ".join(said.split())
    assert listed(answer(project, "recommend", "u00042", "--except", "some.txt", "-k", "5")) == everything[1::2][:5]
    _, said = mgw(project, "recommend", "u00042", "--only", "some.txt", "-k", "12")
    assert "10 of the 12 titles that were asked for" in said
    printed, said = mgw(project, "recommend", "u00042", "--where", "false")
    assert said.startswith("0 of the 10 titles")
    assert "score" in printed
    with_watched = listed(answer(project, "recommend", "u00042", "-k", "20", "--include-watched"))
    assert [content for content in with_watched if content in everything] != with_watched
    even = listed(answer(project, "recommend", "u00042", "--where", "c.year % 2 = 0"))
    assert even[0] in everything
    assert even != everything[:10]
    like = listed(answer(project, "similar", "t0007", "--where", "c.year % 2 = 0"), "similar_content")
    assert like != listed(answer(project, "similar", "t0007"), "similar_content")
    mgw(project, "recommend", "--all", "--out", "even.csv", "--where", "c.year % 2 = 0", "-k", "3")
    assert "error[PREDICATE_INVALID]" in mgw(project, "recommend", "u00042", "--where", "c.yaer > 1", code=2)[1]
    (project / "none.txt").write_text("unheard-of\n")
    assert "error[CONTENT_UNKNOWN]" in mgw(project, "recommend", "u00042", "--only", "none.txt", code=1)[1]
    assert "error[FILE_UNREADABLE]" in mgw(project, "recommend", "u00042", "--only", "missing.txt", code=2)[1]
    assert "error[USAGE_INVALID]" in mgw(project, "recommend", "u00042", "--at", "soon", code=2)[1]


def test_availability(project):
    best, second = listed(answer(project, "recommend", "u00042", "-k", "2"))
    (project / "rights.csv").write_text(f"content,region,starts_at\n{best},DE,2020-01-01\n{best},AT,2030-01-01\n")
    mgw(project, "import", "availability", "rights.csv")
    asked = ("recommend", "u00042", "-k", "1", "--region")
    assert listed(answer(project, *asked, "DE")) == [best]
    assert listed(answer(project, *asked, "AT")) == [second]
    assert listed(answer(project, *asked, "AT", "--at", "2030-01-01")) == [best]
    assert listed(answer(project, *asked, "DE", "--at", "2019-12-31T23:59")) == [second]
    _, said = mgw(project, *asked, "FR")
    assert "no title is said to be available in FR; regions: AT, DE" in said
    (project / "rights.csv").write_text(f"content\n{best}\n")
    mgw(project, "import", "availability", "rights.csv")
    assert listed(answer(project, *asked, "AT")) == [best]


def test_similar_titles(project):
    found = answer(project, "similar", "t0007", "-k", "3")
    similarities = [entry["similarity"] for entry in found["similar_content"]]
    assert similarities == sorted(similarities, reverse=True)
    assert "t0007" not in [entry["content_id"] for entry in found["similar_content"]]


def test_an_unknown_title_is_answered_with_the_nearest(project):
    _, said = mgw(project, "similar", "tt0007", code=1)
    assert "error[CONTENT_UNKNOWN]: there is no content 'tt0007'" in said
    assert "t0007 (" in said


def test_a_model_that_was_damaged_is_refused_by_name(project):
    name = answer(project, "models", "show")["name"]
    array = project / ".mgw" / "models" / name / "item_factors.npy"
    content = array.read_bytes()
    try:
        array.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        _, said = mgw(project, "recommend", "u00042", code=2)
        assert "error[MODEL_DAMAGED]" in said
        assert name in said
    finally:
        array.write_bytes(content)


@pytest.mark.parametrize("arguments", [("recommend", "u00001"), ("similar", "t0001"), ("models", "show")])
def test_without_a_model_the_hint_is_to_train_one(tmp_path, arguments):
    _, said = mgw(tmp_path, *arguments, code=1)
    assert "error[MODEL_MISSING]" in said
    assert "mgw train als" in said


@pytest.mark.parametrize("arguments", [("train", "als"), ("evaluate",)])
def test_without_events_the_hint_is_to_import_some(tmp_path, arguments):
    _, said = mgw(tmp_path, *arguments, code=1)
    assert "error[NO_EVENTS]" in said
    assert "mgw sample" in said


@pytest.mark.parametrize(
    ("option", "value"), [("--factors", "0"), ("--epochs", "-1"), ("--regularization", "nan"), ("--threads", "-2")]
)
def test_parameters_out_of_range_are_refused(tmp_path, option, value):
    _, said = mgw(tmp_path, "train", "als", f"{option}={value}", code=2)
    assert "error[CONFIG_INVALID]" in said
    assert option.strip("-") in said


def test_the_demonstration_runs_twice_to_the_same_end(tmp_path):
    once, _ = mgw(tmp_path, "demo", MGW_DATABASE_URL="postgresql://nowhere.invalid/somebody-elses")
    again, _ = mgw(tmp_path, "demo")
    tables = [text.partition("== Is it better")[2].replace(_model(text), "MODEL") for text in (once, again)]
    assert tables[0] == tables[1]
    assert "because you watched" in once
    assert "recommend u00042 --json" in once
    assert not json.loads(mgw(tmp_path / "mgw-demo", "db", "status", "--json", code=1)[0])["running"]


def _model(text):
    return text.partition("model ")[2].partition(":")[0]


def test_what_does_not_fit_the_engine_is_refused(project):
    for arguments in (["--engine", "spark", "--resume"], ["--spark-master", "local"], ["--engine", "hadoop"]):
        assert "error[USAGE_INVALID]" in mgw(project, "train", "als", *arguments, code=2)[1]


def test_recommendations_for_everybody(project):
    report = answer(project, "recommend", "--all", "--out", "recs.parquet", "--top-k", "3")
    assert (report["users"], report["rows"]) == (400, 1200)
    assert (project / "recs.parquet").stat().st_size > 0
    printed, _ = mgw(project, "recommend", "--all", "--out", "recs.csv")
    assert "4,000 recommendations to 400 users" in printed
    for arguments in (["--all"], ["--out", "x.csv"], ["u00042", "--all", "--out", "x.csv"], []):
        assert "error[USAGE_INVALID]" in mgw(project, "recommend", *arguments, code=2)[1]
    assert "error[USAGE_INVALID]" in mgw(project, "recommend", "--all", "--out", "x.xls", code=2)[1]


def test_titles_that_nobody_watched_and_a_split_that_is_given(project):
    found = answer(project, "evaluate", "--split", "cold-items", "--factors", "16", "--html", "cold.html")
    assert list(found["models"]) == ["popularity", "ALS"]
    means = [found["models"][name]["metrics"]["ndcg@10"]["value"] for name in ("popularity", "ALS")]
    assert means[1] > 2 * means[0]
    assert (project / "cold.html").read_text(encoding="utf-8").count("<svg") == 1
    rng = random.Random(0)
    pairs = [(user, item) for user in range(60) for item in rng.sample(range(30), 8)]
    for name, part in (("train", pairs[::2]), ("test", pairs[1::2])):
        (project / f"{name}.csv").write_text("who,content\n" + "".join(f"{u},{i}\n" for u, i in part))
    files = ("--train", "train.csv", "--test", "test.csv", "--map", "user=who")
    given = answer(project, "evaluate", *files, "--factors", "4")
    assert given["split"]["description"] == "As given: train.csv is learned from, test.csv is to be found."
    assert given["models"]["ALS"]["metrics"]["ndcg@10"]["value"] > 0
    options = ("--train", "train.csv", "--validation", "test.csv", "--map", "user=who", "--out", "given.yaml")
    assert answer(project, "tune", "als", *options, "--trials", "2", "--epochs", "2")["trials"] == 2
    assert "error[USAGE_INVALID]" in mgw(project, "evaluate", "--train", "train.csv", code=2)[1]
    assert "error[USAGE_INVALID]" in mgw(project, "tune", "als", "--validation", "test.csv", code=2)[1]
    for arguments in (["evaluate", *files, "--split", "random"], ["evaluate", "--map", "user=who"],
                      ["tune", "als", "--map", "user=who"]):  # fmt: skip
        assert "error[USAGE_INVALID]" in mgw(project, *arguments, code=2)[1]
    (project / "test.csv").write_text("who,content,rating\n1,2,nine\n")
    assert "test.csv, line 2, column rating" in mgw(project, "evaluate", *files, code=1)[1]


def test_a_report_of_an_evaluation(project):
    mgw(project, "evaluate", "--factors", "8", "--epochs", "2", "--leave-out", "1", "--html", "report.html")
    text = (project / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert "The latest 1 of each user" in text


def test_tuning_writes_a_configuration_that_can_be_used(project):
    options = ("tune", "als", "--factors", "8", "--epochs", "3", "--out", "tuned.yaml", "--trials")
    found = answer(project, *options, "2")
    assert (found["trials"], found["parameters"]["factors"]) == (2, 8)
    printed, said = mgw(project, *options, "3")
    assert "trial 3: NDCG@10" in said
    assert "the best of 3 trials" in printed
    shown = answer(project, "--config", "tuned.yaml", "config", "show")
    assert "8" in json.dumps(shown)


def test_the_blend_is_tuned_and_measured(project):
    found = answer(project, "tune", "blend", "--trials", "30", "--out", "blend.yaml")
    assert found["ndcg"] >= max(found["alone"].values())
    assert sum(found["weights"].values()) == pytest.approx(1, abs=1e-3)
    with (project / "tuned.yaml").open("w") as file:
        file.write((project / "mgw.yaml").read_text().partition("\nblend:")[0] + "\n")
        file.write((project / "blend.yaml").read_text())
    measured = json.loads(mgw(project, "--config", "tuned.yaml", "evaluate", "--pipeline", "--json")[0])
    models = measured["models"]
    sources = {"collaborative", "content", "graph", "context"}
    assert set(models) == {"blend", "ALS", *sources, *(f"without {source}" for source in sources)}
    assert models["blend"]["metrics"]["ndcg@10"]["value"] > models["content"]["metrics"]["ndcg@10"]["value"]
    printed, _ = mgw(project, "evaluate", "--pipeline")
    assert "without graph" in printed
    assert "difference to the blend" in printed
    assert "error[USAGE_INVALID]" in mgw(project, "evaluate", "--pipeline", "--html", "x.html", code=2)[1]


def test_new_users_are_asked_after_none_and_after_some_of_their_titles(project):
    options = ("evaluate", "--pipeline", "--split", "cold-users", "--known")
    nothing, some = (answer(project, *options, known)["models"] for known in ("0", "5"))
    assert nothing["blend"]["metrics"]["ndcg@10"] == nothing["context"]["metrics"]["ndcg@10"]  # what is popular
    assert some["blend"]["metrics"]["ndcg@10"]["value"] > nothing["blend"]["metrics"]["ndcg@10"]["value"]
    refused = mgw(project, "evaluate", "--split", "random", "--known", "5", code=2)[1]
    assert "error[PARAMETERS_INVALID]: only of new users" in refused


def test_an_encoder_embeds_the_titles(project):
    small_model(project / "model.onnx")
    small_tokenizer(project / "tokenizer.json")
    half = {"MGW_RECOMMEND_ENCODER_MODEL": "model.onnx"}
    refused = mgw(project, "train", "als", code=2, **half)[1]
    assert "error[PARAMETERS_INVALID]: recommend.encoder has a model and no tokenizer" in refused
    both = {**half, "MGW_RECOMMEND_ENCODER_TOKENIZER": "tokenizer.json"}
    before = answer(project, "models", "show")["name"]
    trained = answer(project, "train", "als", "--factors", "32", **both)["model"]
    try:
        manifest = answer(project, "models", "show", trained)
        assert manifest["versions"]["encoder"].startswith("model.onnx sha256:")
        assert manifest["arrays"]["embeddings"]["shape"][1] == 6
        listed = answer(project, "recommend", "u00042")["recommendations"]  # the encoder is not wanted any more
        assert listed[0]["components"]["content"] != 0
        measured = answer(project, "evaluate", "--pipeline", **both)["models"]
        assert measured["content"] != answer(project, "evaluate", "--pipeline")["models"]["content"]
    finally:
        mgw(project, "models", "use", before)
        mgw(project, "models", "delete", trained)


def test_a_training_learns_which_lengths_suit_a_device(project):
    views = ModelStore(project / ".mgw" / "models").current().array("device_views")
    assert (views.sum(axis=1) > 0).sum() > 2


def test_a_profile_is_shown_and_kept(project):
    found = answer(project, "profile", "u00042")
    assert found["events"] > 10
    assert sum(found["hours"]) == pytest.approx(1)
    assert sum(found["weekdays"]) == pytest.approx(1)
    assert sum(each**2 for each in found["preference"]) == pytest.approx(1, abs=1e-4)
    kept, _ = mgw(project, "db", "shell", "--", "-Atc", "SELECT snapshot, events_seen FROM user_profiles")
    assert kept.strip() == f"{found['model']}|{found['events']}"
    printed, _ = mgw(project, "profile", "u00042")
    assert "Genres, share of what was liked" in printed
    assert "error[USER_UNKNOWN]" in mgw(project, "profile", "nobody", code=1)[1]


def test_adapters_are_trained_used_exchanged_and_deleted(project, tmp_path):
    assert "error[ADAPTERS_MISSING]" in mgw(project, "train", "lora", "--user", "u00042", code=1)[1]
    assert "error[ADAPTERS_MISSING]" in mgw(project, "adapters", "show", "u00042", code=1)[1]
    trained = answer(project, "train", "lora", "--rank", "4", "--html", "report.html")
    assert trained["model"] == answer(project, "models", "show")["name"]
    assert "Gain of each user" in (project / "report.html").read_text(encoding="utf-8")
    measured = sum(group["users"] for group in trained["groups"].values())
    assert trained["adapters"] == sum(group["adapters"] for group in trained["groups"].values())
    assert measured + trained["skipped"]["fewer than 10 liked titles with times"] == 400
    said = mgw(project, "train", "lora", "--rank", "4", "--resume")
    assert f"{trained['adapters']:,} adapters were there already" in said[1]
    assert "users have none: held-out titles do not speak for it" in said[0]
    assert "error[USER_UNKNOWN]" in mgw(project, "train", "lora", "--user", "nobody", code=1)[1]
    user = "u00007"  # whether held-out titles speak for it, the data decide
    version = answer(project, "train", "lora", "--user", user, "--force")["version"]
    shown = answer(project, "adapters", "show", user)
    assert (shown["version"], shown["shared_tier"], shown["rank"]) == (version, trained["shared_tier"], 4)
    lifted = shown["lifts"][0]
    assert lifted["lora_boost"] > 0 > shown["lowers"][-1]["lora_boost"]
    (entry,) = [each for each in answer(project, "recommend", user, "-k", "900")["recommendations"]
                if each["content_id"] == lifted["content_id"]] or [None]  # fmt: skip
    assert entry is None or entry["components"]["lora_boost"] == pytest.approx(lifted["lora_boost"], rel=1e-3)
    plain = answer(project, "recommend", user, "--no-adapter")["recommendations"]
    assert not any(each["components"]["lora_boost"] for each in plain)
    assert plain != answer(project, "recommend", user)["recommendations"]
    mgw(project, "adapters", "export", user, str(tmp_path / "adapter.json"))
    mgw(project, "adapters", "export", user, str(tmp_path / "adapter.onnx_adapter"))
    assert mgw(project, "adapters", "import", str(tmp_path / "adapter.json"))[0] == f"version {version + 1} of {user}\n"
    undone = mgw(project, "adapters", "rollback", "--user", user)[0]
    assert undone == f"version {version + 1} of {user} is deleted, version {version} is in use\n"
    exported = answer(project, "export", "onnx", str(tmp_path / "scoring.onnx"))
    assert exported["size_bytes"] == (tmp_path / "scoring.onnx").stat().st_size > 0
    assert answer(project, "train", "lora", "--since", "2100-01-01")["users"] == {"trained": 0}
    second = answer(project, "train", "lora", "--rank", "3")["shared_tier"]
    assert "error[ADAPTER_FOREIGN]" in mgw(project, "adapters", "import", str(tmp_path / "adapter.json"), code=2)[1]
    rolled_back = mgw(project, "adapters", "rollback")[0]
    assert rolled_back.startswith(f"{trained['shared_tier']} is in use, in place of {second}, with ")
    assert answer(project, "adapters", "show", user)["version"] == version
    assert "error[ADAPTERS_MISSING]" in mgw(project, "adapters", "rollback", code=1)[1]
    assert mgw(project, "adapters", "prune", "--keep", "1")[0] == "1 version and 0 shared tiers deleted\n"
    assert answer(project, "adapters", "show", user)["version"] == version  # older than the latest, and in use
    assert "deleted" in mgw(project, "adapters", "delete", user)[0]
    assert answer(project, "adapters", "list", user)["adapters"] == []
    third = answer(project, "train", "lora", "--rank", "3")["shared_tier"]
    mgw(project, "db", "shell", "--", "-qc", "DELETE FROM lora_adapters")
    assert "is kept any more" in mgw(project, "adapters", "rollback", code=1)[1]
    assert (project / ".mgw" / "adapters" / "current").read_text(encoding="utf-8").strip() == third


@pytest.mark.parametrize(
    "options",
    [
        ["--user", "u00042", "--rank", "4"],
        ["--user", "u00042", "--since", "2026-01-01"],
        ["--since", "2026-01-01", "--resume"],
        ["--since", "yesterday"],
        ["--all", "--user", "u00042"],
        ["--force"],
    ],
)
def test_options_of_adapters_that_do_not_go_together(project, options):
    assert "error[USAGE_INVALID]" in mgw(project, "train", "lora", *options, code=2)[1]


def test_adapters_are_measured(project):
    printed = mgw(project, "evaluate", "lora", "--split", "user-time")[0]
    for words in ("What the adapter has more than each", "auc by liked titles", "logistic (GLMix)", "another user's"):
        assert words in printed


def test_a_training_that_was_not_cut_short_may_be_resumed_all_the_same(project):
    before = answer(project, "models", "show")["name"]
    printed, said = mgw(project, "train", "als", "--factors", "32", "--resume", "--json")
    assert "nothing was kept of such a training" in said
    trained = json.loads(printed)
    assert not (project / ".mgw" / "checkpoints").exists() or not any((project / ".mgw" / "checkpoints").iterdir())
    mgw(project, "models", "use", before)
    if trained["model"] != before:
        mgw(project, "models", "delete", trained["model"])
