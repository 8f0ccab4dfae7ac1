-- Fills the peers' tables with gigwire's rows. gigwire keeps roles as bits and times as milliseconds.
insert into peer.users (id, name, role)
select id, display_name, case when roles & 12 > 0 then 'ADMIN' when roles & 1 > 0 then 'CUSTOMER' else 'CONTRACTOR' end
from public.users;

insert into peer.jobs (id, title, description, budget, currency, status, customer_id, created_at)
select id, title, description, budget, currency, status, customer_id, to_timestamp(created_at / 1000.0)
from public.jobs;

insert into peer.offers (id, job_id, contractor_id, amount, message, status, created_at)
select id, job_id, contractor_id, amount, message, status, to_timestamp(created_at / 1000.0)
from public.offers;

-- gigwire sorts the pair by id; the customer is whoever has that role.
insert into peer.conversations (id, customer_id, contractor_id, last_number, last_at)
select c.id,
    case when a.roles & 1 > 0 then c.user_a else c.user_b end,
    case when a.roles & 1 > 0 then c.user_b else c.user_a end,
    c.last_number, to_timestamp(c.active_at / 1000.0)
from public.conversations c join public.users a on a.id = c.user_a;

insert into peer.messages (id, conversation_id, number, sender_id, content, created_at)
select id, conversation_id, number, sender_id, content, to_timestamp(created_at / 1000.0)
from public.messages;

insert into peer.announcements (id, title, body, created_at)
select id, title, body, to_timestamp(created_at / 1000.0)
from public.announcements;

analyze peer.users, peer.jobs, peer.offers, peer.conversations, peer.messages, peer.announcements;
