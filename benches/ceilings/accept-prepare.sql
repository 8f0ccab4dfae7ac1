-- What accept.sql accepts: one offer of each open job, numbered, with all that the program in front of the database would
-- have made by itself, ids above all.
create sequence bench.next;
create table bench.deals as
with deal as (
    select row_number() over (order by j.created_at, j.id) as n, o.id as offer, j.id as job, o.customer_id as customer,
        o.contractor_id as contractor, o.amount, o.platform_fee, o.service_fee,
        (extract(epoch from now()) * 1000)::bigint as at,
        array(select distinct r.contractor_id from offers r where r.job_id = j.id and r.id <> o.id) as rivals,
        array(select r.id from offers r where r.job_id = j.id and r.id <> o.id) as lost
    from jobs j, lateral (select * from offers where job_id = j.id and status = 'PENDING' order by created_at limit 1) o
    where j.status = 'OPEN')
select deal.*,
    'available:' || replace(customer::text, '-', '') || ':USD' as purse,
    'escrow:' || replace(offer::text, '-', '') as escrow,
    least(customer, contractor) as user_a, greatest(customer, contractor) as user_b,
    array(select bench.id(at + n, n || ':' || i) from generate_series(1, 32) as i) as ids,
    -- Who hears of how many events: the customer of 6, the winner of 6, each rival of 2.
    array(select 'user:' || replace(u::text, '-', '') from unnest(array[customer, contractor] || rivals) as u order by u) as streams,
    array(select case when u = customer or u = contractor then 6 else 2 end from unnest(array[customer, contractor] || rivals) as u order by u)
        as counts,
    array(select 'user:' || replace(u::text, '-', '') from (
        select u, i from unnest(array[customer, contractor]) as u, generate_series(1, 6) as i
        union all select u, i from unnest(rivals) as u, generate_series(1, 2) as i) as e order by u, i) as event_streams,
    array(select case when u = customer or u = contractor then 6 else 2 end - i from (
        select u, i from unnest(array[customer, contractor]) as u, generate_series(1, 6) as i
        union all select u, i from unnest(rivals) as u, generate_series(1, 2) as i) as e order by u, i)::bigint[] as backs
from deal;
create unique index on bench.deals (n);
analyze bench.deals;
