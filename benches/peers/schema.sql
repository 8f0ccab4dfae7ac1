-- The peers' tables, with the keys and indexes that their queries need. Run again, it begins anew.
drop schema if exists peer cascade;
create schema peer;

create table peer.users (
    id uuid primary key,
    name text not null,
    role text not null check (role in ('CUSTOMER', 'CONTRACTOR', 'ADMIN'))
);

-- Times have milliseconds, as JavaScript's have: a cursor made of one finds its row again.
create table peer.jobs (
    id uuid primary key,
    title text not null,
    description text not null,
    budget bigint not null check (budget > 0),
    currency text not null,
    status text not null,
    customer_id uuid not null references peer.users,
    created_at timestamptz(3) not null default now()
);
create index jobs_open on peer.jobs (created_at desc, id desc) where status = 'OPEN';
create index jobs_of_customer on peer.jobs (customer_id);

create table peer.offers (
    id uuid primary key,
    job_id uuid not null references peer.jobs,
    contractor_id uuid not null references peer.users,
    amount bigint not null check (amount > 0),
    message text not null,
    status text not null,
    created_at timestamptz(3) not null default now()
);
create index offers_of_job on peer.offers (job_id, created_at, id);
create index offers_of_contractor on peer.offers (contractor_id);

-- Room in each page keeps the update of every message in place.
create table peer.conversations (
    id uuid primary key,
    customer_id uuid not null references peer.users,
    contractor_id uuid not null references peer.users,
    last_number bigint not null default 0,
    last_at timestamptz(3) not null default now()
) with (fillfactor = 80);
create index conversations_of_customer on peer.conversations (customer_id);
create index conversations_of_contractor on peer.conversations (contractor_id);

create table peer.messages (
    id uuid primary key,
    conversation_id uuid not null references peer.conversations,
    number bigint not null,
    sender_id uuid not null references peer.users,
    content text not null,
    created_at timestamptz(3) not null default now(),
    unique (conversation_id, number)
);

create table peer.announcements (
    id uuid primary key,
    title text not null,
    body text not null,
    created_at timestamptz(3) not null default now()
);
