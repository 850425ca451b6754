-- Free units that a number has used of a service in a cycle, which is named by its first day. Locked in the order of the key before
-- events are priced.
CREATE TABLE IF NOT EXISTS allowance_use (
    cycle_start DATE NOT NULL,
    subscriber VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    service TINYINT UNSIGNED NOT NULL,
    used BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (cycle_start, subscriber, service)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
