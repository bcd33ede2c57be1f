"""Great Expectations is imported here, with its warnings about what it imports itself."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations
    import great_expectations.expectations  # noqa: F401


@pytest.fixture
def judged():
    """Judge an expectation on a frame with a plain validator; a pandas frame goes to the engine of pandas."""
    import pandas as pd
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    from expectations.polars_engine import PolarsExecutionEngine

    def judge(expectation, frame, **result_format):
        engine = PandasExecutionEngine() if isinstance(frame, pd.DataFrame) else PolarsExecutionEngine()
        engine.load_batch_data("batch", frame)
        validator = Validator(execution_engine=engine)
        validator.metrics_calculator.show_progress_bars = False
        configuration = expectation.configuration
        configuration.kwargs["batch_id"] = "batch"
        runtime = {"result_format": {"result_format": "COMPLETE", **result_format}}
        (result,) = validator.graph_validate([configuration], runtime_configuration=runtime)
        return result

    return judge


@pytest.fixture
def error_of():
    """What an evaluation failed with, as text; empty when it did not."""

    def tell(result):
        info = result.exception_info or {}
        # Of a metric, under its name; of an expectation, by itself.
        entries = [info, *info.values()]
        messages = (each.get("exception_message") for each in entries if isinstance(each, dict))
        return "; ".join(message for message in messages if message)

    return tell
