-- Jobs: a customer's demand for work.
create table jobs (
    id uuid primary key not null,
    customer_id uuid not null references users (id),
    title text not null,
    description text not null,
    budget bigint not null check (budget > 0),
    currency text not null,
    status text not null check (status in ('DRAFT', 'OPEN', 'ASSIGNED', 'COMPLETED', 'CANCELLED', 'EXPIRED')),
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null
);
create index jobs_by_status on jobs (status, created_at, id);
create index jobs_by_budget on jobs (status, currency, budget, id);
create index jobs_of_customer on jobs (customer_id, created_at, id);
