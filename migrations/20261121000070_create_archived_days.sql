-- Stored days (UTC) that stand whole in the archive: the file is the manifest, written after all parts. Rows of the data set up to
-- reach_seq were committed when the day was closed; the next day is looked for from next_seq on.
CREATE TABLE IF NOT EXISTS archived_days (
    dataset VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stored_day DATE NOT NULL,
    row_count BIGINT UNSIGNED NOT NULL,
    part_count INT UNSIGNED NOT NULL,
    next_seq BIGINT UNSIGNED NOT NULL,
    reach_seq BIGINT UNSIGNED NOT NULL,
    manifest_sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    archived_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (dataset, stored_day)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
