-- People, sessions, jobs and offers as gigwire keeps them. Everything is a pure function of its number and of the time.
-- Everything refers to what is there by its making, so that nothing needs to be looked up for each row.
set session_replication_role = replica;
create schema bench;
create function bench.id(ms bigint, seed text) returns uuid language sql immutable as $$
    select (lpad(to_hex(ms), 12, '0') || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid from (select md5(seed) as h) as hash
$$;

-- Customers, contractors, staff. They have the administrator's password, so that they are people like any other.
insert into users (id, email, password_hash, display_name, roles, created_at, updated_at, version)
select bench.id($NOW - 86400000 + n, 'user' || n), 'p' || n || '@example.org', a.password_hash, 'Person ' || n,
    case when n <= $HALF then 1 when n <= 2 * $HALF then 2 else 4 end, $NOW - 86400000 + n, $NOW - 86400000 + n, 1
from generate_series(1, 2 * $HALF + $STAFF) as n, (select password_hash from users where roles & 8 = 8 limit 1) as a;

insert into sessions (id, user_id, agent, created_at, last_seen_at)
select bench.id($NOW, 'session' || id), id, 'bench', $NOW, $NOW from users;

create temporary table person as
select id, roles, row_number() over (partition by roles order by created_at, id) - 1 as n from users;
create unique index on person (roles, n);
analyze person;

-- Open jobs. The ones that are agreed on come first, so that they are the oldest.
insert into jobs (id, customer_id, title, description, budget, currency, status, created_at, updated_at, version, expires_at)
select bench.id(at, 'job' || job.n), p.id, case when job.n <= $TALKS then 'Agreed ' else 'Job ' end || job.n,
    'Paint the fence of the front garden, about ' || job.n % 90 + 10 || ' metres, in white. Paint and brushes are there.',
    job.n % 400 * 100 + 5000, 'USD', 'OPEN', at, at, 1, at + 2592000000
from generate_series(1, $TALKS + $JOBS) as job (n), lateral (select $NOW - 3600000 - ($TALKS + $JOBS - job.n) * 10 as at) as began,
    person p where p.roles = 1 and p.n = (job.n - 1) % $HALF;

-- One offer on each that is agreed on, by another contractor in each round; $OFFERS on each other one.
insert into offers (id, job_id, customer_id, contractor_id, made_by, amount, currency, message, platform_bps, service_bps,
    platform_fee, service_fee, status, expires_at, created_at, updated_at, version)
select bench.id(at, 'offer' || job.n || ':' || o), j.id, j.customer_id, p.id, 'CONTRACTOR', j.budget, 'USD',
    'I can do it on day ' || o || ' of next week.', 500, 2000, j.budget / 20, j.budget / 5, 'PENDING',
    at + 518400000, at, at, 1
from generate_series(1, $TALKS + $JOBS) as job (n),
    generate_series(1, case when job.n <= $TALKS then 1 else $OFFERS end) as o,
    lateral (select $NOW - 3600000 - ($TALKS + $JOBS - job.n) * 10 as job_at) as began,
    lateral (select job_at + o as at) as offer_time,
    jobs j, person p
where j.id = bench.id(job_at, 'job' || job.n)
    and p.roles = 2 and p.n = (job.n - 1 + case when job.n <= $TALKS then (job.n - 1) / $HALF else o * 131 end) % $HALF;
drop table person;
set session_replication_role = origin;
analyze;
