-- Calls by the cycle (YYYYMM) that bills them, folded by the cache function with the hourly sums: what the rated voice events of an
-- account come to as their rows say it now. period: 1 day, 2 evening, 3 night, 4 international. `version` is the fold that changed
-- the row last.
CREATE TABLE IF NOT EXISTS customer_usage (
    cycle MEDIUMINT UNSIGNED NOT NULL,
    account_no INT UNSIGNED NOT NULL,
    period TINYINT UNSIGNED NOT NULL,
    seconds BIGINT NOT NULL,
    calls BIGINT NOT NULL,
    charge DECIMAL(18, 4) NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (cycle, account_no, period),
    KEY by_version (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
