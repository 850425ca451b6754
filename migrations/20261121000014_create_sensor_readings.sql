-- state: normal, warning or critical by the sensor's thresholds when the reading was stored.
CREATE TABLE IF NOT EXISTS sensor_readings (
    measured_at DATETIME(3) NOT NULL,
    sensor_id VARCHAR(64) NOT NULL,
    seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    temperature_c DOUBLE NOT NULL,
    humidity_pct DOUBLE NULL,
    latitude DOUBLE NULL,
    longitude DOUBLE NULL,
    state VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stored_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (measured_at, sensor_id),
    KEY by_sensor (sensor_id, measured_at),
    KEY by_seq (seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
PARTITION BY RANGE COLUMNS (measured_at) (PARTITION p_later VALUES LESS THAN (MAXVALUE))
