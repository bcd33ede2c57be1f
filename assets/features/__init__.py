"""Point-in-time features, negatives, splits and encoded training files."""

from assets.features.check import check_features
from assets.features.daily import daily, daily_schema
from assets.features.encode import Encoding, load_encoding
from assets.features.errors import (
    FeaturesError,
    MissingCatalogueError,
    NoExamplesError,
    NoPositivesError,
    TooFewDaysError,
)
from assets.features.examples import examples, examples_schema
from assets.features.inputs import Category, Dense, Input, Tokens
from assets.features.pairs import PairEncoder, pair_encoder, score_pairs
from assets.features.prepare import Part, TrainingSet, prepare
from assets.features.ranking import Ranking
from assets.features.registry import Feature, feature_kinds, register_feature
from assets.features.shapes import SHAPES, Shape, pairs
from assets.features.spec import FeaturesSpec, inputs
from assets.features.split import Split, split_days

__all__ = [
    "SHAPES",
    "Category",
    "Dense",
    "Encoding",
    "Feature",
    "FeaturesError",
    "FeaturesSpec",
    "Input",
    "MissingCatalogueError",
    "NoExamplesError",
    "NoPositivesError",
    "PairEncoder",
    "Part",
    "Ranking",
    "Shape",
    "Split",
    "Tokens",
    "TooFewDaysError",
    "TrainingSet",
    "check_features",
    "daily",
    "daily_schema",
    "examples",
    "examples_schema",
    "feature_kinds",
    "inputs",
    "load_encoding",
    "pair_encoder",
    "pairs",
    "prepare",
    "register_feature",
    "score_pairs",
    "split_days",
]
