-- Signed: re-rating takes from it what an upsert then adds as a negative difference.
ALTER TABLE usage_hourly MODIFY COLUMN unrated BIGINT NOT NULL
