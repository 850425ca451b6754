-- own_cycle (YYYYMM) is the closed cycle that late usage and credits belong to. period_from and period_to (exclusive) are the active
-- days of a fee. exact is the sum before rounding; of a fee it is the net.
CREATE TABLE IF NOT EXISTS invoice_lines (
    invoice_id INT UNSIGNED NOT NULL,
    line_no INT UNSIGNED NOT NULL,
    kind VARCHAR(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    msisdn VARCHAR(15) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    service VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    zone VARCHAR(64) NOT NULL,
    own_cycle MEDIUMINT UNSIGNED NULL,
    period_from DATE NULL,
    period_to DATE NULL,
    plan VARCHAR(64) NOT NULL,
    description VARCHAR(400) NOT NULL,
    quantity DECIMAL(30, 0) NOT NULL,
    unit VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    exact DECIMAL(20, 4) NOT NULL,
    net DECIMAL(18, 2) NOT NULL,
    PRIMARY KEY (invoice_id, line_no),
    CONSTRAINT line_invoice FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
