"""String columns in memory, one thread: full profiles beside ClickHouse's exact counts of every value."""

from functools import partial

import clickhouse
import data
import harness

PLAIN = "String"
DICTIONARY = "LowCardinality(String)"


def run(bench: harness.Bench) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    import driftline as dl

    rows = bench.size(full=10_000_000, quick=50_000)
    click = clickhouse.ClickHouse(threads=1)
    columns = {
        "1,000 categories": (data.categories(rows, 1000), 1.0, 1.0),
        # How fast ids are that repeat in a dictionary nobody was promised: no system stores them so.
        "1 million ids": (data.ids(rows, bench.size(full=1_000_000, quick=20_000)), 2.0, None),
    }
    for name, (coded, at_least_plain, at_least_coded) in columns.items():
        forms = (
            ("strings", PLAIN, coded.cast(pa.string()), at_least_plain),
            ("dictionary", DICTIONARY, coded, at_least_coded),
        )
        for form, kind, values, at_least in forms:
            table = pa.table({"s": values})
            file = bench.data / "strings.parquet"
            pq.write_table(table, file)
            click.load("strings", {"s": kind}, file)
            file.unlink()
            times = bench.in_turn(
                {
                    "driftline": partial(dl.profile, table, threads=1, progress=False),
                    "ClickHouse GROUP BY": partial(click.run, "SELECT s, count() FROM bench.strings GROUP BY s"),
                }
            )
            bench.faster(f"{name}, {form}", times, "ClickHouse GROUP BY", values=rows, at_least=at_least)


if __name__ == "__main__":
    harness.main(run, threads=1, description=__doc__)
