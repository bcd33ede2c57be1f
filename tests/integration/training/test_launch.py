"""What ends a run at once, and with which message; real processes, most of which never come to train."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from training.launchers import LaunchError, LocalLauncher
from training.spec import TrainTask
from training.supervise import supervise, work_folder


def python(path: Path, script: str) -> str:
    """An interpreter that does something else first, or only."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def launcher(path: Path, script: str, **settings) -> LocalLauncher:
    return LocalLauncher(python=python(path, script), **{"max_restarts": 0, **settings})


@pytest.fixture
def task(training_set, train_task, tmp_path):
    return TrainTask.model_validate(train_task(training_set, tmp_path / "out"))


def test_a_peer_that_never_starts_ends_the_run_at_the_deadline_with_every_process(task, tmp_path):
    pids = tmp_path / "pids"
    script = f'echo $$ >> {pids}\ncase "$TF_CONFIG" in *\'"index": 1\'*) exec sleep 1000;; esac\nexec sleep 1001'
    with pytest.raises(LaunchError) as error:
        supervise(
            task, lambda *_: None, launcher=launcher(tmp_path / "python", script, start_deadline=timedelta(seconds=1))
        )
    assert "did not start within 1 s (while starting Python)" in str(error.value)
    assert len(pids.read_text().split()) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split())
    assert not task.out.exists()


def test_faults_are_logged_restarted_as_often_as_declared_and_then_told_with_the_end_of_the_log(task, tmp_path):
    script = 'case "$TF_CONFIG" in *\'"index": 1\'*) echo the disk is on fire; exit 9;; esac\nexec sleep 1000'
    news: list[str] = []
    with pytest.raises(LaunchError) as error:
        supervise(
            task, lambda _, line: news.append(line), launcher=launcher(tmp_path / "python", script, max_restarts=2)
        )
    assert news == [
        "train of small: worker 1 ended with exit code 9 while starting Python; "
        f"all workers start again ({number} of 2 restarts)"
        for number in (1, 2)
    ]
    assert "train of small failed after 3 attempts: worker 1 ended with exit code 9" in str(error.value)
    assert str(error.value).count("the disk is on fire") == 3


def test_workers_that_stand_still_are_noticed(task, tmp_path):
    script = 'rank=$(echo "$TF_CONFIG" | sed "s/.*index.: //; s/}.*//")\n'
    script += 'echo \'{"kind": "ready"}\' >> "$SLUICE_TRAINING_FOLDER/progress/worker-$rank.jsonl"\nexec sleep 1000'
    with pytest.raises(LaunchError, match="no worker made progress for 1 s"):
        supervise(
            task,
            lambda *_: None,
            launcher=launcher(tmp_path / "python", script, freeze_deadline=timedelta(seconds=1)),
        )


def test_workers_that_end_with_different_weights_publish_nothing(task, tmp_path):
    script = 'rank=$(echo "$TF_CONFIG" | sed "s/.*index.: //; s/}.*//")\n'
    script += 'echo "{\\"kind\\": \\"done\\", \\"result\\": {\\"digest\\": \\"d$rank\\"}}"'
    script += ' >> "$SLUICE_TRAINING_FOLDER/progress/worker-$rank.jsonl"\nexec sleep 1000'
    with pytest.raises(LaunchError, match=r"ended with different weights \(worker-0 d0, worker-1 d1\)"):
        supervise(task, lambda *_: None, launcher=launcher(tmp_path / "python", script))
    assert not task.out.exists()


def test_two_runs_do_not_write_one_output(task, tmp_path):
    import fcntl

    from training.failure import TaskError

    task.out.parent.mkdir(exist_ok=True)
    with (task.out.parent / f".{task.out.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(TaskError, match=r"Another run is writing .*out already"):
            supervise(task, lambda *_: None, launcher=launcher(tmp_path / "python", "exit 1"))


def test_an_earlier_output_stands_when_a_run_fails_and_returns_when_one_was_killed_while_replacing_it(task, tmp_path):
    task.out.mkdir()
    (task.out / "kept").touch()
    with pytest.raises(LaunchError):
        supervise(task, lambda *_: None, launcher=launcher(tmp_path / "python", "exit 1"))
    assert (task.out / "kept").exists()
    task.out.replace(work_folder(task) / "replaced")
    with pytest.raises(LaunchError):
        supervise(task, lambda *_: None, launcher=launcher(tmp_path / "python", "exit 1"))
    assert (task.out / "kept").exists()


@pytest.mark.slow
def test_data_that_cannot_be_trained_on_fails_at_once_with_one_clear_line(training_set, train_task, start, tmp_path):
    import shutil

    data = tmp_path / "data"
    shutil.copytree(training_set, data)
    for path in (data / "train").iterdir():
        path.unlink()
    run = start(tmp_path, train_task(data, tmp_path / "out", workers=1))
    assert run.finish() == 1
    assert run.errors.strip().startswith(f"There is no training example in {data / 'train'}; widen the window")
    assert not any("start again" in line for line in run.lines)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_damage_that_only_a_reader_finds_is_told_as_such(training_set, train_task, start, tmp_path):
    import shutil

    data = tmp_path / "data"
    shutil.copytree(training_set, data)
    features = data / "encoding" / "features.json"
    features.write_text(features.read_text().replace('"size": 300', '"size": 100'))
    run = start(tmp_path, train_task(data, tmp_path / "out", workers=1))
    assert run.finish() == 1
    assert "Column 'user_id' holds" in run.errors
    assert "outside its table of 100 rows" in run.errors
    assert "Traceback" not in run.errors


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "usage: python -m training TASK.json"),
        (["rolback"], 2, "'rolback' is neither a task file nor a command; did you mean 'rollback'?"),
        (["none.json"], 1, "task file none.json cannot be read: No such file or directory"),
    ],
)
def test_a_command_line_that_is_wrong_is_told_how_to_be_right(arguments, code, message, tmp_path):
    import subprocess

    found = subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "TF_CONFIG"},
        timeout=60,
    )
    assert found.returncode == code
    assert message in found.stderr
