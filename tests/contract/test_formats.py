"""What every registered format keeps to."""

import pytest

from crawlers.contract import Contract
from crawlers.parse import UnknownFormatError, formats, register_format
from crawlers.parse.registry import make_format
from crawlers.parse.stream import Chunk

CONTRACT = Contract.model_validate({"columns": {"id": {"type": "string"}, "n": {"type": "integer"}}})
RECORDS = {"jsonl": b'{"id":"a","n":1}\n{"id":"b"}\n', "csv": b"id,n\na,1\nb,\n"}


class Options:
    def __init__(self, kind):
        self.kind, self.delimiter, self.encoding, self.max_line_bytes = kind, ",", "utf-8", 1000


@pytest.fixture(params=sorted(formats()))
def kind(request):
    return request.param


def opened(kind, chunk):
    reader = make_format(Options(kind), CONTRACT).open()
    reader.begin(chunk)
    return reader


def test_records_come_as_texts_with_their_lines(kind):
    chunk = Chunk(1, RECORDS[kind])
    read = opened(kind, chunk).read(chunk)
    assert read.texts.select("id", "n").rows() == [("a", "1"), ("b", None)]
    assert (read.rows, read.bad.height, read.removed) == (2, 0, {})
    assert read.texts["_line"].is_sorted()


@pytest.mark.parametrize("rubbish", [b"", b"\n", b"\xff\xff", b"{", b'"', b"\x00", b"a,b\n\xff\n", b'"\n"\n"'])
def test_every_row_is_in_one_part(kind, rubbish):
    chunk = Chunk(1, RECORDS[kind] + rubbish)
    read = opened(kind, chunk).read(chunk)
    assert read.rows == read.texts.height + read.bad.height + sum(read.removed.values())


def test_a_cut_leaves_whole_records_on_its_left(kind):
    whole = RECORDS[kind]
    for end in range(len(whole)):
        reader = make_format(Options(kind), CONTRACT).open()
        assert whole[: reader.cut(whole[:end])].endswith(b"\n") or reader.cut(whole[:end]) == 0


def test_a_kind_is_registered_once():
    with pytest.raises(ValueError, match="'csv' is registered already"):
        register_format("csv")(lambda _options, _contract: None)


def test_an_unknown_kind_is_explained():
    with pytest.raises(UnknownFormatError, match="'jsnol' is unknown; did you mean 'jsonl'"):
        make_format(Options("jsnol"), CONTRACT)
