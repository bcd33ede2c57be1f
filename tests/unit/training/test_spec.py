import json
from datetime import timedelta
from typing import ClassVar, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from foundation.located import location_of
from training.failure import TaskError
from training.families import FAMILIES, Family, Ranker
from training.spec import ModelSpec, TrainTask, parse_task, read_task

DECLARED = {
    "name": "shop_ranker",
    "examples": "shop_examples",
    "window": "28d",
    "family": {"kind": "ranker", "hidden": [64, 32]},
    "workers": 2,
    "compress": {"prune": {"sparsity": 0.5}, "quantize": "int8"},
    "bless": {"metric": "auc", "max_drop_vs_float": 0.005, "max_drop_vs_champion": 0.01, "max_bytes_ratio": 0.3},
}


def test_a_declaration_of_a_few_lines_is_complete():
    spec = ModelSpec.model_validate(DECLARED)
    assert spec.window == timedelta(days=28)
    assert spec.family == Ranker(hidden=(64, 32))
    assert spec.batch % spec.workers == 0


def test_a_task_survives_its_json(tmp_path):
    task = TrainTask(model=ModelSpec.model_validate(DECLARED), data=tmp_path, out=tmp_path / "out")
    assert parse_task(task.model_dump_json()) == task


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": 1}, "unknown key 'epoch' of ModelSpec; did you mean 'epochs'?"),
        ({"compress": {"prun": None}}, "unknown key 'prun' of CompressSpec; did you mean 'prune'?"),
        ({"family": {"kind": "rankr"}}, "Model family 'rankr' is unknown; did you mean 'ranker'?"),
        ({"family": "ranker"}, "write it as {kind: ranker} with its settings beside the kind. Kinds are: ranker"),
        ({"family": {"hidden": [8]}}, "a model family says its kind, one of: ranker"),
        ({"family": {"kind": "ranker", "hiden": [8]}}, "unknown key 'hiden' of Ranker; did you mean 'hidden'?"),
        ({"family": {"kind": "ranker", "hidden": [0]}}, "greater than or equal to 1"),
        ({"batch": 4097}, "batch 4097 of model 'shop_ranker' cannot be shared equally by 2 workers; take 4096"),
        ({"window": "36h"}, "36h is not a whole number of days"),
        ({"freeze_deadline": "soon"}, "'soon' is not a duration; write a number and one of s, m, h, d"),
        ({"workers": 0}, "workers"),
    ],
)
def test_an_error_names_the_culprit_and_the_fix(change, message):
    with pytest.raises(ValidationError) as error:
        ModelSpec.model_validate({**DECLARED, **change})
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        (json.dumps({"task": "tran"}), "'tran'"),
        (json.dumps({"task": "train", "data": "d", "out": "o"}), "train.model: Field required"),
    ],
)
def test_a_task_file_that_is_wrong_is_named_with_its_field(tmp_path, text, message):
    path = tmp_path / "task.json"
    path.write_text(text)
    with pytest.raises(TaskError) as error:
        read_task(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_task_file_is_named(tmp_path):
    with pytest.raises(TaskError, match="cannot be read: No such file"):
        read_task(tmp_path / "none.json")


def test_where_in_the_declaration_a_family_is_wrong_is_carried_along():
    wrong = {"family": {"kind": "ranker", "hidden": [8, "wide"]}}
    with pytest.raises(ValidationError) as error:
        ModelSpec.model_validate({**DECLARED, **wrong})
    (found,) = error.value.errors()
    assert location_of(found) == ("family", "hidden", 1)


def test_a_family_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="'ranker' is registered already"):
        FAMILIES.register("ranker", Ranker)


class Popular(Family):
    """A family that only counts: it bears no pruning, and says nothing of single examples."""

    kind: Literal["popular"] = "popular"
    decay: float = 0.5
    measured_by: ClassVar = frozenset({"lists"})
    techniques: ClassVar = frozenset({"float", "int8"})

    def build(self, inputs, *, seed):
        raise NotImplementedError("it is declared here, and never trained")


def test_a_family_of_one_class_works_in_declarations_schema_and_messages():
    declared = {**DECLARED, "family": {"kind": "popular", "decay": 0.9}, "compress": {"prune": None}}
    declared["bless"] = {"metric": "ndcg"}
    with FAMILIES.temporarily("popular", Popular):
        spec = ModelSpec.model_validate(declared)
        assert spec.family == Popular(decay=0.9)
        assert ModelSpec.model_validate_json(spec.model_dump_json()) == spec
        schema = TypeAdapter(ModelSpec).json_schema()
        assert {"Popular", "Ranker"} <= schema["$defs"].keys()
        for change, message in [
            ({"family": {"kind": "populer"}}, "did you mean 'popular'"),
            ({"bless": {"metric": "auc"}}, "family 'popular' is not measured by scores; choose one of: ndcg, recall"),
            ({"compress": {}}, "does not bear the technique 'prune'; write compress: {prune: null}"),
        ]:
            with pytest.raises(ValidationError) as error:
                ModelSpec.model_validate({**declared, **change})
            assert message in str(error.value)
    with pytest.raises(ValidationError, match="'popular' is unknown"):
        ModelSpec.model_validate(declared)
