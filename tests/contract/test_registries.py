"""What every registry offers to a kind that is registered elsewhere: a place in the reference, and in the messages."""

import pytest

from foundation.registry import UnknownNameError
from orchestration.reference import _public_registries, _slug, pages

REGISTRIES = _public_registries()


@pytest.mark.parametrize("noun", sorted(REGISTRIES))
def test_a_throw_away_kind_is_in_the_reference_and_in_the_messages_as_long_as_it_is_there(noun):
    registry = REGISTRIES[noun]
    page, before = f"{_slug(noun)}.md", pages()
    assert registry.names()
    with registry.temporarily("throwaway", registry[registry.names()[0]]):
        assert "## `throwaway`\n" in pages()[page]
        with pytest.raises(UnknownNameError, match=rf"(?i){noun} 'throwawa' is unknown; did you mean 'throwaway'\?"):
            registry["throwawa"]
        with pytest.raises(ValueError, match="'throwaway' is registered already"):
            registry.register("throwaway", registry["throwaway"])
    assert pages() == before
    with pytest.raises(UnknownNameError):
        registry["throwaway"]
