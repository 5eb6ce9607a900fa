-- The facts of a store for DuckDB; `driftline.store.views` fills in its folder.
-- Of equal identities one row counts, that of the highest revision, as for any reader of the store.

CREATE OR REPLACE VIEW driftline_profiles AS
SELECT *
FROM read_parquet('{store}/*/*/profiles/L*.parquet', union_by_name = true, hive_partitioning = false)
QUALIFY row_number() OVER (
    PARTITION BY monitor, writer, segment, "column", window_start ORDER BY revision DESC
) = 1;

CREATE OR REPLACE VIEW driftline_results AS
SELECT *
FROM read_parquet('{store}/*/*/results/L*.parquet', union_by_name = true, hive_partitioning = false)
QUALIFY row_number() OVER (
    PARTITION BY monitor, writer, segment, "column", window_start ORDER BY revision DESC
) = 1;

CREATE OR REPLACE VIEW driftline_alarms AS
SELECT *
FROM read_parquet('{store}/*/*/alarms/L*.parquet', union_by_name = true, hive_partitioning = false)
QUALIFY row_number() OVER (
    PARTITION BY monitor, writer, segment, "column", alarm, event ORDER BY revision DESC
) = 1;
