"""A field that is one of several kinds asks the registry each time it is read."""

from typing import Annotated, Literal

import pytest
from pydantic import ValidationError

from foundation.declaration import Declaration
from foundation.kinds import OneOf
from foundation.located import location_of
from foundation.registry import Registry


class Animal(Declaration):
    kind: str


class Legs(Declaration):
    count: int


class Dog(Animal):
    kind: Literal["dog"] = "dog"
    legs: Legs = Legs(count=4)


class Bird(Animal):
    kind: Literal["bird"] = "bird"
    sings: bool


ANIMALS: Registry[type[Animal]] = Registry("animal of this test")
ANIMALS.register("dog", Dog)


class Home(Declaration):
    pet: Annotated[Animal, OneOf(ANIMALS)]


def problem(pet):
    with pytest.raises(ValidationError) as caught:
        Home.model_validate({"pet": pet})
    (one,) = caught.value.errors()
    return location_of(one), one["msg"]


def test_a_value_is_read_by_its_kind_and_survives_json():
    home = Home.model_validate({"pet": {"kind": "dog", "legs": {"count": 3}}})
    assert home.pet == Dog(legs=Legs(count=3))
    assert Home.model_validate_json(home.model_dump_json(by_alias=True)) == home
    assert Home(pet=Dog()).pet == Dog()


@pytest.mark.parametrize(
    ("pet", "location", "message"),
    [
        ({"kind": "dgo"}, ("pet", "kind"), "did you mean 'dog'"),
        ({}, ("pet",), "the key 'kind' is missing; known are: dog"),
        ("dog", ("pet",), "write one with a 'kind'"),
        ({"kind": "dog", "legs": {"count": "many"}}, ("pet", "legs", "count"), "valid integer"),
        ({"kind": "dog", "lgs": 4}, ("pet", "lgs"), "did you mean 'legs'"),
    ],
)
def test_a_mistake_is_named_where_it_stands(pet, location, message):
    found, text = problem(pet)
    assert found == location
    assert message in text


def test_a_kind_registered_later_is_read_named_and_in_the_schema():
    with ANIMALS.temporarily("bird", Bird):
        assert Home.model_validate({"pet": {"kind": "bird", "sings": True}}).pet == Bird(sings=True)
        schema = Home.model_json_schema()
        kinds = [one["properties"]["kind"]["const"] for one in schema["properties"]["pet"]["oneOf"]]
        assert kinds == ["bird", "dog"]
        assert all("kind" in one["required"] for one in schema["properties"]["pet"]["oneOf"])
        assert "bird, dog" in problem("cat")[1]
    assert "Animal of this test 'bird' is unknown" in problem({"kind": "bird"})[1]
