-- What is forgotten after a while is found by its age.
create index idempotency_by_age on idempotency (created_at);
create index tasks_ended on tasks (ended_at) where ended_at is not null;
