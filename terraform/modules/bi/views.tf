# The views of docs/views.md with their columns as QuickSight names types.

locals {
  views = {
    bi_usage_hourly = [
      { name = "hour", type = "DATETIME" },
      { name = "service", type = "STRING" },
      { name = "cell", type = "STRING" },
      { name = "events", type = "INTEGER" },
      { name = "usage_total", type = "DECIMAL" },
      { name = "amount", type = "DECIMAL" },
      { name = "currency", type = "STRING" },
      { name = "unrated", type = "INTEGER" },
    ]
    bi_usage_events = [
      { name = "event_id", type = "STRING" },
      { name = "started_at", type = "DATETIME" },
      { name = "subscriber", type = "STRING" },
      { name = "account_id", type = "STRING" },
      { name = "service", type = "STRING" },
      { name = "destination", type = "STRING" },
      { name = "zone", type = "STRING" },
      { name = "usage_amount", type = "DECIMAL" },
      { name = "amount", type = "DECIMAL" },
      { name = "currency", type = "STRING" },
      { name = "rating_error", type = "STRING" },
      { name = "roaming", type = "INTEGER" },
      { name = "cell", type = "STRING" },
      { name = "bill_cycle", type = "STRING" },
    ]
    bi_accounts = [
      { name = "account_id", type = "STRING" },
      { name = "name", type = "STRING" },
      { name = "segment", type = "STRING" },
      { name = "city", type = "STRING" },
      { name = "cycle_day", type = "INTEGER" },
      { name = "subscriptions", type = "INTEGER" },
      { name = "active_since", type = "DATETIME" },
    ]
    bi_invoices = [
      { name = "invoice_number", type = "STRING" },
      { name = "account_id", type = "STRING" },
      { name = "customer", type = "STRING" },
      { name = "cycle", type = "STRING" },
      { name = "cycle_start", type = "DATETIME" },
      { name = "cycle_end", type = "DATETIME" },
      { name = "issued_at", type = "DATETIME" },
      { name = "net", type = "DECIMAL" },
      { name = "tax", type = "DECIMAL" },
      { name = "total", type = "DECIMAL" },
      { name = "rounding", type = "DECIMAL" },
      { name = "currency", type = "STRING" },
      { name = "status", type = "STRING" },
      { name = "due_on", type = "DATETIME" },
      { name = "cancels", type = "STRING" },
      { name = "cancelled_by", type = "STRING" },
      { name = "paid", type = "DECIMAL" },
    ]
    bi_invoice_lines = [
      { name = "invoice_number", type = "STRING" },
      { name = "line_no", type = "INTEGER" },
      { name = "kind", type = "STRING" },
      { name = "msisdn", type = "STRING" },
      { name = "service", type = "STRING" },
      { name = "zone", type = "STRING" },
      { name = "description", type = "STRING" },
      { name = "quantity", type = "DECIMAL" },
      { name = "unit", type = "STRING" },
      { name = "net", type = "DECIMAL" },
      { name = "currency", type = "STRING" },
      { name = "own_cycle", type = "STRING" },
      { name = "plan", type = "STRING" },
    ]
    bi_revenue_by_cycle = [
      { name = "cycle", type = "STRING" },
      { name = "invoices", type = "INTEGER" },
      { name = "net", type = "DECIMAL" },
      { name = "tax", type = "DECIMAL" },
      { name = "total", type = "DECIMAL" },
      { name = "currency", type = "STRING" },
      { name = "open_charges", type = "DECIMAL" },
    ]
    bi_sensor_readings = [
      { name = "sensor_id", type = "STRING" },
      { name = "measured_at", type = "DATETIME" },
      { name = "temperature_c", type = "DECIMAL" },
      { name = "humidity_pct", type = "DECIMAL" },
      { name = "latitude", type = "DECIMAL" },
      { name = "longitude", type = "DECIMAL" },
      { name = "state", type = "STRING" },
    ]
    bi_alarms = [
      { name = "alarm_id", type = "INTEGER" },
      { name = "sensor_id", type = "STRING" },
      { name = "kind", type = "STRING" },
      { name = "severity", type = "STRING" },
      { name = "opened_at", type = "DATETIME" },
      { name = "escalated_at", type = "DATETIME" },
      { name = "closed_at", type = "DATETIME" },
      { name = "acknowledged_at", type = "DATETIME" },
      { name = "acknowledged_by", type = "STRING" },
      { name = "peak_value", type = "DECIMAL" },
      { name = "duration_s", type = "INTEGER" },
    ]
    bi_churn_scores = [
      { name = "customer_id", type = "STRING" },
      { name = "observed_at", type = "DATETIME" },
      { name = "scored_at", type = "DATETIME" },
      { name = "probability", type = "DECIMAL" },
      { name = "churn_predicted", type = "INTEGER" },
      { name = "model_version", type = "INTEGER" },
      { name = "actual", type = "INTEGER" },
      { name = "reasons", type = "STRING" },
    ]
    bi_forecast_alerts = [
      { name = "alert_id", type = "INTEGER" },
      { name = "series", type = "STRING" },
      { name = "threshold", type = "DECIMAL" },
      { name = "direction", type = "STRING" },
      { name = "expected_at", type = "DATETIME" },
      { name = "expected_value", type = "DECIMAL" },
      { name = "low", type = "DECIMAL" },
      { name = "high", type = "DECIMAL" },
      { name = "opened_at", type = "DATETIME" },
      { name = "forecast_at", type = "DATETIME" },
      { name = "closed_at", type = "DATETIME" },
    ]
    bi_rejects = [
      { name = "reject_id", type = "INTEGER" },
      { name = "topic", type = "STRING" },
      { name = "partition_no", type = "INTEGER" },
      { name = "offset_no", type = "INTEGER" },
      { name = "received_at", type = "DATETIME" },
      { name = "reason", type = "STRING" },
      { name = "field", type = "STRING" },
      { name = "replayed_at", type = "DATETIME" },
    ]
  }
}
