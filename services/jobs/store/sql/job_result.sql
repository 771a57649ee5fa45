-- One part of a result, and whether another follows.
SELECT j.kind, j.state, j.owner, r.bytes,
       EXISTS (SELECT FROM job_results n
               WHERE n.job_id = j.id AND n.fence = j.fence AND n.chunk = $2::bigint + 1) AS more
FROM jobs j
LEFT JOIN job_results r ON r.job_id = j.id AND r.fence = j.fence AND r.chunk = $2::bigint
WHERE j.id = $1::uuid
