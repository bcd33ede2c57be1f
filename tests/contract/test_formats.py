"""What every registered format keeps to."""

from typing import Literal

import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from crawlers.contract import Contract
from crawlers.decode import Source
from crawlers.parse import FORMATS
from crawlers.parse.by_line import LineOptions, LineReader
from crawlers.parse.jsonl import Jsonl
from crawlers.parse.registry import Example, FormatOptions
from crawlers.parse.stream import Chunk
from crawlers.spec import SourceSpec


@pytest.fixture(params=FORMATS.names())
def form(request):
    return FORMATS[request.param]


def declared(form):
    example = form.example()
    return form.model_validate(example.options), Contract.model_validate({"columns": example.columns})


def read(form, body, chunk_bytes=1 << 20):
    options, contract = declared(form)
    source = Source(lambda _: iter([body] if body else []))
    return [part() for part in options.reader(contract).parts(source, chunk_bytes)]


def texts(reads, columns):
    frame = pl.concat(each.texts.select("_line", pl.col(columns).cast(pl.String)) for each in reads)
    assert frame["_line"].is_sorted()
    return frame.select(columns).to_dicts()


def test_its_example_is_read_as_it_says(form):
    example = form.example()
    reads = read(form, example.body)
    assert texts(reads, list(example.columns)) == list(example.records)
    assert sum(each.rows for each in reads) == len(example.records)
    assert all(each.bad.is_empty() and not each.removed for each in reads)


@pytest.mark.parametrize("rubbish", [b"", b"\n", b"\xff\xff", b"{", b'"', b"\x00", b"a,b\n\xff\n", b'"\n"\n"'])
@pytest.mark.parametrize("where", ["behind", "instead", "within"])
def test_every_row_is_in_one_part(form, rubbish, where):
    body = form.example().body
    middle = len(body) // 2
    damaged = {"behind": body + rubbish, "instead": rubbish, "within": body[:middle] + rubbish + body[middle + 2 :]}
    for each in read(form, damaged[where]):
        assert each.rows == each.texts.height + each.bad.height + sum(each.removed.values())


def test_a_file_that_was_cut_anywhere_is_accounted_for(form):
    body = form.example().body
    for end in range(len(body)):
        for each in read(form, body[:end]):
            assert each.rows == each.texts.height + each.bad.height + sum(each.removed.values())


def test_the_size_of_parts_changes_nothing(form):
    example = form.example()
    assert texts(read(form, example.body, 1), list(example.columns)) == list(example.records)


def test_formats_of_lines_cut_between_records(form):
    options, contract = declared(form)
    if not isinstance(options, LineOptions):
        return
    whole = form.example().body
    for end in range(len(whole)):
        file = options.lines(contract).open()
        assert whole[: file.cut(whole[:end])].endswith(b"\n") or file.cut(whole[:end]) == 0


def spec(options):
    return {
        "name": "s",
        "crawl": {"kind": "files", "start": "http://s.example/{date}/", "follow": "."},
        "format": options,
        "contract": {"columns": {"id": {"type": "string"}}},
    }


def test_a_source_declares_it(form):
    example = form.example()
    assert type(SourceSpec.model_validate(spec(example.options)).format) is form
    dumped = SourceSpec.model_validate(spec(example.options)).model_dump(mode="json")
    assert dumped["format"].items() >= example.options.items()


def test_it_is_in_the_json_schema(form):
    schema = TypeAdapter(SourceSpec).json_schema()
    assert f'"{form.example().options["kind"]}"' in str(schema).replace("'", '"')


def test_its_options_say_what_is_wrong_and_where(form):
    with pytest.raises(ValidationError, match="unknown key 'encodign'") as error:
        SourceSpec.model_validate(spec({**form.example().options, "encodign": "utf-8"}))
    assert error.value.errors()[0]["loc"][0] == "format"


def test_an_unknown_kind_is_explained():
    with pytest.raises(ValidationError, match="'jsnol' is unknown; did you mean 'jsonl'"):
        SourceSpec.model_validate(spec({"kind": "jsnol"}))


def test_a_kind_is_registered_once():
    with pytest.raises(ValueError, match="'csv' is registered already"):
        FORMATS.register("csv", FORMATS["csv"])


class ShoutedOptions(LineOptions):
    kind: Literal["shouted"]

    def lines(self, contract):
        return Shouted(contract, int(self.max_line_bytes))

    @classmethod
    def example(cls):
        return Example({"kind": "shouted"}, {"id": {"type": "string"}}, b'{"ID":"A"}\n', ({"id": "a"},))


class Shouted(Jsonl):
    """JSON lines in capital letters: a format of a few lines."""

    def read(self, chunk):
        return super().read(Chunk(chunk.first_line, chunk.body.lower()))


def test_a_new_kind_is_one_class():
    with FORMATS.temporarily("shouted", ShoutedOptions):
        assert issubclass(ShoutedOptions, FormatOptions)
        test_its_example_is_read_as_it_says(ShoutedOptions)
        test_a_source_declares_it(ShoutedOptions)
        test_it_is_in_the_json_schema(ShoutedOptions)
        test_its_options_say_what_is_wrong_and_where(ShoutedOptions)
        with pytest.raises(ValidationError, match="did you mean 'shouted'"):
            SourceSpec.model_validate(spec({"kind": "shuoted"}))
        options, contract = declared(ShoutedOptions)
        assert isinstance(options.reader(contract), LineReader)
