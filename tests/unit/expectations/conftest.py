"""Great Expectations is imported here, with its warnings about what it imports itself."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations
    import great_expectations.expectations  # noqa: F401
