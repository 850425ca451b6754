-- bill_cycle is the cycle of the account whose invoice carries the charge, or will; empty while there is none.
CREATE OR REPLACE VIEW bi_usage_events AS
SELECT CAST(LOWER(CONCAT_WS('-', SUBSTR(HEX(e.event_id), 1, 8), SUBSTR(HEX(e.event_id), 9, 4), SUBSTR(HEX(e.event_id), 13, 4),
                            SUBSTR(HEX(e.event_id), 17, 4), SUBSTR(HEX(e.event_id), 21, 12))) AS CHAR(36)) AS event_id,
       e.started_at, e.subscriber, COALESCE(a.account_id, '') AS account_id,
       CASE e.service WHEN 1 THEN 'voice' WHEN 2 THEN 'sms' ELSE 'data' END AS service,
       e.destination, e.zone, e.usage_amount, e.amount, e.currency, e.rating_error, e.roaming, e.cell,
       COALESCE(CAST(CONCAT(LEFT(e.bill_cycle, 4), '-', RIGHT(e.bill_cycle, 2)) AS CHAR(7)), '') AS bill_cycle
FROM usage_events e LEFT JOIN accounts a ON a.account_no = e.account_no
