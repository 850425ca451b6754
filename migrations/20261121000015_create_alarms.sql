CREATE TABLE IF NOT EXISTS alarms (
    alarm_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sensor_id VARCHAR(64) NOT NULL,
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    severity VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    opened_at DATETIME(3) NOT NULL,
    escalated_at DATETIME(3) NULL,
    closed_at DATETIME(3) NULL,
    acknowledged_at DATETIME(3) NULL,
    acknowledged_by VARCHAR(64) NOT NULL DEFAULT '',
    peak_value DOUBLE NOT NULL,
    KEY by_opened (opened_at),
    KEY by_sensor (sensor_id, opened_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
