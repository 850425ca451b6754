-- The model that scores: one row, changed only by whoever names the version before it. NULL: none yet.
CREATE TABLE IF NOT EXISTS champion (
    id TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    version INT UNSIGNED NULL,
    changed_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    CONSTRAINT champion_one_row CHECK (id = 1),
    CONSTRAINT champion_model FOREIGN KEY (version) REFERENCES models (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
