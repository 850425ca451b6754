-- Sums of usage_events by hour, folded by the cache function up to cache_watermarks.seq. `version` is the fold that changed the
-- row last: documents are written for the rows above the version that the document store has.
CREATE TABLE IF NOT EXISTS usage_hourly (
    hour DATETIME(3) NOT NULL,
    service TINYINT UNSIGNED NOT NULL,
    cell VARCHAR(32) NOT NULL,
    events BIGINT UNSIGNED NOT NULL,
    usage_total DECIMAL(30, 0) NOT NULL,
    amount DECIMAL(18, 4) NOT NULL,
    unrated BIGINT UNSIGNED NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (hour, service, cell),
    KEY by_version (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
