-- Announcements: told to everyone, one row each however many read it.
create table announcements (
    id uuid primary key not null,
    title text not null,
    body text not null,
    level text not null check (level in ('INFO', 'SUCCESS', 'WARNING', 'ERROR')),
    published_by uuid not null references users (id),
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null
);
