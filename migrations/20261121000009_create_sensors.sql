-- Thresholds are NULL where the platform's defaults hold.
CREATE TABLE IF NOT EXISTS sensors (
    sensor_id VARCHAR(64) NOT NULL PRIMARY KEY,
    site VARCHAR(64) NOT NULL,
    latitude DOUBLE NOT NULL,
    longitude DOUBLE NOT NULL,
    warning_c DOUBLE NULL,
    critical_c DOUBLE NULL,
    hysteresis_c DOUBLE NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
