-- Reviews: what the two parties of a completed booking say of each other, and how many stars everybody was given.
create table reviews (
    id uuid primary key not null,
    booking_id uuid not null references bookings (id),
    author_id uuid not null references users (id),
    subject_id uuid not null references users (id),
    rating bigint not null check (rating between 1 and 5),
    text text not null,
    status text not null check (status in ('PENDING', 'PUBLISHED', 'HIDDEN')),
    -- When it is published by itself, if the other party has not written by then.
    publish_at bigint not null,
    published_at bigint,
    reply text,
    replied_at bigint,
    hidden_reason text,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    unique (booking_id, author_id),
    check (author_id <> subject_id),
    check ((status = 'PENDING') = (published_at is null)),
    check ((status = 'HIDDEN') = (hidden_reason is not null)),
    check ((reply is null) = (replied_at is null))
);
create index reviews_of_subject on reviews (subject_id, published_at, id) where status = 'PUBLISHED';
create index reviews_due on reviews (publish_at) where status = 'PENDING';

-- How many published reviews gave a user so many stars: changed in the transaction that shows or hides a review.
create table ratings (
    user_id uuid not null references users (id),
    stars bigint not null check (stars between 1 and 5),
    reviews bigint not null check (reviews >= 0),
    primary key (user_id, stars)
);
