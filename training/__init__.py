"""Training, evaluation, compression and publication of small models."""
