-- When work takes place: an offer may name it, and the booking that it becomes keeps it. Rows from before name no time.
alter table offers add column starts_at bigint;
alter table offers add column ends_at bigint
    check ((starts_at is null) = (ends_at is null) and (ends_at is null or ends_at > starts_at));
alter table bookings add column starts_at bigint;
alter table bookings add column ends_at bigint
    check ((starts_at is null) = (ends_at is null) and (ends_at is null or ends_at > starts_at));
