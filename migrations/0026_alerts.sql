-- Alerts: what staff must hear of. One row for each cause as long as it is not dismissed: further ones renew it.
create table alerts (
    id uuid primary key not null,
    kind text not null,
    -- What it follows from, such as the dispute.
    cause text not null,
    body text not null,
    -- The word of its id, such as dispute, and the bare id.
    subject_kind text,
    subject_id uuid,
    occurrences bigint not null check (occurrences > 0),
    last_raised_at bigint not null,
    -- When staff were told of it live for the last time.
    told_at bigint not null,
    dismissed_at bigint,
    -- Null where its cause ended by itself.
    dismissed_by uuid references users (id),
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check ((subject_kind is null) = (subject_id is null)),
    check (dismissed_by is null or dismissed_at is not null)
);
create unique index alerts_one_open on alerts (kind, cause) where dismissed_at is null;
create index alerts_listed on alerts (created_at, id);
-- Few letters fail; how many lately is asked when one more does.
create index letters_failed on letters (ended_at) where status = 'FAILED';
