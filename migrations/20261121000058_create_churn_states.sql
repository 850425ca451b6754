-- The last judged score of each customer, and its open alert. Locked by the transaction that judges.
CREATE TABLE IF NOT EXISTS churn_states (
    customer_id VARCHAR(64) NOT NULL PRIMARY KEY,
    judged_at DATETIME(3) NOT NULL,
    probability DOUBLE NOT NULL,
    model_version INT UNSIGNED NOT NULL,
    alert_id BIGINT UNSIGNED NULL,
    CONSTRAINT state_churn_alert FOREIGN KEY (alert_id) REFERENCES churn_alerts (alert_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
