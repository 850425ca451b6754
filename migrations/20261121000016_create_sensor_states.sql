-- The last judged reading of each sensor and kind of alarm, and its open alarm. Locked by the batch that judges.
CREATE TABLE IF NOT EXISTS sensor_states (
    sensor_id VARCHAR(64) NOT NULL,
    kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    judged_at DATETIME(3) NOT NULL,
    value DOUBLE NOT NULL,
    alarm_id BIGINT UNSIGNED NULL,
    PRIMARY KEY (sensor_id, kind),
    KEY by_judged (kind, judged_at),
    CONSTRAINT state_alarm FOREIGN KEY (alarm_id) REFERENCES alarms (alarm_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
