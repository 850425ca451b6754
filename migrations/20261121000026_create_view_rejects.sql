CREATE OR REPLACE VIEW bi_rejects AS
SELECT reject_id, topic, partition_no, offset_no, received_at, reason, field, replayed_at FROM rejects
