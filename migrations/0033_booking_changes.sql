-- Changes of bookings: other terms that one party proposes, and that hold once the other one agrees.
create table booking_changes (
    id uuid primary key not null,
    booking_id uuid not null references bookings (id),
    customer_id uuid not null references users (id),
    contractor_id uuid not null references users (id),
    maker text not null check (maker in ('CUSTOMER', 'CONTRACTOR')),
    currency text not null,
    -- What was agreed when it was proposed.
    was_amount bigint not null check (was_amount > 0),
    was_platform_fee bigint not null check (was_platform_fee >= 0),
    was_service_fee bigint not null check (was_service_fee between 0 and was_amount),
    was_starts_at bigint,
    was_ends_at bigint,
    -- What would be agreed.
    amount bigint not null check (amount > 0),
    platform_fee bigint not null check (platform_fee >= 0),
    service_fee bigint not null check (service_fee between 0 and amount),
    starts_at bigint,
    ends_at bigint,
    note text not null,
    status text not null check (status in
        ('PENDING', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'EXPIRED', 'REPLACED', 'CLOSED')),
    expires_at bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check ((was_starts_at is null) = (was_ends_at is null) and (was_ends_at is null or was_ends_at > was_starts_at)),
    check ((starts_at is null) = (ends_at is null) and (ends_at is null or ends_at > starts_at))
);
create unique index booking_changes_one_pending on booking_changes (booking_id) where status = 'PENDING';
create index booking_changes_of_booking on booking_changes (booking_id, created_at, id);
create index booking_changes_expiring on booking_changes (expires_at) where status = 'PENDING';
