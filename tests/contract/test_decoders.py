"""What every registered decoder keeps to: nothing raises, what can be read is read, and what cannot is told."""

import random

import pytest

from crawlers.decode import DECODERS, Source, members

TEXT = b"".join(b'{"id":%d,"x":"%x"}\n' % (n, random.Random(n).getrandbits(60)) for n in range(3000))


@pytest.fixture(params=DECODERS.names())
def decoder(request):
    return DECODERS[request.param]


def opened(decoder, body, block=None):
    """What is inside, all members after each other, and what was wrong."""
    block = block or len(body) or 1
    source = Source(lambda _: iter([body[at : at + block] for at in range(0, len(body), block)]))
    damages, found = [], b""
    with decoder.opened(source, damages) as inside:
        for _, member in inside:
            found += b"".join(member.read(damages))
    return found, damages


def landed(tmp_path, body, content_encoding=None, **bounds):
    path = tmp_path / "landed"
    path.write_bytes(body)
    found = {}
    for member in members(path, content_encoding=content_encoding, **{"max_bytes": 1 << 24, **bounds}):
        damages = []
        content = b"".join(member.source.read(damages))
        found.setdefault(member.name, []).append((content, [damage.reason for damage in damages]))
    return found


@pytest.mark.parametrize("content", [b"", b"a", TEXT, b"0" * 2_000_000], ids=["empty", "byte", "text", "zeros"])
@pytest.mark.parametrize("block", [None, 1000, 1])
def test_what_was_packed_is_unpacked(decoder, content, block):
    body = decoder.packed(content)
    if block == 1 and len(body) > 10_000:
        return
    assert opened(decoder, body, block) == (content, [])


def test_what_was_packed_is_recognised(decoder, tmp_path):
    body = decoder.packed(TEXT)
    assert decoder.recognises(body)
    if decoder.marked:
        assert not any(
            other.recognises(body) for other in DECODERS.entries().values() if other.marked and other is not decoder
        )
        (contents,) = landed(tmp_path, body).values()
        assert contents == [(TEXT, [])]
    for coding in decoder.codings:
        assert landed(tmp_path, body, coding) == {"": [(TEXT, [])]}


def test_text_is_not_recognised(decoder):
    for text in (b"", b"B", b"BZh1,a\n", TEXT, b"id,n\na,1\n", b"PK,a\n", b"\xef\xbb\xbfid\n"):
        assert not (decoder.marked and decoder.recognises(text))


def test_an_announced_coding_that_was_not_applied_is_passed_over(decoder, tmp_path):
    for coding in decoder.codings:
        assert landed(tmp_path, TEXT, coding) == {"": [(TEXT, [])]}


def test_cut_anywhere_it_gives_a_beginning_and_says_so(decoder):
    body = decoder.packed(TEXT)
    whole = opened(decoder, body)[0]
    for end in range(0, len(body) - 1, 997):
        found, damages = opened(decoder, body[:end])
        assert whole.startswith(found)
        assert damages or found == whole or end == 0


def test_damaged_anywhere_it_raises_nothing(decoder):
    body = decoder.packed(TEXT)
    for at in range(0, len(body), max(1, len(body) // 25)):
        opened(decoder, body[:at] + bytes([body[at] ^ 0xFF]) + body[at + 1 :])


def test_a_bomb_stops_at_the_bound(decoder, tmp_path):
    if decoder.marked:
        ((content, reasons), *_) = next(
            iter(landed(tmp_path, decoder.packed(b"0" * 5_000_000), max_bytes=1000).values())
        )
        assert (content, reasons) == (b"0" * 1000, ["decompression_bomb"])
