-- Staff who read along in a conversation because of a dispute: both people see it, and it ends with the dispute.
create table conversation_staff (
    conversation_id uuid not null references conversations (id),
    user_id uuid not null references users (id),
    joined_at bigint not null,
    left_at bigint,
    primary key (conversation_id, user_id)
);
