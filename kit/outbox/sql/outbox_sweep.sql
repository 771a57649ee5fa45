-- write
-- Old rows are the lowest numbers, so a look at the first thousand finds them without an index
-- of their own.
DELETE FROM outbox
USING (SELECT seq, published_at FROM outbox ORDER BY seq LIMIT 1000) oldest
WHERE outbox.seq = oldest.seq
  AND oldest.published_at < now() - $1::bigint * interval '1 millisecond'
