-- write
-- $1 hash of the token presented, $2 hash of the next one, $3 grace in milliseconds, $4 key
-- that the caller has proved to hold or null. No row: we never gave out such a token. verdict: rotate; again (the answer to the last rotation was
-- lost: another token of the same generation); reuse (a spent token: the family ends); dead;
-- unproven (bound to another key: nothing happens, whatever the token).
WITH presented AS MATERIALIZED (
    SELECT s.id, s.user_id, s.generation, s.rotated_at, s.expires_at, s.jkt,
           t.generation AS token_generation,
           s.revoked_at IS NULL AND s.expires_at > now() AS live
    FROM refresh_tokens t
    JOIN sessions s ON s.id = t.session_id
    WHERE t.hash = $1
    FOR UPDATE OF s
), judged AS MATERIALIZED (
    SELECT p.*, u.roles, u.tenant,
           CASE
               WHEN NOT p.live OR u.status <> 'active' THEN 'dead'
               WHEN p.jkt IS DISTINCT FROM $4::text AND p.jkt IS NOT NULL THEN 'unproven'
               WHEN p.token_generation = p.generation THEN 'rotate'
               WHEN p.token_generation = p.generation - 1
                    AND p.rotated_at > clock_timestamp() - $3 * interval '1 millisecond' THEN 'again'
               ELSE 'reuse'
           END AS verdict
    FROM presented p
    JOIN users u ON u.id = p.user_id
), moved AS (
    UPDATE sessions s
    SET generation = CASE WHEN j.verdict = 'rotate' THEN s.generation + 1 ELSE s.generation END,
        rotated_at = CASE WHEN j.verdict = 'rotate' THEN clock_timestamp() ELSE s.rotated_at END,
        jkt = CASE WHEN j.verdict = 'rotate' THEN coalesce(s.jkt, $4) ELSE s.jkt END,
        revoked_at = CASE WHEN j.verdict = 'reuse' THEN now() ELSE s.revoked_at END
    FROM judged j
    WHERE s.id = j.id AND j.verdict IN ('rotate', 'reuse')
), added AS (
    INSERT INTO refresh_tokens (hash, session_id, generation)
    SELECT $2, j.id, CASE WHEN j.verdict = 'rotate' THEN j.generation + 1 ELSE j.generation END
    FROM judged j
    WHERE j.verdict IN ('rotate', 'again')
)
SELECT verdict, id, user_id, roles, expires_at, tenant
FROM judged
