-- Accounts: people, their sign-ins, and the refresh tokens of each sign-in (hashes only).
create table users (
    id uuid primary key not null,
    email text not null unique,
    password_hash text not null,
    display_name text not null,
    roles bigint not null,
    blocked_until bigint,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check (version > 0)
);

create table sessions (
    id uuid primary key not null,
    user_id uuid not null references users (id),
    agent text,
    ip text,
    created_at bigint not null,
    last_seen_at bigint not null,
    ended_at bigint
);
create index sessions_of_user on sessions (user_id, ended_at);

create table refresh_tokens (
    hash text primary key not null,
    session_id uuid not null references sessions (id),
    expires_at bigint not null,
    used_at bigint
);
create index refresh_tokens_of_session on refresh_tokens (session_id);
