-- Snapshots without a label that were stored while no champion could be had.
CREATE TABLE IF NOT EXISTS unscored_snapshots (
    observed_at DATETIME(3) NOT NULL,
    customer_id VARCHAR(64) NOT NULL,
    PRIMARY KEY (observed_at, customer_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
