-- One row for each day of the month on which cycles begin. A batch share-locks the rows before it gives charges their cycle; bill
-- locks a row exclusively while it marks the cycle closed for that day's accounts. latest_closed is the latest cycle (YYYYMM) that
-- was closed for any of them, 0 before the first: only events of cycles up to it can be late.
CREATE TABLE IF NOT EXISTS cycle_gates (
    cycle_day TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    latest_closed MEDIUMINT UNSIGNED NOT NULL DEFAULT 0
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
