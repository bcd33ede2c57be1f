"""What the other packages stand on: no word of data, of sites or of models, and no framework."""
