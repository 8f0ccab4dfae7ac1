-- The bookings of a job, also of one whose first booking was given up: the unique index knows only those that were not.
create index bookings_of_job on bookings (job_id, created_at, id);
