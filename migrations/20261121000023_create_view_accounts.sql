CREATE OR REPLACE VIEW bi_accounts AS
SELECT a.account_id, a.name, a.segment, a.city, a.cycle_day,
       COUNT(s.subscription_no) AS subscriptions, MIN(s.active_from) AS active_since
FROM accounts a LEFT JOIN subscriptions s ON s.account_no = a.account_no
GROUP BY a.account_no, a.account_id, a.name, a.segment, a.city, a.cycle_day
