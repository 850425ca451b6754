-- Months (YYYYMM, UTC) of usage events that are in the archive only.
CREATE TABLE IF NOT EXISTS dropped_months (
    month MEDIUMINT UNSIGNED NOT NULL PRIMARY KEY,
    row_count BIGINT UNSIGNED NOT NULL,
    dropped_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
