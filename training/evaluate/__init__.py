"""Evaluation by time: candidates, popularity and the champion on the same later days."""
