"""The Dagster code location: loads the declarations under defs/ and binds resources."""
