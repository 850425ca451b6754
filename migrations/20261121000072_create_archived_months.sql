-- How many rows of an archived part began, or were observed, in a month (YYYYMM, UTC).
CREATE TABLE IF NOT EXISTS archived_months (
    dataset VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    month MEDIUMINT UNSIGNED NOT NULL,
    stored_day DATE NOT NULL,
    part_no INT UNSIGNED NOT NULL,
    row_count BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (dataset, month, stored_day, part_no)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
