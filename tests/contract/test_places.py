"""The list of places in the lake: each file is of one kind, and each kind is described by a path of its own."""

import pytest

from assets.lake.places import PLACES, place_of


@pytest.mark.parametrize("name", PLACES.names())
def test_the_example_of_each_place_is_of_that_place_alone(name):
    assert list(place_of(PLACES[name].example)) == [name]


def test_what_nobody_put_there_is_of_no_place():
    assert list(place_of("tables/shop_events/notes.txt")) == []
    assert list(place_of("somewhere/else")) == []
