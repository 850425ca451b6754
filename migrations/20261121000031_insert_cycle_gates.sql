INSERT INTO cycle_gates (cycle_day)
VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19), (20), (21), (22), (23),
       (24), (25), (26), (27), (28)
ON DUPLICATE KEY UPDATE latest_closed = latest_closed
