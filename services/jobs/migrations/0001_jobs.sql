-- The ledger of slow work. A row's life: queued -> running -> succeeded | queued again | dead.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'succeeded', 'dead')),
    payload bytea NOT NULL,              -- msgpack, its shape is the kind's
    event_id uuid,                       -- the event that asked for it
    owner uuid,                          -- who may see it
    progress bigint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),

    attempts bigint NOT NULL DEFAULT 0,  -- claims, without parked and released ones
    crashes bigint NOT NULL DEFAULT 0,   -- workers that died while it ran in them alone
    suspect boolean NOT NULL DEFAULT false, -- a worker died with it; it runs alone from now on
    run_at timestamptz NOT NULL DEFAULT now(),
    dispatch_at timestamptz NOT NULL DEFAULT now(), -- when to send it to Kafka (again)
    dispatches bigint NOT NULL DEFAULT 0,

    worker text,                         -- who holds the lease
    fence bigint NOT NULL DEFAULT 0,     -- grows with each claim; older holders cannot write
    lease_until timestamptz,
    working boolean NOT NULL DEFAULT false, -- claimed and not waiting for its turn to run alone

    error_code text,                     -- of the last failure
    error_detail text,
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,

    UNIQUE (event_id, kind),             -- an event that comes twice makes no second job
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
);

CREATE INDEX jobs_to_dispatch ON jobs (dispatch_at) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_of_worker ON jobs (worker) WHERE state = 'running';
CREATE INDEX jobs_of_owner ON jobs (owner, created_at DESC, id DESC);
CREATE INDEX jobs_succeeded ON jobs (finished_at) WHERE state = 'succeeded';
CREATE INDEX jobs_dead ON jobs (finished_at) WHERE state = 'dead';

-- What a job leaves, in parts. Those of another fence are from attempts that failed.
CREATE TABLE job_results (
    job_id uuid NOT NULL REFERENCES jobs ON DELETE CASCADE,
    fence bigint NOT NULL,
    chunk bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (job_id, fence, chunk)
);
