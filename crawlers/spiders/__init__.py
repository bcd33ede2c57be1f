"""Spiders, one kind a file: each knows how a kind of site is walked, and none parses what it lands."""
