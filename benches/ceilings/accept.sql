-- The statements by which an offer is accepted, in their order and number, run by pgbench: the ceiling of what any program
-- in front of them can reach. `accept-prepare.sql` has made the values. `select .. from bench.deals` takes the place of
-- reading the offer.
begin;
select nextval('bench.next') as n \gset
insert into idempotency (viewer_id, operation, key, input_hash, effect, created_at)
    select customer, 'offerAccept', offer::text, md5(offer::text) || md5(job::text), '', at from bench.deals where n = :n
    on conflict do nothing;
select d.offer, d.job, d.customer, d.contractor, d.amount, d.platform_fee, d.service_fee, d.at, d.purse, d.escrow, d.user_a,
        d.user_b, d.ids[1] as escrow_id, d.ids[2] as conversation, d.ids[3] as booking
    from bench.deals d join offers o on o.id = d.offer where d.n = :n \gset
update jobs set status = 'ASSIGNED', updated_at = :at, version = version + 1, cancel_reason = coalesce(null, cancel_reason)
    where id = :job and status = 'OPEN' returning *;
update offers set status = case when id = :offer then 'ACCEPTED' else 'DECLINED' end,
        decline_reason = case when id = :offer then null else 'JOB_ASSIGNED' end, updated_at = :at, version = version + 1
    where job_id = :job and status = 'PENDING' returning *;
insert into purses (id, name, class, owner_id, currency, debits_posted, credits_posted, debits_pending, credits_pending,
        created_at, updated_at, version)
    values (:escrow_id, :escrow, 'ESCROW', :customer, 'USD', 0, 0, 0, 0, :at, :at, 1),
        (gen_random_uuid(), 'fees:' || 'USD', 'FEES', null, 'USD', 0, 0, 0, 0, :at, :at, 1)
    on conflict (name) do nothing;
with delta (purse, dp, cp, dh, ch, es) as (values
        (:purse::text, :amount::bigint + :platform_fee::bigint, 0::bigint, 0::bigint, 0::bigint, :amount::bigint),
        (:escrow::text, 0, :amount::bigint, 0, 0, 0), ('fees:' || 'USD', 0, :platform_fee::bigint, 0, 0, 0)),
    locked as (select p.id from purses p join delta d on d.purse = p.name order by p.name for update of p)
    update purses set debits_posted = debits_posted + dp, credits_posted = credits_posted + cp,
        debits_pending = debits_pending + dh, credits_pending = credits_pending + ch,
        escrowed = escrowed + es, updated_at = :at, version = version + 1
    from delta where name = purse and (select count(*) from locked) > 0
        and debits_posted <= 9000000000000000000 - dp and credits_posted <= 9000000000000000000 - cp
        and (class not in ('AVAILABLE', 'ESCROW') or credits_posted + cp - debits_posted - dp - debits_pending - dh >= 0)
    returning id, name, class, owner_id, currency, debits_posted, credits_posted, debits_pending, escrowed, version;
insert into conversations (id, subject_kind, subject_id, user_a, user_b, is_active, last_number, a_count, b_count,
        active_at, created_at, updated_at, version)
    values (:conversation, 'job', :job, :user_a, :user_b, true, 0, 0, 0, :at, :at, :at, 1)
    on conflict (subject_kind, subject_id, user_a, user_b) do update set is_active = excluded.is_active,
        version = conversations.version + case when conversations.is_active then 0 else 1 end
    returning id;
insert into bookings (id, job_id, offer_id, customer_id, contractor_id, conversation_id, amount, currency,
        platform_fee, service_fee, status, created_at, updated_at, version, starts_at, ends_at)
    values (:booking, :job, :offer, :customer, :contractor, :conversation, :amount, 'USD', :platform_fee, :service_fee,
        'CONFIRMED', :at, :at, 1, null, null);
with deal as (select * from bench.deals where n = :n),
    part0 as (insert into transfers (id, debit_purse, credit_purse, amount, currency, kind, phase, pending_id, group_id,
            cause, cause_id, created_at)
        select ids[4], (select id from purses where name = purse), ids[1], amount, 'USD', 'ESCROW', 'SINGLE', null::uuid,
            ids[6], 'offer', offer, at from deal
        union all
        select ids[5], (select id from purses where name = purse), (select id from purses where name = 'fees:' || 'USD'),
            platform_fee, 'USD', 'PLATFORM_FEE', 'SINGLE', null, ids[6], 'offer', offer, at from deal),
    part1 as (insert into participants (conversation_id, user_id, read_number, read_count, delivered_number, version)
        select ids[2], u, 0, 0, 0, 0 from deal, unnest(array[user_a, user_b]) as u),
    part2 as (update idempotency i set effect = json_build_object('offer', offer, 'booking', ids[3], 'conversation', ids[2])::text
        from deal where i.viewer_id = customer and i.operation = 'offerAccept' and i.key = offer::text),
    part3 as (insert into notifications (id, user_id, kind, subject_kind, subject_id, number, data, created_at, updated_at,
            version)
        select ids[6 + i], case when i < 4 then contractor else coalesce(rivals[i - 3], contractor) end,
            case i when 1 then 'JOB_ASSIGNED' when 2 then 'OFFER_ACCEPTED' when 3 then 'BOOKING_CREATED' else 'OFFER_DECLINED' end,
            case i when 1 then 'job' when 3 then 'booking' else 'offer' end,
            case i when 1 then job when 2 then offer when 3 then ids[3] else coalesce(lost[i - 3], offer) end,
            null, '{"from" : "PENDING", "to" : "DECLINED"}', at, at, 1
        from deal, generate_series(1, 5) as i),
    part4 as (insert into audit (id, actor_id, actor_role, action, entity_type, entity_id, reason, metadata, ip, request_id,
            created_at)
        select ids[12], customer, 'CUSTOMER', 'offer.accept', 'offer', offer, null, '{"escrow" : "449.00 USD"}', '127.0.0.1',
            md5(offer::text), at from deal),
    part5 as (insert into tasks (id, kind, payload, run_at, attempts, created_at)
        select ids[13], 'booking.lapse', json_build_object('booking', ids[3], 'version', 1)::text, at + 6480000000, 0, at
        from deal),
    heads as (insert into streams (name, head) select unnest(streams), unnest(counts) from deal
        on conflict (name) do update set head = streams.head + excluded.head returning name as stream, head)
    select array_agg(stream order by stream) as streams, array_agg(head order by stream) as heads from heads \gset
insert into events (stream, seq, id, noun, kind, object_id, subject_id, version, facts, actor_id, actor_role, request_id,
        occurred_at)
    select e.stream, h.head - e.back, d.ids[13 + e.place], 'offer', 'OfferStatusChanged', d.offer, d.offer, 2,
        '{"from" : "PENDING", "to" : "ACCEPTED"}', d.customer, 'CUSTOMER', md5(d.offer::text), d.at
    from bench.deals d, unnest(d.event_streams, d.backs) with ordinality as e (stream, back, place)
        join unnest(:streams::text[], :heads::bigint[]) as h (stream, head) on h.stream = e.stream
    where d.n = :n;
commit;
