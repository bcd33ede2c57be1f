"""The `folder` kind at work: which files match, where they lie, and how they are landed."""
