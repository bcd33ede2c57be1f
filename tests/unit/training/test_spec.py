import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from training.failure import TaskError
from training.models.registry import register_family
from training.spec import ModelSpec, TrainTask, parse_task, read_task

DECLARED = {
    "name": "shop_ranker",
    "examples": "shop_examples",
    "window": "28d",
    "family": "ranker",
    "hidden": [128, 32],
    "workers": 2,
    "compress": {"prune": {"sparsity": 0.5}, "quantize": "int8"},
    "bless": {"metric": "auc", "max_drop_vs_float": 0.005, "max_drop_vs_champion": 0.01, "max_bytes_ratio": 0.3},
}


def test_a_declaration_of_a_few_lines_is_complete():
    spec = ModelSpec.model_validate(DECLARED)
    assert spec.window == timedelta(days=28)
    assert spec.hidden == (128, 32)
    assert spec.batch % spec.workers == 0


def test_a_task_survives_its_json(tmp_path):
    task = TrainTask(model=ModelSpec.model_validate(DECLARED), data=tmp_path, out=tmp_path / "out")
    assert parse_task(task.model_dump_json()) == task


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hiden": [1]}, "unknown field 'hiden' of ModelSpec; did you mean 'hidden'?"),
        ({"compress": {"prun": None}}, "unknown field 'prun' of CompressSpec; did you mean 'prune'?"),
        ({"family": "rankr"}, "Model family 'rankr' is unknown; did you mean 'ranker'?"),
        ({"batch": 4097}, "batch 4097 of model 'shop_ranker' cannot be shared equally by 2 workers; take 4096"),
        ({"window": "36h"}, "window '36h' is not a whole number of days"),
        ({"freeze_deadline": "soon"}, "duration 'soon' is not understood; write a number and one of s, m, h, d"),
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


def test_a_family_cannot_be_registered_twice():
    with pytest.raises(ValueError, match="'ranker' is registered already"):
        register_family("ranker", "elsewhere:build")
