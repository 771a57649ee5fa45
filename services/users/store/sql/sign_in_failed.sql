-- write
-- $1 hash of the address. A day without failures starts anew.
INSERT INTO sign_in_failures AS f (address_hash, failures, last_at)
VALUES ($1, 1, clock_timestamp())
ON CONFLICT (address_hash) DO UPDATE
SET failures = CASE WHEN f.last_at < now() - interval '1 day' THEN 1 ELSE f.failures + 1 END,
    last_at = clock_timestamp()
