-- One unit of work: what commits together with a change. Streams and their events, audit rows, tasks, idempotency keys.
create table streams (
    name text primary key not null,
    head bigint not null
);

create table events (
    stream text not null,
    seq bigint not null,
    id uuid not null,
    noun text not null,
    kind text not null,
    object_id uuid not null,
    subject_id uuid not null,
    version bigint not null,
    facts text not null,
    actor_id uuid,
    actor_role text,
    request_id text not null,
    occurred_at bigint not null,
    primary key (stream, seq)
);

create table audit (
    id uuid primary key not null,
    actor_id uuid,
    actor_role text,
    action text not null,
    entity_type text not null,
    entity_id uuid not null,
    reason text,
    metadata text not null,
    ip text,
    request_id text not null,
    created_at bigint not null
);
create index audit_of_entity on audit (entity_type, entity_id, created_at);
create index audit_of_actor on audit (actor_id, created_at);

create table tasks (
    id uuid primary key not null,
    kind text not null,
    payload text not null,
    run_at bigint not null,
    attempts bigint not null,
    leased_until bigint,
    ended_at bigint,
    outcome text check (outcome in ('DONE', 'FAILED')),
    last_error text,
    created_at bigint not null
);
create index tasks_waiting on tasks (run_at) where ended_at is null;

create table idempotency (
    viewer_id uuid not null,
    operation text not null,
    key text not null,
    input_hash text not null,
    effect text not null,
    created_at bigint not null,
    primary key (viewer_id, operation, key)
);
