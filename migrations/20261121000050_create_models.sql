-- Every trained model. Its artefact and card are objects under models/<version>/; stored_at is set once they are there, and a model
-- without it never becomes champion. sha256 is the artefact's checksum.
CREATE TABLE IF NOT EXISTS models (
    version INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    candidate VARCHAR(64) NOT NULL,
    schema_version INT UNSIGNED NOT NULL,
    sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    stored_at DATETIME(3) NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
