-- Offers: a price for a job, by either side, with the fees frozen as they were quoted.
create table offers (
    id uuid primary key not null,
    job_id uuid not null references jobs (id),
    customer_id uuid not null references users (id),
    contractor_id uuid not null references users (id),
    made_by text not null check (made_by in ('CUSTOMER', 'CONTRACTOR')),
    amount bigint not null check (amount > 0),
    currency text not null,
    message text not null,
    platform_bps bigint not null,
    service_bps bigint not null,
    platform_fee bigint not null check (platform_fee >= 0),
    service_fee bigint not null check (service_fee >= 0),
    status text not null check (status in ('PENDING', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'EXPIRED')),
    decline_reason text,
    -- The group of pending transfers that holds the customer's money for it.
    hold_id uuid,
    expires_at bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check (customer_id <> contractor_id),
    check (service_fee <= amount)
);
create unique index offers_one_pending on offers (job_id, contractor_id, made_by) where status = 'PENDING';
create index offers_of_job on offers (job_id, created_at, id);
create index offers_of_contractor on offers (contractor_id, created_at, id);
create index offers_of_customer on offers (customer_id, created_at, id);
create index offers_expiring on offers (expires_at) where status = 'PENDING';
