-- duration_s of an open alarm runs until now.
CREATE OR REPLACE VIEW bi_alarms AS
SELECT alarm_id, sensor_id, kind, severity, opened_at, escalated_at, closed_at, acknowledged_at, acknowledged_by, peak_value,
       TIMESTAMPDIFF(SECOND, opened_at, COALESCE(closed_at, UTC_TIMESTAMP(3))) AS duration_s
FROM alarms
