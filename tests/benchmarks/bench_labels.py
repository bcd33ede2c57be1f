"""Labels beside Snorkel on the same work: the vote matrix, and the label model.

Run by itself: `python tests/benchmarks/bench_labels.py [rows]`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import polars as pl

from assets.labeling import LabelsSpec, count_patterns, votes
from assets.labeling.random_state import preserved_random_state

ROWS = 1_000_000
PEER_ROWS = 100_000
EPOCHS = 100

FUNCTIONS: dict[str, tuple[str, str, Callable[..., bool]]] = {
    "purchased": ("engaged", "purchases > 0", lambda x: x.purchases > 0),
    "carted": ("engaged", "carts > 0 and dwell > 5", lambda x: x.carts > 0 and x.dwell > 5),
    "stayed": ("engaged", "dwell > 60", lambda x: x.dwell > 60),
    "returned": ("engaged", "events > 4", lambda x: x.events > 4),
    "phone": ("engaged", "device = 'phone' and dwell > 30", lambda x: x.device == "phone" and x.dwell > 30),
    "bounced": ("ignored", "events = 1 and dwell < 3", lambda x: x.events == 1 and x.dwell < 3),
    "short": ("ignored", "dwell < 8", lambda x: x.dwell < 8),
    "no_cart": ("ignored", "carts = 0 and events < 3", lambda x: x.carts == 0 and x.events < 3),
    "bot": ("ignored", "device = 'bot'", lambda x: x.device == "bot"),
    "removed": ("ignored", "removed > 0 and purchases = 0", lambda x: x.removed > 0 and x.purchases == 0),
}


def declared() -> LabelsSpec:
    return LabelsSpec.model_validate(
        {
            "name": "engagement",
            "from": "events",
            "unit": "unit",
            "labels": ["ignored", "engaged"],
            "functions": [{"name": name, "vote": vote, "when": when} for name, (vote, when, _) in FUNCTIONS.items()],
        }
    )


def drawn(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    counts = {name: rng.poisson(mean, rows) for name, mean in (("purchases", 0.1), ("carts", 0.4), ("removed", 0.1))}
    return pl.DataFrame(
        {
            **counts,
            "events": rng.poisson(2.0, rows) + 1,
            "dwell": rng.exponential(25.0, rows),
            "device": rng.choice(["phone", "desk", "bot"], rows, p=[0.5, 0.45, 0.05]),
        }
    )


def seconds(work: Callable[[], object], times: int = 1) -> float:
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def benchmark_votes(rows: int = ROWS, peer_rows: int = PEER_ROWS) -> dict[str, object]:
    """Ten functions: Polars over all rows; `PandasLFApplier` over a part, extrapolated in proportion."""
    from snorkel.labeling import LabelingFunction, PandasLFApplier

    units, spec = drawn(rows), declared()
    ours = seconds(lambda: votes(units.lazy(), spec).select(spec.vote_columns).collect(), times=5)
    part = units.head(peer_rows)
    frame = part.to_pandas()
    values = {"ignored": 0, "engaged": 1}
    peers = [
        LabelingFunction(name, lambda x, vote=values[vote], test=test: vote if test(x) else -1)
        for name, (vote, _, test) in FUNCTIONS.items()
    ]
    found: list[np.ndarray] = []
    theirs = seconds(lambda: found.append(PandasLFApplier(peers).apply(frame, progress_bar=False)))
    matrix = votes(part.lazy(), spec).select(spec.vote_columns).collect().to_numpy()
    measured = f"{part.height:,} rows in {theirs:.1f} s" + (", extrapolated" if part.height < rows else "")
    theirs *= rows / part.height
    return {
        "work": f"votes, 10 functions x {rows:,} rows",
        "sluice": ours,
        "peer": f"PandasLFApplier ({measured})",
        "peer_seconds": theirs,
        "ratio": theirs / ours,
        "same": bool((matrix == found[0]).all()),
    }


def benchmark_label_model(rows: int = ROWS) -> dict[str, object]:
    """From a vote matrix to the probability of every row: patterns, counts, fit and join against fit and predict."""
    from snorkel.labeling.model.label_model import LabelModel

    from assets.labeling.label_model import fit

    spec = declared()
    voted = votes(drawn(rows).lazy(), spec).select(spec.vote_columns).collect()
    matrix = voted.to_numpy()
    results: list[np.ndarray] = []

    def by_pattern() -> None:
        counted = count_patterns(voted.lazy(), spec).collect()
        patterns = counted.select(spec.vote_columns).to_numpy().astype(np.int64)
        balance = np.array([0.7, 0.3])
        fitted = fit(patterns, counted["rows"].to_numpy(), class_balance=balance, seed=1, epochs=EPOCHS)
        scored = counted.with_columns(probability=pl.Series(fitted.probabilities(patterns)[:, 1]))
        joined = voted.join(scored, on=spec.vote_columns, how="left", maintain_order="left")
        results.append(joined["probability"].to_numpy())

    def stock() -> None:
        model = LabelModel(cardinality=2, verbose=False)
        model.fit(matrix, class_balance=[0.7, 0.3], n_epochs=EPOCHS, seed=1, progress_bar=False)
        results.append(model.predict_proba(matrix)[:, 1])

    with preserved_random_state():
        by_pattern()  # the first use of torch in a process costs a second that is neither's
        ours, theirs = seconds(by_pattern), seconds(stock)
    return {
        "work": f"label model, {rows:,} x 10, {EPOCHS} epochs",
        "sluice": ours,
        "peer": "Snorkel LabelModel",
        "peer_seconds": theirs,
        "ratio": theirs / ours,
        "same": bool(np.abs(results[-1] - results[-2]).max() < 1e-9),
    }


def main(rows: int = ROWS) -> list[dict[str, object]]:
    """Measure, print one table, and return its rows."""
    table = [benchmark_votes(rows), benchmark_label_model(rows)]
    print(f"{'work':<42} {'sluice':>9} {'peer':>9} {'ratio':>8}  same  peer is")
    for row in table:
        numbers = f"{row['sluice']:>8.3f}s {row['peer_seconds']:>8.2f}s {row['ratio']:>7.0f}x"
        print(f"{row['work']:<42} {numbers}  {'yes ' if row['same'] else 'NO  '}  {row['peer']}")
    return table


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
