-- write
-- $1 user, $2 version it must have or null, $3 name or null, $4 status or null, $5 tenant or
-- null, all zeros for none. No row: no such user; id null: another version. Sessions and API
-- keys end when the user is not active any more.
WITH target AS MATERIALIZED (
    SELECT id AS target_id, version AS target_version
    FROM users
    WHERE id = $1 AND status <> 'deleted'
    FOR UPDATE
), changed AS (
    UPDATE users u
    SET name = coalesce($3, u.name),
        status = coalesce($4, u.status),
        tenant = nullif(coalesce($5::uuid, u.tenant), '00000000-0000-0000-0000-000000000000'),
        version = u.version + 1,
        updated_at = now()
    FROM target t
    WHERE u.id = t.target_id AND ($2::bigint IS NULL OR t.target_version = $2)
    RETURNING u.*
), ended AS (
    UPDATE sessions s
    SET revoked_at = now()
    FROM changed c
    WHERE s.user_id = c.id AND c.status <> 'active' AND s.revoked_at IS NULL
    RETURNING s.id
), keys AS (
    UPDATE api_keys k
    SET revoked_at = now()
    FROM changed c
    WHERE k.user_id = c.id AND c.status <> 'active' AND k.revoked_at IS NULL
    RETURNING k.id
), void AS (
    SELECT id FROM ended UNION ALL SELECT id FROM keys
)
SELECT id, email, name, roles AS role_bits, status, version, created_at, updated_at, tenant,
       (SELECT array_to_string(array_agg(void.id), ' ') FROM void) AS ended
FROM target
LEFT JOIN changed ON true
