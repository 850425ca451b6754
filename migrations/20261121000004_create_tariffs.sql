-- A version of a tariff, in force from valid_from (UTC) until valid_to, exclusive. `body` is the tariff file as it was imported.
CREATE TABLE IF NOT EXISTS tariffs (
    tariff_no INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(64) NOT NULL,
    valid_from DATETIME(3) NOT NULL,
    valid_to DATETIME(3) NULL,
    body LONGTEXT NOT NULL,
    UNIQUE KEY tariff_version (name, valid_from)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
