CREATE TABLE IF NOT EXISTS rejects (
    reject_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    topic VARCHAR(64) NOT NULL,
    partition_no INT UNSIGNED NOT NULL,
    epoch INT UNSIGNED NOT NULL,
    offset_no BIGINT UNSIGNED NOT NULL,
    record_at DATETIME(3) NOT NULL,
    received_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    field VARCHAR(64) NOT NULL,
    reason VARCHAR(400) NOT NULL,
    record_key MEDIUMBLOB NULL,
    headers LONGTEXT NOT NULL,
    payload MEDIUMBLOB NULL,
    replayed_at DATETIME(3) NULL,
    UNIQUE KEY reject_position (topic, partition_no, epoch, offset_no)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
