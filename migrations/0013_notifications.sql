-- Notifications: what a person is told in the app, one row each. Level, title and body follow from the kind when it is read.
create table notifications (
    id uuid primary key not null,
    user_id uuid not null references users (id),
    kind text not null,
    -- The word of its id, such as job, and the bare id.
    subject_kind text not null,
    subject_id uuid not null,
    -- Of a message: its number, so that reading up to an older one leaves the notification unread.
    number bigint,
    -- Small facts as JSON. Never what a person wrote.
    data text not null,
    -- Whoever dismisses has read.
    read_at bigint,
    dismissed_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check (dismissed_at is null or read_at is not null)
);
create index notifications_of_user on notifications (user_id, created_at, id) where dismissed_at is null;
create index notifications_unread on notifications (user_id) where read_at is null;
-- A conversation has one unread notification for each person. No column of an index changes when it is renewed: that is
-- what each further message costs.
create unique index notifications_one_per_conversation on notifications (user_id, subject_id)
    where kind = 'MESSAGE_RECEIVED' and read_at is null;
create index notifications_of_conversation on notifications (user_id, subject_id, created_at)
    where kind = 'MESSAGE_RECEIVED';
create index notifications_by_age on notifications (created_at);
