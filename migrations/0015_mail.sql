-- Mail: letters to users and what became of them, one-time codes, and when an address was verified.
alter table users add column email_verified_at bigint;

-- Address and facts are wiped when a letter has ended.
create table letters (
    id uuid primary key not null,
    user_id uuid not null references users (id),
    template text not null,
    language text not null,
    address text,
    facts text,
    code_id uuid,
    status text not null check (status in ('PENDING', 'SENT', 'FAILED')),
    attempts bigint not null,
    last_error text,
    reference text,
    created_at bigint not null,
    updated_at bigint not null,
    ended_at bigint
);
create index letters_of_user on letters (user_id, created_at);

-- No code is stored: it is derived from the seed and a secret of the program.
create table codes (
    user_id uuid not null references users (id),
    purpose text not null,
    id uuid not null unique,
    seed text not null,
    digits bigint not null,
    expires_at bigint not null,
    used_at bigint,
    created_at bigint not null,
    primary key (user_id, purpose)
);
create index codes_by_end on codes (expires_at);

-- Wrong tries and sent codes, counted over the last hour.
create table code_counts (
    id uuid primary key not null,
    subject text not null,
    counted_at bigint not null
);
create index code_counts_of_subject on code_counts (subject, counted_at);
create index code_counts_by_age on code_counts (counted_at);
