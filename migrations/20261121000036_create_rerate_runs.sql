-- Re-ratings: one that did not finish goes on after last_subscriber when the same period is asked for again. subscriber is empty for
-- all numbers.
CREATE TABLE IF NOT EXISTS rerate_runs (
    run_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    from_at DATETIME(3) NOT NULL,
    to_at DATETIME(3) NOT NULL,
    subscriber VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reference_version BIGINT UNSIGNED NOT NULL,
    last_subscriber VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
    events BIGINT UNSIGNED NOT NULL DEFAULT 0,
    changed BIGINT UNSIGNED NOT NULL DEFAULT 0,
    difference DECIMAL(18, 4) NOT NULL DEFAULT 0,
    begun_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    ended_at DATETIME(3) NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
