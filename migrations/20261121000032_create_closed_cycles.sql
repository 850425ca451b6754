-- The cycles (YYYYMM) that are closed, by account; starts_at and ends_at are UTC. `invoiced` says that its invoice, if it has a line,
-- was issued: a run of bill that died between the two is gone on with.
CREATE TABLE IF NOT EXISTS closed_cycles (
    account_no INT UNSIGNED NOT NULL,
    cycle MEDIUMINT UNSIGNED NOT NULL,
    starts_at DATETIME(3) NOT NULL,
    ends_at DATETIME(3) NOT NULL,
    closed_at DATETIME(3) NOT NULL,
    invoiced BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (account_no, cycle),
    KEY by_cycle (cycle, invoiced)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
