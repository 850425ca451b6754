-- One row: the operator whose platform this is. `address` holds its lines, one to a line.
CREATE TABLE IF NOT EXISTS operator (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    address TEXT NOT NULL,
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    timezone VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    tax_rate DECIMAL(9, 6) NOT NULL,
    invoice_prefix VARCHAR(16) NOT NULL,
    payment_days SMALLINT UNSIGNED NOT NULL,
    close_after_hours SMALLINT UNSIGNED NOT NULL,
    tax_id VARCHAR(64) NOT NULL DEFAULT '',
    postcode VARCHAR(32) NOT NULL DEFAULT '',
    city VARCHAR(100) NOT NULL DEFAULT '',
    country VARCHAR(64) NOT NULL DEFAULT ''
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
