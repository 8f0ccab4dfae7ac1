-- Disputes: the two parties of a booking disagree, and its money is frozen until they agree or staff decide.
create table disputes (
    id uuid primary key not null,
    booking_id uuid not null references bookings (id),
    customer_id uuid not null references users (id),
    contractor_id uuid not null references users (id),
    opener_id uuid not null references users (id),
    reason text not null check (reason in ('NOT_DELIVERED', 'NOT_AS_AGREED', 'LATE', 'NO_ANSWER', 'OTHER')),
    evidence text not null,
    -- Where the booking stood, and goes back to when the dispute is withdrawn.
    booking_was text not null check (booking_was in ('CONFIRMED', 'IN_PROGRESS', 'DELIVERED')),
    -- The escrow at stake, and the rate that was frozen on the offer.
    amount bigint not null check (amount > 0),
    currency text not null,
    service_bps bigint not null,
    status text not null check (status in ('OPEN', 'ESCALATED', 'WITHDRAWN', 'AGREED', 'DECIDED')),
    -- When an open dispute goes to staff.
    deadline bigint not null,
    -- The proposal that counts: each new one takes the place of the one before.
    proposal_number bigint not null check (proposal_number >= 0),
    proposer_id uuid references users (id),
    proposed_by text check (proposed_by in ('CUSTOMER', 'CONTRACTOR', 'STAFF')),
    proposed_customer bigint check (proposed_customer between 0 and amount),
    agreed_customer boolean not null,
    agreed_contractor boolean not null,
    proposal_expires_at bigint,
    -- How it ended.
    to_customer bigint check (to_customer >= 0),
    to_contractor bigint check (to_contractor >= 0),
    to_platform bigint check (to_platform >= 0),
    fee_back boolean not null,
    decision text,
    ended_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check ((status in ('OPEN', 'ESCALATED')) = (ended_at is null)),
    check ((status in ('AGREED', 'DECIDED')) = (to_customer is not null)),
    check (to_customer is null or to_customer + to_contractor + to_platform = amount),
    check ((proposal_number = 0) = (proposed_customer is null))
);
create unique index disputes_one_open on disputes (booking_id) where status in ('OPEN', 'ESCALATED');
create index disputes_of_booking on disputes (booking_id, created_at);
create index disputes_listed on disputes (status, created_at, id);
create index disputes_due on disputes (deadline) where status = 'OPEN';

-- What a dispute left of the price for the contractor's side.
alter table bookings add column settled_contractor bigint;
alter table bookings add column settled_platform bigint;
create index bookings_silent on bookings (updated_at) where status in ('CONFIRMED', 'IN_PROGRESS', 'DELIVERED');
