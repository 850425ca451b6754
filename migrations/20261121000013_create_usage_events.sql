-- Clustered by time first: a random key over the whole history would make every insert touch a cold page. The partitions by
-- month are made and kept ahead by the migrate function. service: 1 voice, 2 sms, 3 data. An absent cell, destination or zone
-- is empty; amount and currency are NULL while an event is unrated, and rating_error says why.
CREATE TABLE IF NOT EXISTS usage_events (
    started_at DATETIME(3) NOT NULL,
    event_id BINARY(16) NOT NULL,
    seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    day DATE NOT NULL,
    service TINYINT UNSIGNED NOT NULL,
    subscriber VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    destination VARCHAR(21) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    usage_amount BIGINT UNSIGNED NOT NULL,
    cell VARCHAR(32) NOT NULL,
    roaming BOOLEAN NOT NULL,
    account_no INT UNSIGNED NULL,
    tariff_no INT UNSIGNED NULL,
    zone VARCHAR(64) NOT NULL,
    amount DECIMAL(18, 4) NULL,
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NULL,
    rating_error VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stored_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (started_at, event_id),
    KEY by_day_subscriber (day, subscriber),
    KEY by_seq (seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
PARTITION BY RANGE COLUMNS (started_at) (PARTITION p_later VALUES LESS THAN (MAXVALUE))
