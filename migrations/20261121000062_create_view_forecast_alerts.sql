-- closed_at is NULL while the crossing is still expected.
CREATE OR REPLACE VIEW bi_forecast_alerts AS
SELECT alert_id, series, threshold, direction, expected_at, expected_value, low, high, opened_at, forecast_at, closed_at
FROM forecast_alerts
