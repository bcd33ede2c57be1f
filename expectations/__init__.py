"""Gates: Great Expectations, evaluated by Polars, before anything becomes visible."""
