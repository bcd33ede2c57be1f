"""The declarations: a folder a product, a folder a thing in it."""
