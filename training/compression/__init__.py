"""Compression: one technique a file, named in the registry; the recipe says which candidates they make."""
