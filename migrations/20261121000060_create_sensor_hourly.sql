-- Sums of sensor_readings by hour (UTC) and sensor, folded by the cache function up to the mark `sensor-readings` of
-- cache_watermarks. `version` is the fold that changed the row last, as in usage_hourly.
CREATE TABLE IF NOT EXISTS sensor_hourly (
    hour DATETIME(3) NOT NULL,
    sensor_id VARCHAR(64) NOT NULL,
    readings BIGINT UNSIGNED NOT NULL,
    temperature_sum DOUBLE NOT NULL,
    temperature_max DOUBLE NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (hour, sensor_id),
    KEY by_version (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
