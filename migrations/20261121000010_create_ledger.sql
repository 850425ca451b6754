-- One row per partition: how far it is stored and what became of its records. It is locked first in every batch, so two
-- invocations on one partition follow one another. `past_records` sums the offsets of earlier incarnations of the topic.
CREATE TABLE IF NOT EXISTS ledger (
    topic VARCHAR(64) NOT NULL,
    partition_no INT UNSIGNED NOT NULL,
    epoch INT UNSIGNED NOT NULL,
    next_offset BIGINT UNSIGNED NOT NULL,
    last_record_at DATETIME(3) NULL,
    past_records BIGINT UNSIGNED NOT NULL,
    stored BIGINT UNSIGNED NOT NULL,
    duplicates BIGINT UNSIGNED NOT NULL,
    rejects BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (topic, partition_no)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
