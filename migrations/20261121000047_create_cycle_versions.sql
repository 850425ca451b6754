-- The fold of the cache function that last changed the charges of a cycle (YYYYMM), or first saw an invoice of it.
CREATE TABLE IF NOT EXISTS cycle_versions (
    cycle MEDIUMINT UNSIGNED NOT NULL PRIMARY KEY,
    version BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
