import pytest
from pydantic import ValidationError, model_validator

from foundation.declaration import Declaration
from foundation.located import LocatedError, location_of


class Inner(Declaration):
    width: int = 1

    @model_validator(mode="after")
    def _narrow(self):
        if self.width > 9:
            raise LocatedError("width is too large", ["width"])
        return self


class Outer(Declaration):
    parts: tuple[Inner, ...] = ()


def problem(declared):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate(declared)
    return caught.value.errors()[0]


def test_an_unknown_key_is_refused_with_the_nearest_one_and_its_place():
    found = problem({"parts": [{"width": 1}, {"widht": 2}]})
    assert "unknown key 'widht' of Inner; did you mean 'width'?" in found["msg"]
    assert location_of(found) == ("parts", 1, "widht")


def test_an_error_of_a_validator_carries_its_place_on_from_the_field():
    assert location_of(problem({"parts": [{"width": 12}]})) == ("parts", 0, "width")


def test_a_declaration_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Outer().parts = ()
