-- bill_cycle: the cycle (YYYYMM) of the account on whose invoice the charge stands, set when the event is first rated: its own, or
-- the account's next open one when that was closed. allowance_used: units that the number's allowance paid for.
ALTER TABLE usage_events
    ADD COLUMN bill_cycle MEDIUMINT UNSIGNED NULL,
    ADD COLUMN allowance_used BIGINT UNSIGNED NOT NULL DEFAULT 0
