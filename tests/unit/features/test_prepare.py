"""Training sets: the split, the vocabularies, the files, ranking, and pairs to be scored."""

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.features import (
    FeaturesError,
    NoExamplesError,
    NoPositivesError,
    TooFewDaysError,
    examples,
    load_encoding,
    pair_encoder,
    prepare,
    score_pairs,
    split_days,
)
from assets.features.pairs import as_of
from assets.features.rowgroups import row_group_rows

LAST = date(2024, 3, 10)


@pytest.fixture(scope="module")
def made(shop, declare, tmp_path_factory):
    spec = declare()
    window, found, out = shop.daily(spec), shop.examples(spec), tmp_path_factory.mktemp("set")
    done = prepare(
        found.lazy(),
        spec,
        as_of=LAST,
        window_days=9,
        out=out,
        daily_window=window.lazy(),
        catalogue=shop.catalogue.lazy(),
        ranking_users=20,
        seed=3,
    )
    return spec, window, found, done


def read(done, part):
    return pl.read_parquet(done.folder / part / "*.parquet")


def test_the_last_days_are_held_out(made):
    *_, found, done = made
    assert done.parts["test"].days == (LAST,)
    assert done.parts["validation"].days == (LAST - timedelta(days=1),)
    assert done.parts["train"].days == tuple(LAST - timedelta(days=n) for n in range(8, 1, -1))
    counts = dict(found.group_by("date").len().rows())
    for name, part in done.parts.items():
        assert read(done, name).height == part.rows == sum(counts[day] for day in part.days)


def test_days_without_examples_do_not_make_an_empty_test(declare):
    days = [date(2024, 1, day) for day in (1, 2, 3, 8, 5)]
    split = split_days(days, declare(split={"validation": "2d", "test": "1d"}))
    assert (split.train, split.validation, split.test) == (tuple(days[:2]), (days[2], days[4]), (days[3],))


def test_too_few_days_say_how_many_are_needed(made, declare, tmp_path):
    *_, found, _ = made
    with pytest.raises(
        TooFewDaysError, match=r"has examples on 2 days \(2024-03-09, 2024-03-10\), .* needs 3: 1 to test"
    ):
        prepare(found.lazy(), declare(), as_of=LAST, window_days=2, out=tmp_path)


def test_a_window_without_examples_says_what_to_materialise(made, declare, tmp_path):
    *_, found, _ = made
    with pytest.raises(NoExamplesError, match=r"no example in the 5 days to 2025-01-01. Materialise 'shop_engagement'"):
        prepare(found.lazy(), declare(), as_of=date(2025, 1, 1), window_days=5, out=tmp_path)


def test_a_window_without_a_positive_label_says_where_to_look(made, declare, tmp_path):
    *_, found, _ = made
    ignored = found.lazy().with_columns(pl.col("label").clip(upper_bound=0.4))
    with pytest.raises(NoPositivesError, match=r"None of the .* least 0.5.* labelling functions of 'shop_engagement'"):
        prepare(ignored, declare(), as_of=LAST, window_days=9, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_positives_after_the_training_days_alone_are_not_enough(made, declare, tmp_path):
    *_, found, _ = made
    late = found.lazy().with_columns(label=pl.when(pl.col("date") < LAST).then(0.1).otherwise("label"))
    with pytest.raises(NoPositivesError, match="no positive label on its training days, 2024-03-02 to 2024-03-08"):
        prepare(late, declare(), as_of=LAST, window_days=9, out=tmp_path)


def test_the_files_hold_what_features_json_says(made):
    *_, done = made
    described = json.loads((done.folder / "encoding" / "features.json").read_text())
    assert set(described) == {"inputs", "label", "weight"}
    assert described["inputs"] == list(done.inputs)
    arrow = {"category": pa.int32(), "dense": pa.float32(), "tokens": pa.list_(pa.int32(), 5)}
    for part in ("train", "validation", "test", "ranking"):
        schema = pq.read_schema(done.folder / part / "part-00000.parquet")
        found = read(done, part)
        assert found.null_count().sum_horizontal().item() == 0
        for entry in described["inputs"]:
            name = entry["name"]
            expected = arrow[entry["kind"]]
            assert schema.field(name).type.equals(expected) or entry["kind"] == "tokens"
            if entry["kind"] == "tokens":
                assert pa.types.is_fixed_size_list(schema.field(name).type)
                assert schema.field(name).type.list_size == entry["length"]
                assert found[name].explode().is_between(0, entry["size"] - 1).all()
            elif entry["kind"] == "category":
                assert found[name].is_between(0, entry["size"] - 1).all()
            else:
                assert found[name].is_finite().all()
        own = ["label", "weight"] if part != "ranking" else ["user_index", "item_id", "relevance", "popularity"]
        assert schema.names == [*(entry["name"] for entry in described["inputs"]), *own]


def test_vocabularies_know_the_labelled_training_rows_only(made):
    _, _, found, done = made
    train = found.filter(pl.col("date").is_in(done.parts["train"].days), pl.col("origin") == "labelled")
    counts = train.group_by("item_id").len("count").filter(pl.col("count") >= 2)
    words = pl.read_parquet(done.folder / "encoding" / "vocabulary_item_id__vocabulary.parquet")
    assert set(words.select("word", "count").rows()) == set(counts.rows())
    assert words["index"].to_list() == list(range(9, 9 + words.height))
    assert words["count"].is_sorted(descending=True)


def test_words_outside_the_vocabulary_share_buckets_and_no_word_is_row_0(made):
    spec, *_, done = made
    encoding = load_encoding(done.folder / "encoding", spec)
    rows = pl.LazyFrame(
        {
            "item_id": ["i0", None, "new-1", "new-2", "new-1"],
            "category": ["c1"] * 5,
            "title__tokens": [[1, 2], None, [], [3], [1]],
        },
        schema_overrides={"title__tokens": pl.List(pl.Int32)},
    )
    found = encoding.encoded(rows).collect()
    index = found["item_id__vocabulary"].to_list()
    assert index[0] >= 9
    assert index[1] == 0
    assert all(1 <= each <= 8 for each in index[2:])
    assert index[2] == index[4]
    assert found["title__tokens"].to_list()[:3] == [[1, 2, 0, 0, 0], [0] * 5, [0] * 5]


def test_row_groups_are_nearly_equal_so_that_every_worker_gets_as_much(made):
    *_, done = made
    metadata = pq.read_metadata(done.folder / "train" / "part-00000.parquet")
    sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert len(sizes) == 24
    assert set(sizes[:-1]) == {sizes[0]}
    assert sum(sizes[::2]) == pytest.approx(sum(sizes[1::2]), rel=0.01)
    assert row_group_rows(24 * 65_536 + 1) <= 65_536
    assert row_group_rows(1) == 1


def test_the_files_are_the_same_whatever_the_order_of_the_examples(made, tmp_path):
    spec, _, found, done = made
    shuffled = found.sample(fraction=1, shuffle=True, seed=5)
    prepare(shuffled.lazy(), spec, as_of=LAST, window_days=9, out=tmp_path, seed=3)
    for name in ("train/part-00000.parquet", "test/part-00000.parquet", "encoding/features.json"):
        assert (tmp_path / name).read_bytes() == (done.folder / name).read_bytes()


def test_neighbours_in_the_training_file_are_not_one_users(made):
    _, _, found, done = made
    by_user = found.filter(pl.col("date") == LAST)["user_id"].rle_id().max()
    rows = read(done, "test")
    users = rows.select(pl.selectors.starts_with("user_id__view", "user_id__purchase")).to_struct().rle_id().max()
    assert users > 5 * by_user


def test_what_an_interrupted_run_left_is_replaced(made, tmp_path):
    spec, _, found, _ = made
    stale = tmp_path / "train" / "part-00001.parquet"
    stale.parent.mkdir()
    stale.write_bytes(b"half a fi")
    (tmp_path / "encoding").mkdir()
    (tmp_path / "encoding" / "features.json").write_text("{")
    (tmp_path / "notes.txt").write_text("not ours")
    prepare(found.lazy(), spec, as_of=LAST, window_days=9, out=tmp_path)
    assert not stale.exists()
    assert load_encoding(tmp_path / "encoding", spec).spec == spec
    assert (tmp_path / "notes.txt").exists()


def test_ranking_holds_every_item_for_each_sampled_user(made, shop):
    spec, _, found, done = made
    rows = read(done, "ranking")
    assert done.ranking.users == 20
    assert rows.height == done.ranking.rows == 20 * shop.catalogue.height
    assert rows["user_index"].to_list() == sorted(list(range(20)) * shop.catalogue.height)
    per_user = rows.group_by("user_index").agg(pl.col("item_id").n_unique(), pl.col("relevance").sum())
    assert per_user["item_id"].unique().to_list() == [shop.catalogue.height]
    assert per_user["relevance"].min() >= 1
    engaged = found.filter(pl.col("label") >= 0.5)
    relevant = engaged.filter(pl.col("date") == LAST).select("user_id", "item_id").unique()
    sizes = relevant.group_by("user_id").len()["len"].value_counts().sort("len").rows()
    assert set(per_user["relevance"].unique().to_list()) <= {float(size) for size, _ in sizes}
    counts = dict(
        engaged.filter(pl.col("date") < LAST, pl.col("date") > date(2024, 3, 1)).group_by("item_id").len().rows()
    )
    popularity = dict(rows.select("item_id", "popularity").unique().rows())
    assert popularity == {item: float(counts.get(item, 0)) for item in popularity}
    assert spec.catalogue


def test_ranking_without_a_catalogue_ranks_what_was_seen_before(shop, declare, tmp_path):
    spec = declare(catalogue=None, features=[{"count": {"by": "item_id"}}], negatives={"per_positive": 1})
    window = shop.daily(spec).filter(pl.col("item_id") != "i0")
    found = shop.examples(spec).lazy()
    done = prepare(
        found, spec, as_of=LAST, window_days=9, out=tmp_path, daily_window=window.lazy(), ranking_users=500, seed=1
    )
    assert "i0" not in read(done, "ranking")["item_id"]
    assert done.ranking.unrankable > 0
    assert done.to_json()["ranking"]["unrankable"] == done.ranking.unrankable
    json.dumps(done.to_json())


def test_ranking_without_any_relevant_item_is_an_empty_file_of_the_same_schema(made, shop, tmp_path):
    spec, window, found, full = made
    ignored = found.lazy().with_columns(label=pl.when(pl.col("date") == LAST).then(0.1).otherwise("label"))
    done = prepare(
        ignored.with_columns(pl.col("label").cast(pl.Float32)),
        spec,
        as_of=LAST,
        window_days=9,
        out=tmp_path,
        daily_window=window.lazy(),
        catalogue=shop.catalogue.lazy(),
        ranking_users=5,
    )
    assert done.ranking.users == 0
    assert read(done, "ranking").height == 0
    assert read(done, "ranking").schema == read(full, "ranking").schema


def test_a_pair_scored_as_of_a_day_has_the_features_of_an_example_of_that_day(made, shop):
    spec, window, _, done = made
    moment = pl.lit(as_of(LAST), dtype=pl.Datetime("us", "UTC"))
    labels = shop.labels.lazy().filter(date=LAST).with_columns(time=moment, covered=pl.lit(True))
    rows = examples(labels, window.lazy(), shop.catalogue.lazy(), spec, day=LAST)
    encoding = load_encoding(done.folder / "encoding", spec)
    keys = ["user_id", "item_id"]
    columns = [*keys, *encoding.columns()]
    expected = encoding.encoded(rows).select(columns).unique(keys).sort(keys).collect()
    scored = score_pairs(
        expected.select("user_id").unique().sort("user_id"),
        None,
        window.lazy(),
        shop.catalogue.lazy(),
        spec,
        done.folder / "encoding",
        day=LAST,
    )
    found = scored.join(expected.lazy().select(keys), on=keys, how="semi").sort(keys).collect()
    assert found.columns == columns
    assert found.equals(expected)


def test_chunks_of_users_give_what_all_users_at_once_give(made, shop):
    spec, window, _, done = made
    users = pl.DataFrame({"user_id": ["u3", "nobody", "u1", "u7"]})
    encoder = pair_encoder(
        None, window.lazy(), shop.catalogue.lazy(), spec, done.folder / "encoding", day=LAST + timedelta(days=1)
    )
    whole = encoder.encoded(users).collect()
    chunks = list(encoder.chunks(users, rows=200))
    assert [chunk.height for chunk in chunks] == [160, 160]
    assert pl.concat(chunks).equals(whole)
    assert whole["user_id"].unique(maintain_order=True).to_list() == users["user_id"].to_list()


def test_an_encoding_of_another_declaration_is_refused_by_what_differs(made, declare):
    spec, *_, done = made
    changed = declare(
        features=[*spec.model_dump(mode="json", by_alias=True)["features"], {"recency": {"by": "user_id"}}]
    )
    with pytest.raises(FeaturesError, match="not made by 'shop_examples' as declared now: features differs"):
        load_encoding(done.folder / "encoding", changed)
    assert load_encoding(done.folder / "encoding", declare(description="other words", weight_floor=0.2))
    with pytest.raises(FeaturesError, match=r"no features.json in .*/nowhere: prepare the training set"):
        load_encoding(done.folder / "nowhere", spec)


@pytest.mark.slow
def test_ranking_500_users_by_4000_items_takes_far_less_than_2_gb(tmp_path):
    script = Path(__file__).with_name("ranking_memory.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["rows"] == 2_000_000
    assert found["peak_megabytes"] < 1200
