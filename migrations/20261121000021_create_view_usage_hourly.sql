CREATE OR REPLACE VIEW bi_usage_hourly AS
SELECT h.hour,
       CASE h.service WHEN 1 THEN 'voice' WHEN 2 THEN 'sms' ELSE 'data' END AS service,
       h.cell, h.events, h.usage_total, h.amount,
       COALESCE((SELECT o.currency FROM operator o WHERE o.id = 1), '') AS currency,
       h.unrated
FROM usage_hourly h
