INSERT INTO database_identity (id, name) VALUES (1, UUID()) ON DUPLICATE KEY UPDATE id = id
