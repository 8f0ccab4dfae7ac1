-- Earnings: what a contractor made, one row for each completed booking.
create table earnings (
    id uuid primary key not null,
    contractor_id uuid not null references users (id),
    booking_id uuid not null unique references bookings (id),
    gross bigint not null check (gross > 0),
    service_fee bigint not null check (service_fee >= 0),
    net bigint not null check (net >= 0),
    currency text not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check (net + service_fee = gross)
);
create index earnings_of_contractor on earnings (contractor_id, created_at, id);
