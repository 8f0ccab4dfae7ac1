-- The ledger: purses carry totals, transfers are one row each and never change, payments bring money in.
create table purses (
    id uuid primary key not null,
    name text not null unique,
    class text not null check (class in ('AVAILABLE', 'ESCROW', 'FEES', 'GATEWAY')),
    owner_id uuid references users (id),
    currency text not null,
    debits_posted bigint not null,
    credits_posted bigint not null,
    debits_pending bigint not null,
    credits_pending bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check (debits_posted >= 0 and credits_posted >= 0 and debits_pending >= 0 and credits_pending >= 0),
    -- The backstop behind the guards of the statements: a user's money and an escrow are never below zero.
    check (class not in ('AVAILABLE', 'ESCROW') or credits_posted - debits_posted - debits_pending >= 0)
);
create index purses_of_owner on purses (owner_id, currency);

create table transfers (
    id uuid primary key not null,
    debit_purse uuid not null references purses (id),
    credit_purse uuid not null references purses (id),
    amount bigint not null check (amount > 0),
    currency text not null,
    kind text not null,
    phase text not null check (phase in ('SINGLE', 'PENDING', 'POSTED', 'VOIDED', 'EXPIRED')),
    -- The pending transfer that this row resolves. Unique: nothing is resolved twice.
    pending_id uuid unique references transfers (id),
    group_id uuid not null,
    cause text not null,
    cause_id uuid not null,
    created_at bigint not null,
    check (debit_purse <> credit_purse),
    check ((phase in ('POSTED', 'VOIDED', 'EXPIRED')) = (pending_id is not null))
);
create index transfers_of_debit on transfers (debit_purse, created_at, id);
create index transfers_of_credit on transfers (credit_purse, created_at, id);
create index transfers_of_group on transfers (group_id);
create index transfers_of_cause on transfers (cause_id);

create table payments (
    id uuid primary key not null,
    user_id uuid not null references users (id),
    amount bigint not null check (amount > 0),
    currency text not null,
    status text not null check (status in ('PENDING', 'COMPLETED', 'FAILED')),
    provider text not null,
    provider_ref text,
    -- Where the user confirms, while the provider waits for that.
    next_url text,
    failure text,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null
);
create index payments_of_user on payments (user_id, created_at, id);
