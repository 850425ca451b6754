CREATE TABLE IF NOT EXISTS payments (
    reference VARCHAR(64) NOT NULL PRIMARY KEY,
    invoice_id INT UNSIGNED NOT NULL,
    paid_on DATE NOT NULL,
    amount DECIMAL(18, 2) NOT NULL,
    CONSTRAINT payment_invoice FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
