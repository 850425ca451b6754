-- Offsets [from_offset, to_offset) that a partition jumped over: a batch was given up on, or the log was trimmed.
CREATE TABLE IF NOT EXISTS ledger_gaps (
    topic VARCHAR(64) NOT NULL,
    partition_no INT UNSIGNED NOT NULL,
    epoch INT UNSIGNED NOT NULL,
    from_offset BIGINT UNSIGNED NOT NULL,
    to_offset BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (topic, partition_no, epoch, from_offset)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
