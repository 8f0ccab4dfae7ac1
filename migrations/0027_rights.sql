-- Rights: when each user's changed last, so that an instance finds what no wake told it; blocks with their reason; how
-- often staff disconnected somebody; and what a session's client calls itself.
create table rights_changes (
    user_id uuid primary key not null references users (id),
    changed_at bigint not null
);
create index rights_changes_by_time on rights_changes (changed_at);

alter table users add column blocked_at bigint;
alter table users add column block_reason text;
alter table users add column disconnections bigint not null default 0;
update users set blocked_at = updated_at where blocked_until is not null;

alter table sessions add column client text;
