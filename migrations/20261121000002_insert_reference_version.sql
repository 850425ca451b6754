INSERT INTO reference_version (id, version) VALUES (1, 0) ON DUPLICATE KEY UPDATE id = id
