-- The last number taken in a year (operator's time zone), locked by the transaction that takes the next ones.
CREATE TABLE IF NOT EXISTS invoice_numbers (
    year SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
    last INT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
