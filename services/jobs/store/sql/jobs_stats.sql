-- For gauges; counts stop at ten thousand, so that counting never gets slow.
SELECT (SELECT count(*) FROM (SELECT FROM jobs WHERE state = 'queued' LIMIT 10000) q) AS queued,
       (SELECT count(*) FROM (SELECT FROM jobs WHERE state = 'running' LIMIT 10000) r) AS running,
       (SELECT count(*) FROM (SELECT FROM jobs WHERE state = 'dead' LIMIT 10000) d) AS dead,
       (SELECT min(run_at) FROM (SELECT run_at FROM jobs WHERE state = 'queued'
                                 ORDER BY dispatch_at LIMIT 1000) o WHERE run_at <= now()) AS oldest
