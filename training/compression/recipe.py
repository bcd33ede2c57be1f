"""Which candidates a declaration makes, and what each is fairly compared with."""

from dataclasses import dataclass
from typing import Literal

from training.compression.spec import CompressSpec

FLOAT = "float"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one candidate is made.

    Attributes:
        name: Of the candidate.
        kind: `candidate` may be blessed, `reference` is there to be compared with.
        compared_with: The model that had the same training.
        tuning: The technique that trains the float model on, or None where its weights are taken as they are.
        conversion: The technique that writes the file.
    """

    name: str
    kind: Literal["candidate", "reference"]
    compared_with: str
    tuning: str | None
    conversion: str


def recipes(declared: CompressSpec) -> tuple[Recipe, ...]:
    """The candidates of a declaration, the float model first.

    Pruning trains on for some epochs, and its candidates are compared with a float model that had the same epochs, or
    what they gained by more training would hide what they lost by pruning.
    """
    quantised = declared.quantize == "int8"
    kind: Literal["candidate", "reference"] = "reference" if quantised or declared.prune else "candidate"
    found = [Recipe(FLOAT, kind, FLOAT, None, "float")]
    if quantised:
        found.append(Recipe("int8", "candidate", FLOAT, None, "int8"))
    if declared.prune is not None:
        tuned = f"{FLOAT}_tuned"
        found.append(Recipe(tuned, "reference", tuned, "continue", "float"))
        found.append(Recipe("pruned", "candidate", tuned, "prune", "float"))
        if quantised:
            found.append(Recipe("pruned_int8", "candidate", tuned, "prune", "int8"))
    return tuple(found)
