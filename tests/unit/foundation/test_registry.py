import pytest

from foundation.registry import Registry, UnknownNameError, registries

KINDS: Registry[type] = Registry("throw-away kind of this test")


def test_a_name_is_taken_once_and_a_miss_is_explained():
    @KINDS.registered("square")
    class Square:
        pass

    assert KINDS["square"] is Square
    with pytest.raises(ValueError, match=r"'square' is registered already, by .*Square; choose another name"):
        KINDS.register("square", int)
    with pytest.raises(UnknownNameError, match="'sqare' is unknown; did you mean 'square'"):
        KINDS["sqare"]


def test_every_registry_is_known_by_its_noun():
    assert registries()["throw-away kind of this test"] is KINDS
    with pytest.raises(ValueError, match="one noun names one thing"):
        Registry("throw-away kind of this test")


def test_a_kind_can_be_registered_for_a_while():
    with KINDS.temporarily("circle", float):
        assert "circle" in KINDS
    assert "circle" not in KINDS
