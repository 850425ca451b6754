-- Charges by the cycle (YYYYMM) that bills them, folded by the cache function with the hourly sums, differences by re-rating
-- included.
CREATE TABLE IF NOT EXISTS charges_by_cycle (
    cycle MEDIUMINT UNSIGNED NOT NULL,
    account_no INT UNSIGNED NOT NULL,
    amount DECIMAL(20, 4) NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (cycle, account_no),
    KEY by_version (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
