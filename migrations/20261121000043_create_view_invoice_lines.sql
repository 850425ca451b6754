CREATE OR REPLACE VIEW bi_invoice_lines AS
SELECT i.invoice_number, l.line_no, l.kind, l.msisdn, l.service, l.zone, l.description, l.quantity, l.unit,
       CAST(l.net AS DECIMAL(18, 4)) AS net, i.currency,
       COALESCE(CAST(CONCAT(LEFT(l.own_cycle, 4), '-', RIGHT(l.own_cycle, 2)) AS CHAR(7)), '') AS own_cycle, l.plan
FROM invoice_lines l JOIN invoices i ON i.invoice_id = l.invoice_id
