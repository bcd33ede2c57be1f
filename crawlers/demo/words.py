"""The words that the shop's goods and people are named with."""

from __future__ import annotations

NOUNS = {
    "kitchen": ("pan", "kettle", "bread knife", "mixing bowl", "grater", "teapot", "whisk", "lunch box"),
    "garden": ("spade", "planter", "lantern", "watering can", "trellis", "birdhouse", "rake", "hammock"),
    "books": ("novel", "atlas", "cookbook", "diary", "almanac", "comic", "travel guide", "poetry book"),
    "toys": ("puzzle", "kite", "robot", "doll house", "train set", "marbles", "card game", "spinning top"),
    "sports": ("racket", "football", "yoga mat", "skipping rope", "helmet", "water bottle", "dumbbell", "swim cap"),
    "music": ("ukulele", "drum", "flute", "tuner", "songbook", "metronome", "harmonica", "music stand"),
    "office": ("desk lamp", "stapler", "notebook", "fountain pen", "organiser", "wall clock", "globe", "paper tray"),
    "clothes": ("scarf", "rain jacket", "socks", "straw hat", "gloves", "shirt", "belt", "slippers"),
}
"""What is sold in each category."""

STYLES = (
    "vintage",
    "folding",
    "tiny",
    "sturdy",
    "striped",
    "wooden",
    "silver",
    "recycled",
    "bright",
    "classic",
    "handmade",
    "nordic",
)
"""What an item is like; a taste of its own."""

BRANDS = ("Alder", "Birke", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivory", "Juniper")

TYPICAL_PRICES = {
    "kitchen": 24.0,
    "garden": 32.0,
    "books": 14.0,
    "toys": 18.0,
    "sports": 28.0,
    "music": 45.0,
    "office": 16.0,
    "clothes": 30.0,
}
"""In the middle of each category."""

FIRST_NAMES = (
    "ada",
    "ben",
    "carla",
    "dan",
    "edith",
    "felix",
    "greta",
    "hugo",
    "iris",
    "jon",
    "kim",
    "lena",
    "max",
    "nora",
    "otto",
    "pia",
)
LAST_NAMES = ("brook", "hill", "field", "stone", "wood", "marsh", "lake", "meadow", "rivers", "ford", "heath", "dale")
