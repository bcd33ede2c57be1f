"""Great Expectations evaluates a suite on a frame, by the Polars engine."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from expectations.hidden import hides, numbers_only, without_messages

if TYPE_CHECKING:
    from expectations.declaration import ExpectationSpec

DATA_DOCS_SITE = "gate"


def evaluate(
    gate: Sequence[ExpectationSpec],
    frame: pl.LazyFrame,
    *,
    name: str,
    partition: str,
    docs_dir: Path | None,
    static_dir: Path | None = None,
    tables: Mapping[str, pl.LazyFrame] | None = None,
    hidden: Collection[str] = (),
) -> tuple[list[Mapping[str, Any]], Path | None]:
    """Validate a frame with a checkpoint.

    Returns:
        GX's result of each expectation as plain JSON, in order, and the first page of the Data Docs if any were built.
    """
    # No word to any server, and no progress bars in a log.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Importing Great Expectations warns too.
        from expectations.references import looking_into

        with looking_into(tables or {}):
            return _evaluate(
                gate,
                frame,
                name=name,
                partition=partition,
                docs_dir=docs_dir,
                static_dir=static_dir,
                hidden=hidden,
            )


def _evaluate(
    gate: Sequence[ExpectationSpec],
    frame: pl.LazyFrame,
    *,
    name: str,
    partition: str,
    docs_dir: Path | None,
    static_dir: Path | None,
    hidden: Collection[str],
) -> tuple[list[Mapping[str, Any]], Path | None]:
    import great_expectations as gx
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    import expectations.polars_engine  # noqa: F401 - registers add_polars
    from expectations import data_docs

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    suite = gx.ExpectationSuite(name=name)
    for number, spec in enumerate(gate):
        configuration = ExpectationConfiguration(
            type=spec.type,
            kwargs=dict(spec.kwargs),
            severity=spec.severity,
            meta={"number": number, "severity": spec.severity},
        )
        # The suite's own methods would put a second expectation of one kind on one column in the place of the first.
        suite.expectations.append(configuration.to_domain_obj())
    suite = context.suites.add(suite)
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=f"{name} {partition}", data=_batch(context, name), suite=suite)
    )
    if docs_dir is not None:
        data_docs.prepare(docs_dir, static_dir)
        for site in list(context.get_site_names() or []):
            context.delete_data_docs_site(site)
        context.add_data_docs_site(site_name=DATA_DOCS_SITE, site_config=data_docs.site(docs_dir))
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=f"{name} {partition}",
            validation_definitions=[definition],
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": 20},
        )
    )
    outcome = checkpoint.run(batch_parameters={"dataframe": frame})
    ((identifier, validation),) = outcome.run_results.items()
    for result in validation.results:
        if hides(gate[result.expectation_config.meta["number"]], hidden):
            result.result = numbers_only(result.result)
            result.exception_info = without_messages(result.exception_info)
    # What the pages are made of is what was kept when the checkpoint ran.
    context.validation_results_store.set(identifier, validation)
    found = {result.expectation_config.meta["number"]: result.to_json_dict() for result in validation.results}
    if docs_dir is not None:
        context.build_data_docs(site_names=[DATA_DOCS_SITE])
    index = docs_dir / "index.html" if docs_dir is not None else None
    return [found[number] for number in range(len(gate))], index if index and index.is_file() else None


def _batch(context: Any, name: str) -> Any:
    """The batch definition of a frame, which the Polars engine evaluates."""
    return (
        context.data_sources.add_polars("frames").add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    )
