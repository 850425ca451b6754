-- A customer whose score crossed the threshold upward. The probability is that of the crossing, and times are those of observations.
CREATE TABLE IF NOT EXISTS churn_alerts (
    alert_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id VARCHAR(64) NOT NULL,
    opened_at DATETIME(3) NOT NULL,
    closed_at DATETIME(3) NULL,
    probability DOUBLE NOT NULL,
    model_version INT UNSIGNED NOT NULL,
    KEY by_customer (customer_id, opened_at),
    KEY by_closed (closed_at, opened_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
