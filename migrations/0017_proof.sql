-- The proof of the ledger: what lies in escrow by owner, sealed days, proofs, frozen payouts, and what is due once a day.
-- What lies in the escrows that a user filled, in that user's purse, so that one row tells the whole wallet.
alter table purses add column escrowed bigint not null default 0 check (escrowed >= 0);
update purses set escrowed = (
    select coalesce(sum(e.credits_posted - e.debits_posted), 0) from purses e
    where e.class = 'ESCROW' and e.owner_id = purses.owner_id and e.currency = purses.currency)
where class = 'AVAILABLE';

-- The order in which days are sealed.
create index transfers_in_order on transfers (created_at, id);

create table ledger_seals (
    -- The first millisecond of the day, in UTC.
    day bigint primary key not null,
    transfers bigint not null,
    previous text not null,
    hash text not null,
    sealed_at bigint not null
);

create table ledger_proofs (
    id uuid primary key not null,
    is_proved boolean not null,
    findings bigint not null,
    open_holds bigint not null,
    oldest_hold_at bigint,
    -- The youngest seal that this proof saw: it must be there for ever.
    sealed_day bigint,
    sealed_hash text,
    report text not null,
    duration_ms bigint not null,
    created_at bigint not null
);
create index ledger_proofs_in_order on ledger_proofs (created_at, id);

create table payout_freezes (
    id uuid primary key not null,
    reason text not null,
    created_at bigint not null,
    lifted_at bigint,
    lift_reason text,
    check ((lifted_at is null) = (lift_reason is null))
);
create unique index payout_freezes_one_open on payout_freezes ((coalesce(lifted_at, 0))) where lifted_at is null;

create table schedules (
    name text primary key not null,
    due_at bigint not null,
    leased_until bigint
);
