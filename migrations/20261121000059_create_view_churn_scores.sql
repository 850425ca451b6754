-- actual is the first label that came for the customer at the observation or after it, NULL while there is none.
CREATE OR REPLACE VIEW bi_churn_scores AS
SELECT s.customer_id, s.observed_at, s.scored_at, s.probability, s.churn_predicted, s.model_version,
       (SELECT l.churn FROM customer_snapshots l
        WHERE l.customer_id = s.customer_id AND l.observed_at >= s.observed_at AND l.churn IS NOT NULL
        ORDER BY l.observed_at LIMIT 1) AS actual,
       s.reasons
FROM churn_scores s
