CREATE OR REPLACE VIEW bi_revenue_by_cycle AS
SELECT CAST(CONCAT(LEFT(c.cycle, 4), '-', RIGHT(c.cycle, 2)) AS CHAR(7)) AS cycle,
       CAST(SUM(c.invoices) AS UNSIGNED) AS invoices,
       CAST(SUM(c.net) AS DECIMAL(18, 4)) AS net, CAST(SUM(c.tax) AS DECIMAL(18, 4)) AS tax,
       CAST(SUM(c.total) AS DECIMAL(18, 4)) AS total,
       COALESCE((SELECT o.currency FROM operator o WHERE o.id = 1), '') AS currency,
       CAST(SUM(c.open_charges) AS DECIMAL(18, 4)) AS open_charges
FROM (SELECT i.cycle, COUNT(*) AS invoices, SUM(i.net) AS net, SUM(i.tax) AS tax, SUM(i.total) AS total, 0 AS open_charges
      FROM invoices i GROUP BY i.cycle
      UNION ALL
      SELECT b.cycle, 0, 0, 0, 0, SUM(b.amount)
      FROM charges_by_cycle b LEFT JOIN closed_cycles d ON d.account_no = b.account_no AND d.cycle = b.cycle AND d.invoiced
      WHERE d.account_no IS NULL GROUP BY b.cycle) c
GROUP BY c.cycle
