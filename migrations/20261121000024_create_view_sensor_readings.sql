CREATE OR REPLACE VIEW bi_sensor_readings AS
SELECT sensor_id, measured_at, temperature_c, humidity_pct, latitude, longitude, state FROM sensor_readings
