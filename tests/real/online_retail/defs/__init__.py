"""The Online Retail product: declarations for data that nobody here wrote."""
