from training.progress import ProgressReader, ProgressWriter


def test_events_are_read_once_and_a_line_in_writing_waits(tmp_path):
    path = tmp_path / "worker-0.jsonl"
    path.touch()
    writer, reader = ProgressWriter(path), ProgressReader(path)
    writer.phase("training")
    with path.open("a") as file:
        file.write('{"kind": "rea')
    assert [event["kind"] for event in reader.events()] == ["phase"]
    with path.open("a") as file:
        file.write('dy"}\n')
    assert [event["kind"] for event in reader.events()] == ["ready"]
    assert reader.events() == []


def test_a_beat_changes_the_stamp_and_nothing_else(tmp_path):
    path = tmp_path / "worker-0.jsonl"
    path.touch()
    writer, reader = ProgressWriter(path), ProgressReader(path)
    before = reader.stamp()
    writer.beat()
    assert reader.stamp() != before
    assert reader.events() == []


def test_a_writer_without_a_file_says_nothing():
    ProgressWriter().beat()
    ProgressWriter().done({})
