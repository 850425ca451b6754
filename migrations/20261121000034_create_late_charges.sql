-- Events whose own cycle was closed when they were first rated, by the cycle (YYYYMM) that bills them: they are found here, as
-- bill reads usage_events only within the cycle's own days.
CREATE TABLE IF NOT EXISTS late_charges (
    bill_cycle MEDIUMINT UNSIGNED NOT NULL,
    account_no INT UNSIGNED NOT NULL,
    started_at DATETIME(3) NOT NULL,
    event_id BINARY(16) NOT NULL,
    own_cycle MEDIUMINT UNSIGNED NOT NULL,
    PRIMARY KEY (bill_cycle, account_no, started_at, event_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
