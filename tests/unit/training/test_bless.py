import pytest

from training.bless import EvaluationError, bless
from training.spec import BlessSpec


def row(name, kind="candidate", *, auc=0.80, size=25, zipped=20, compared_with="float", **more):
    return {
        "name": name,
        "kind": kind,
        "compared_with": compared_with,
        "auc": auc,
        "log_loss": 0.5,
        "bytes": size,
        "gzip_bytes": zipped,
        **more,
    }


FLOAT = row("float", "reference", auc=0.80, size=100, zipped=90)
TUNED = row("float_tuned", "reference", auc=0.82, size=100, zipped=90, compared_with="float_tuned")


def verdict(*rows, **bounds):
    return bless({"candidates": list(rows)}, BlessSpec(**bounds))


def test_the_smallest_by_gzipped_bytes_wins_among_those_within_every_bound():
    found = verdict(FLOAT, row("big", zipped=30), row("small", zipped=10), row("bad", auc=0.7, zipped=5))
    assert found.candidate == "small"
    assert "smallest of 2 candidates" in found.reasons[0]
    assert next(one for one in found.considered if one.name == "bad").failed


def test_a_tie_goes_to_fewer_raw_bytes_then_to_the_name():
    assert verdict(FLOAT, row("b"), row("a")).candidate == "a"
    assert verdict(FLOAT, row("a", size=26), row("b", size=25)).candidate == "b"


def test_a_candidate_is_held_against_the_reference_that_had_the_same_training():
    fine_tuned = row("pruned_int8", auc=0.812, compared_with="float_tuned")
    found = verdict(FLOAT, TUNED, fine_tuned, max_drop_vs_float=0.005)
    assert found.candidate is None
    assert "auc is 0.0080 worse than float_tuned, allowed is 0.005" in found.reasons[0]


@pytest.mark.parametrize(("auc", "blessed"), [(0.7951, True), (0.7949, False)])
def test_the_drop_against_float_is_bounded(auc, blessed):
    assert (verdict(FLOAT, row("int8", auc=auc), max_drop_vs_float=0.005).candidate is not None) == blessed


@pytest.mark.parametrize(("champion_auc", "blessed"), [(0.809, True), (0.811, False)])
def test_the_drop_against_the_champion_is_bounded(champion_auc, blessed):
    champion = row("champion", "champion", auc=champion_auc, compared_with=None)
    found = verdict(FLOAT, champion, row("int8"), max_drop_vs_champion=0.01)
    assert (found.candidate is not None) == blessed
    assert "champion" in found.reasons[-1]


def test_the_size_is_bounded_as_a_share_of_the_float_file():
    found = verdict(FLOAT, row("int8", size=31), max_bytes_ratio=0.3)
    assert found.candidate is None
    assert "its file is 31% of the float model's, allowed is 30%" in found.reasons[0]


def test_the_minimum_refuses_the_best_of_a_bad_lot():
    assert verdict(FLOAT, row("int8"), minimum=0.81).candidate is None
    assert verdict(FLOAT, row("int8"), minimum=0.79).candidate == "int8"


def test_of_log_loss_less_is_better():
    worse, better = row("worse", zipped=5) | {"log_loss": 0.52}, row("better") | {"log_loss": 0.49}
    assert verdict(FLOAT, worse, better, metric="log_loss").candidate == "better"
    assert verdict(FLOAT, worse, metric="log_loss", max_drop_vs_float=0.03, minimum=0.51).candidate is None


def test_references_baselines_and_the_champion_are_never_blessed():
    small = {"size": 1, "zipped": 1}
    found = verdict(FLOAT, row("popularity", "baseline", **small), row("champion", "champion", **small))
    assert found.candidate is None
    assert "There is no candidate: declare `compress`" in found.reasons[0]


def test_the_float_file_is_blessed_when_it_alone_is_declared():
    assert verdict({**FLOAT, "kind": "candidate"}, max_bytes_ratio=1).candidate == "float"


def test_an_evaluation_that_lacks_what_is_needed_says_so():
    with pytest.raises(EvaluationError, match="no row 'float'"):
        verdict(row("int8"))
    with pytest.raises(EvaluationError, match="'pruned' is compared with 'float_tuned', which has no row"):
        verdict(FLOAT, row("pruned", compared_with="float_tuned"))
    with pytest.raises(EvaluationError, match="no ndcg of 'int8'"):
        verdict(FLOAT, row("int8", ndcg=None), metric="ndcg")


def test_a_verdict_is_plain_json():
    found = verdict(FLOAT, row("int8", auc=0.1)).to_json()
    assert found["candidate"] is None
    assert found["considered"][0]["failed"] == ["auc is 0.7000 worse than float, allowed is 0.005"]
