-- Thresholds that a forecast crosses before it happens. `open_key` names series and threshold while the alert is open and is NULL
-- afterwards, so that a threshold has at most one open alert and all its closed ones.
CREATE TABLE IF NOT EXISTS forecast_alerts (
    alert_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    open_key VARCHAR(160) NULL,
    series VARCHAR(96) NOT NULL,
    threshold DOUBLE NOT NULL,
    direction VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    expected_at DATETIME(3) NOT NULL,
    expected_value DOUBLE NOT NULL,
    low DOUBLE NOT NULL,
    high DOUBLE NOT NULL,
    opened_at DATETIME(3) NOT NULL,
    forecast_at DATETIME(3) NOT NULL,
    closed_at DATETIME(3) NULL,
    UNIQUE KEY by_open_key (open_key),
    KEY by_opened (opened_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
