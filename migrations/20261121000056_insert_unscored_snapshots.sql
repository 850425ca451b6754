INSERT INTO unscored_snapshots (observed_at, customer_id)
SELECT s.observed_at, s.customer_id FROM customer_snapshots s WHERE s.churn IS NULL
ON DUPLICATE KEY UPDATE customer_id = VALUES(customer_id)
