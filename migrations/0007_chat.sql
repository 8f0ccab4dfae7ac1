-- Chat: one conversation per subject and pair of people. user_a is the smaller id of the pair.
-- a_count and b_count number each side's messages, so that unread counts are a subtraction and cannot drift.
-- There is no index on active_at: it would cost every message two index entries, and a person's conversations are few
-- enough to sort.
create table conversations (
    id uuid primary key not null,
    subject_kind text not null,
    subject_id uuid not null,
    user_a uuid not null references users (id),
    user_b uuid not null references users (id),
    is_active boolean not null,
    last_number bigint not null,
    a_count bigint not null,
    b_count bigint not null,
    last_message_id uuid,
    active_at bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check (user_a < user_b),
    check (last_number = a_count + b_count),
    unique (subject_kind, subject_id, user_a, user_b)
);

create table participants (
    conversation_id uuid not null references conversations (id),
    user_id uuid not null references users (id),
    -- My read mark: the number of the last message read, and the other's count at it.
    read_number bigint not null,
    read_count bigint not null,
    read_at bigint,
    delivered_number bigint not null,
    delivered_at bigint,
    -- Grows with each mark. A conversation's version, as clients see it, is its own and those of its participants.
    version bigint not null,
    primary key (conversation_id, user_id)
);
create index participants_of_user on participants (user_id);

create table messages (
    id uuid primary key not null,
    conversation_id uuid not null references conversations (id),
    number bigint not null,
    sender_id uuid not null references users (id),
    content text not null,
    client_message_id text,
    -- Each side's count up to and including this message.
    a_count bigint not null,
    b_count bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    unique (conversation_id, number),
    unique (conversation_id, sender_id, client_message_id)
);
