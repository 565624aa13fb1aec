"""The tables of the report, from the document that is written as results.json."""

from collections.abc import Mapping, Sequence
from typing import Any

from imgguard.bench import floors as floor_list
from imgguard.bench.summary import METHODS
from imgguard.bench.tables import Table, interval, megabytes, number, share, with_interval
from imgguard.bench.targets import outcomes

_UNWRITTEN = "(not explained yet)"


def targets(results: Mapping[str, Any], reasons: Mapping[str, str]) -> Table:
    """Promised, measured, reached, and why not."""
    rows = []
    for outcome in outcomes(results):
        target, sign = outcome.target, "≥" if outcome.target.at_least else "≤"
        reached = {None: "not measured", True: "yes", False: "**no**"}[outcome.reached]
        reason = (reasons.get(target.key) or _UNWRITTEN) if outcome.reached is False else ""
        rows.append((target.text, f"{sign} {target.limit:g}", number(outcome.value, 3), reached, reason))
    return Table(title="Targets", header=("figure", "target", "measured", "reached", "why not"), rows=tuple(rows))


def methods(figures: Mapping[str, Any]) -> Table:
    """The product beside the simple methods, thresholds swept."""
    rows = []
    for name, found in figures["methods"].items():
        rows.append(
            (
                METHODS[name],
                with_interval(found["recall_zero"]),
                interval(found["recall_zero_interval"]),
                with_interval(found["recall_thousandth"]),
                share(found["recall_no_wrong_reference"]["value"]),
                share(found["uap"]),
            )
        )
    allowed = next(iter(figures["methods"].values()))["allowed"]
    return Table(
        title="Recall with the threshold swept over the test negatives",
        header=("method", "recall at 0 FA", "by group", "at 1 in 1,000", "0 FA, 0 wrong references", "uAP"),
        rows=tuple(rows),
        note=f"1 in 1,000 of {figures['negatives']} negatives is {allowed}, rounded.",
    )


def shipped(figures: Mapping[str, Any]) -> Table:
    """What an operator gets."""
    found = figures["shipped"]
    rows = (
        ("recall (verdict `copy` on the true reference)", with_interval(found["recall"])),
        ("- interval by group", interval(found["recall_interval"])),
        ("negatives accused (verdict `copy`)", with_interval(found["accused"])),
        ("- interval by group", interval(found["accused_interval"])),
        ("copies also or instead attributed to a wrong photograph", with_interval(found["wrong_reference"])),
        ("copies whose reference is `inconclusive` (missed)", with_interval(found["inconclusive_copies"])),
        ("negatives that end `inconclusive`", with_interval(found["inconclusive_negatives"])),
        *((f"candidate recall at {k}", with_interval(v)) for k, v in figures["candidate_recall"].items()),
        ("Cllr", f"{figures['cllr']:.4f} {interval(figures['cllr_interval'])}"),
        ("- of which the order of the scores (Cllr min)", f"{figures['cllr_min']:.4f}"),
        ("mean IoU of the outlined region", f"{share(figures['iou']['mean'])} ({figures['iou']['n']} found copies)"),
    )  # fmt: skip
    title = f"At the shipped threshold (log10 ratio {found['threshold']:g}, fixed before testing)"
    return Table(title=title, header=("figure", "value [95 %] (counts)"), rows=rows)


def edits(figures: Mapping[str, Any]) -> Table:
    """A row an edit."""
    rows = tuple(
        (
            f"`{row['edit']}`",
            str(row["n"]),
            share(row["imgguard"]),
            share(row["shipped"]["value"]),
            *_simple(row),
            share(row["candidate_10"]),
            share(row["iou"]["mean"]),
            share(row["inconclusive"]),
            number(row["ratio_median"], 2),
            ", ".join(row["named"]),
        )
        for row in figures["edits"]
    )
    header = ("edit", "n", "0 FA", "shipped", "SSCD", "PDQ", "pHash", "cand. 10", "IoU", "inconcl.", "median", "named")
    return Table(
        title="Per edit",
        header=header,
        rows=rows,
        note="0 FA, SSCD, PDQ, pHash: recall of each method above its own worst negative. shipped: recall at the "
        "shipped threshold. IoU: on found copies. median: of the true reference's log10 ratio. named: edits that the "
        "product names on at least half of the copies.",
    )


def _simple(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return share(row.get("sscd")), share(row.get("pdq")), share(row.get("phash"))


def copy_sets(figures: Mapping[str, Any]) -> Table:
    """Copies by the kind of product."""
    rows = tuple(
        (row["set"], str(row["n"]), share(row["imgguard"]), with_interval(row["shipped"]), *_simple(row))
        for row in figures["copy_sets"]
    )
    return Table(title="Copies by set", header=("set", "n", "0 FA", "shipped", "SSCD", "PDQ", "pHash"), rows=rows)


def negative_sets(figures: Mapping[str, Any]) -> Table:
    """Photographs that are not registered, by set."""
    rows = []
    for row in figures["negative_sets"]:
        verdicts = tuple(str(row["verdicts"][name]) for name in ("copy", "inconclusive", "same_product", "no_match"))
        ratios = tuple(number(row[name], 2) for name in ("median", "p99", "highest"))
        rows.append((row["set"], str(row["n"]), *verdicts, *ratios))
    header = ("set", "n", "copy", "inconclusive", "same_product", "no_match", "median", "p99", "highest")
    return Table(
        title="Negatives by set",
        header=header,
        rows=tuple(rows),
        note="The last three columns are of the highest log10 ratio over a query's candidates.",
    )


def hardest(figures: Mapping[str, Any], *, most: int = 12) -> list[Table]:
    """The negatives nearest to an accusation, and the copies missed by most."""
    worst = tuple(
        (f"`{row['query']}`", f"`{row['reference']}`", number(row["ratio"], 2), number(row["score"], 2), row["verdict"])
        for row in figures["worst_negatives"][:most]
    )
    missed = tuple(
        (f"`{row['query']}`", number(row["ratio"], 2), _place(row["rank"]), row["verdict"] or "-")
        for row in figures["missed"][:most]
    )
    return [
        Table(
            title="Hardest negatives", header=("query", "nearest reference", "ratio", "uncapped", "verdict"), rows=worst
        ),
        Table(title="Copies missed by most", header=("query", "ratio", "place", "verdict"), rows=missed),
    ]


def _place(rank: int | None) -> str:
    return "-" if rank is None else str(rank + 1)


def profiles(accuracy: Mapping[str, Any]) -> Table:
    """Quick beside thorough, each on its own sample."""
    rows = []
    for name, found in accuracy["profiles"].items():
        at = found["shipped"]
        rows.append(
            (
                f"`{name}`",
                f"{found['copies']} / {found['negatives']}",
                with_interval(found["methods"]["imgguard"]["recall_zero"]),
                with_interval(at["recall"]),
                with_interval(at["accused"]),
                share(found["candidate_recall"]["10"]["value"]),
                number(found["cllr"], 4),
            )
        )
    header = (
        "profile",
        "copies / negatives",
        "recall at 0 FA",
        "recall shipped",
        "accused shipped",
        "cand. 10",
        "Cllr",
    )
    return Table(title="Profiles", header=header, rows=tuple(rows))


def latency(speed: Mapping[str, Any]) -> Table:
    """Milliseconds a stage, p50 / p95."""
    rows = []
    for row in speed["single"]["rows"]:
        times = tuple(_both(row["times"][s]) for s in ("decode", "fingerprint", "search", "verify", "total", "wall"))
        costs = number(row["cost"], 2), number(row["cost_wall"], 2)
        rows.append((f"`{row['profile']}` `{row['verdict']}`", str(row["n"]), *times, *costs))
    unit = speed["single"]["unit_ms"]
    header = ("check ends in", "n", "decode", "fingerprint", "search", "verify", "total", "wall", "cost", "cost, wall")
    return Table(
        title="One check at a time, milliseconds p50 / p95",
        header=header,
        rows=tuple(rows),
        note=f"cost: p50 of the total in SSCD inferences at 288x288 on {speed['cores']} cores, one of which took "
        f"{_both(unit)} ms in turns with the checks. wall adds reading the file and keeping the finding. "
        f"{speed['references']} references.",
    )


def _both(found: Mapping[str, float]) -> str:
    return f"{found['p50']:.1f} / {found['p95']:.1f}"


def bulk(speed: Mapping[str, Any]) -> Table:
    """All workers: pictures a second and memory."""
    made, bare = speed["registration"], speed["registration"]["bare_rate"]
    rows = [
        ("bare SSCD inference, all cores", number(bare, 1), "1.00", "-"),
        (
            f"register {made['size'][0]}x{made['size'][1]} ({made['pictures']})",
            number(made["rate"], 1),
            number(made["ratio"], 2),
            megabytes(made["peak_bytes"]),
        ),
    ]
    for profile, found in speed["bulk"].items():
        text = f"check `{profile}` ({found['pictures']})"
        rows.append((text, number(found["rate"], 2), number(found["rate"] / bare, 3), megabytes(found["peak_bytes"])))
    return Table(
        title="All workers",
        header=("work (pictures)", "pictures/s", "of bare inference", "peak memory, MB"),
        rows=tuple(rows),
        note="Memory is the sum of the resident sets of the process and its decoder processes.",
    )


def scale(found: Mapping[str, Any]) -> Table:
    """A row a size."""
    rows = tuple(
        (
            f"{row['references']:,}",
            _fine(row["one_vector_ms"]),
            _fine(row["all_views_ms"]),
            number(row["bytes_per_vector"], 0),
            megabytes(row["resident_growth_bytes"]),
            share(row["recall_top10"]),
            share(row["recall_top10_fetched"]),
            number(row["build_seconds"], 1),
        )
        for row in found["rows"]
    )
    views = found["rows"][0]["views"] if found["rows"] else 0
    return Table(
        title="Search among many references, milliseconds p50 / p95",
        header=("references", "one vector", "all views", "bytes/vector", "process grew, MB", "recall@10",
                f"of {found['fetched']}", "build, s"),
        rows=rows,
        note=f"{found['queries']} real queries, {views:.0f} views each on average. recall@10: share of the exact ten "
        f"nearest among the first ten hits; of {found['fetched']}: among the hits that the product fetches and "
        "ranks again by exact cosine. bytes/vector: codes, numbers, masks and the uncompressed tail. The time to build "
        "is that of adding and compacting.",
    )  # fmt: skip


def _fine(found: Mapping[str, float]) -> str:
    return f"{found['p50']:.2f} / {found['p95']:.2f}"


def floors(found: Sequence[floor_list.Floor]) -> Table:
    """Each floor, and whether it held."""
    rows = tuple((floor.text, number(floor.value, 3), "held" if floor.held else "**missed**") for floor in found)
    return Table(title="Floors", header=("floor", "measured", ""), rows=rows)
