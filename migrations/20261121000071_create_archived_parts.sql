-- The Parquet files of a stored day, each with the rows of sequence numbers from first_seq to last_seq. adjustments_seq: adjustments up
-- to this number are in the charges of the part.
CREATE TABLE IF NOT EXISTS archived_parts (
    dataset VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stored_day DATE NOT NULL,
    part_no INT UNSIGNED NOT NULL,
    first_seq BIGINT UNSIGNED NOT NULL,
    last_seq BIGINT UNSIGNED NOT NULL,
    row_count BIGINT UNSIGNED NOT NULL,
    byte_count BIGINT UNSIGNED NOT NULL,
    sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    adjustments_seq BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (dataset, stored_day, part_no)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
