-- Completed bookings whose price waits in escrow for the release delay, and the files that are evidence in disputes.
-- When the price goes to the contractor; empty once it is there, and where nothing is put off.
alter table bookings add column releases_at bigint;
create index bookings_to_release on bookings (releases_at) where releases_at is not null;

create table dispute_evidence (
    dispute_id uuid not null references disputes (id),
    file_id uuid not null references uploads (id),
    author_id uuid not null references users (id),
    created_at bigint not null,
    primary key (dispute_id, file_id)
);
create index dispute_evidence_of_file on dispute_evidence (file_id);
