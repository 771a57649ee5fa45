-- write
INSERT INTO jobs (id, kind, payload, owner, event_id, traceparent)
VALUES ($1::uuid, $2::text, $3::bytea, $4::uuid, $5::uuid, $6::text)
ON CONFLICT (event_id, kind) DO NOTHING
