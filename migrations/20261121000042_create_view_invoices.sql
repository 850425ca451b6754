-- An invoice is paid when payments reach its total, a credit note when what was paid back does.
CREATE OR REPLACE VIEW bi_invoices AS
SELECT i.invoice_number, a.account_id, i.customer_name AS customer,
       CAST(CONCAT(LEFT(i.cycle, 4), '-', RIGHT(i.cycle, 2)) AS CHAR(7)) AS cycle,
       i.cycle_start, i.cycle_end, i.issued_at,
       CAST(i.net AS DECIMAL(18, 4)) AS net, CAST(i.tax AS DECIMAL(18, 4)) AS tax, CAST(i.total AS DECIMAL(18, 4)) AS total, i.rounding,
       i.currency,
       CASE WHEN n.invoice_id IS NOT NULL THEN 'cancelled'
            WHEN i.total >= 0 AND COALESCE((SELECT SUM(p.amount) FROM payments p WHERE p.invoice_id = i.invoice_id), 0) >= i.total
                THEN 'paid'
            WHEN i.total < 0 AND COALESCE((SELECT SUM(p.amount) FROM payments p WHERE p.invoice_id = i.invoice_id), 0) <= i.total
                THEN 'paid'
            WHEN i.total > 0 AND i.overdue_at <= UTC_TIMESTAMP(3) THEN 'overdue'
            ELSE 'issued' END AS status,
       i.due_on, COALESCE(c.invoice_number, '') AS cancels, COALESCE(n.invoice_number, '') AS cancelled_by,
       CAST(COALESCE((SELECT SUM(p.amount) FROM payments p WHERE p.invoice_id = i.invoice_id), 0) AS DECIMAL(18, 4)) AS paid
FROM invoices i
JOIN accounts a ON a.account_no = i.account_no
LEFT JOIN invoices c ON c.invoice_id = i.cancels
LEFT JOIN invoices n ON n.cancels = i.invoice_id
