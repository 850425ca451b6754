-- What re-rating changed: one row for each event whose charge, account, reason or bill_cycle changed. While the charge was not
-- invoiced the event's row simply says the new one and credit_cycle is NULL: take old_amount off (old_account_no, old_bill_cycle)
-- and add new_amount to (new_account_no, new_bill_cycle). Afterwards the difference from what was invoiced goes on the invoice of
-- credit_cycle (YYYYMM) of credit_account_no, and what (old_account_no, old_bill_cycle) was invoiced stays; only if the account is
-- another one now, new_amount also counts for (new_account_no, new_bill_cycle). A difference from an invoice that was cancelled is
-- not billed: credit_cycle is NULL and difference 0. own_cycle is the cycle that the difference corrects. The cache folds the rows
-- by seq, as it does events.
CREATE TABLE IF NOT EXISTS adjustments (
    seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    run_id INT UNSIGNED NOT NULL,
    started_at DATETIME(3) NOT NULL,
    event_id BINARY(16) NOT NULL,
    service TINYINT UNSIGNED NOT NULL,
    subscriber VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    cell VARCHAR(32) NOT NULL,
    usage_amount BIGINT UNSIGNED NOT NULL,
    old_account_no INT UNSIGNED NULL,
    old_bill_cycle MEDIUMINT UNSIGNED NULL,
    old_amount DECIMAL(18, 4) NULL,
    new_account_no INT UNSIGNED NULL,
    new_bill_cycle MEDIUMINT UNSIGNED NULL,
    new_amount DECIMAL(18, 4) NULL,
    credit_account_no INT UNSIGNED NULL,
    credit_cycle MEDIUMINT UNSIGNED NULL,
    own_cycle MEDIUMINT UNSIGNED NULL,
    difference DECIMAL(18, 4) NOT NULL,
    adjusted_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    KEY by_credit (credit_cycle, credit_account_no),
    KEY by_run (run_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
