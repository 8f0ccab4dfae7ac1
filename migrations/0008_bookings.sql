-- Bookings: the contract that an accepted offer becomes.
create table bookings (
    id uuid primary key not null,
    job_id uuid references jobs (id),
    offer_id uuid unique references offers (id),
    customer_id uuid not null references users (id),
    contractor_id uuid not null references users (id),
    conversation_id uuid not null references conversations (id),
    amount bigint not null check (amount > 0),
    currency text not null,
    platform_fee bigint not null check (platform_fee >= 0),
    service_fee bigint not null check (service_fee >= 0),
    status text not null check (status in
        ('REQUESTED', 'CONFIRMED', 'IN_PROGRESS', 'DELIVERED', 'COMPLETED', 'CANCELLED', 'DISPUTED')),
    cancelled_by text,
    cancel_reason text,
    started_at bigint,
    delivered_at bigint,
    ended_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check (customer_id <> contractor_id),
    check (service_fee <= amount)
);
create unique index bookings_one_per_job on bookings (job_id) where status <> 'CANCELLED';
create index bookings_of_customer on bookings (customer_id, created_at, id);
create index bookings_of_contractor on bookings (contractor_id, created_at, id);
