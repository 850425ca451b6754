-- Every import raises it in its own transaction; a batch that finds it moved reloads its reference data.
CREATE TABLE IF NOT EXISTS reference_version (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    version BIGINT UNSIGNED NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
