-- Names this database. Documents computed from another one, or from this one before it was made again, are thrown away by it.
CREATE TABLE IF NOT EXISTS database_identity (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    name CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
