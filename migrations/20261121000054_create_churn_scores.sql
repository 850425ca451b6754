-- What a model said of a customer as observed. reasons is a JSON list, the strongest first.
CREATE TABLE IF NOT EXISTS churn_scores (
    observed_at DATETIME(3) NOT NULL,
    customer_id VARCHAR(64) NOT NULL,
    model_version INT UNSIGNED NOT NULL,
    seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    probability DOUBLE NOT NULL,
    churn_predicted BOOLEAN NOT NULL,
    reasons TEXT NOT NULL,
    scored_at DATETIME(3) NOT NULL,
    PRIMARY KEY (observed_at, customer_id, model_version),
    KEY by_customer (customer_id, observed_at),
    KEY by_seq (seq)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
