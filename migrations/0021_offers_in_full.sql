-- Offers in full: jobs end in time, offers answer offers.
alter table jobs add column expires_at bigint not null default 0;
alter table jobs add column cancel_reason text;
-- 30 days, as the setting says unless somebody changed it.
update jobs set expires_at = created_at + 2592000000;
create index jobs_expiring on jobs (expires_at) where status = 'OPEN';

-- The offer that this one answers, and how many answers led to it.
alter table offers add column counter_to uuid references offers (id);
alter table offers add column round bigint not null default 0;
create unique index offers_countering on offers (counter_to) where counter_to is not null;
create index offers_by_amount on offers (job_id, amount, id);
create index offers_by_end on offers (job_id, expires_at, id);
update offers set decline_reason = 'DECLINED' where status = 'DECLINED' and decline_reason is null;
update offers set expires_at = (select j.expires_at from jobs j where j.id = offers.job_id)
    where status = 'PENDING' and expires_at > (select j.expires_at from jobs j where j.id = offers.job_id);
