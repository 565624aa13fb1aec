"""The tables about the service, from the document that is written as results.json."""

from collections.abc import Mapping
from typing import Any

from imgguard.bench.tables import Table, megabytes, number, share


def checks(found: Mapping[str, Any]) -> Table:
    """A row a number of clients."""
    rows = tuple(
        (
            str(row["clients"]),
            str(row["checks"]),
            number(row["rate"], 2),
            share(row["ratio"]),
            number(row["p50_ms"], 0),
            number(row["p95_ms"], 0),
        )
        for row in found["checks"]
    )
    alone = ", ".join(number(rate, 2) for rate in found["pipeline"]["rates"])
    return Table(
        title="Checks by several clients at a time",
        header=("clients", "checks", "checks/s", "of the pipeline alone", "p50, ms", "p95, ms"),
        rows=rows,
        note=f"`POST /v1/checks`, {found['registered']} references, {found['cores']} workers. The pipeline alone did "
        f"{alone} checks/s, before, between and after these rows; each is held against the two around it. Each client "
        "asks again as soon as it is answered.",
    )


def many(found: Mapping[str, Any]) -> Table:
    """Start and memory with many references."""
    figures = found["many"]
    shared = megabytes(figures["shared_once_bytes"])
    rows = (
        ("first start, which builds the index, until `/readyz`, s", number(figures["first_start_seconds"], 1)),
        ("start until `/readyz`, s", number(figures["start_seconds"], 1)),
        (f"memory of its {figures['processes']} processes, shared pages once (PSS), MB", shared),
        ("- of which the process of the API", megabytes(figures["api_bytes"])),
        ("sum of resident sets, MB", megabytes(figures["resident_bytes"])),
        ("checks that find a reference just registered", share(figures["found_at_once"])),
    )
    return Table(
        title=f"With {figures['references']:,} references",
        header=("figure", "value"),
        rows=rows,
        note="Memory after checks and registrations. All references but the first are synthetic: whole rows with "
        "vectors drawn like the real ones, and one small picture for all (`imgguard/bench/filled.py`).",
    )
