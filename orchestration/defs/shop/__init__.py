"""Declarations of the shop."""
