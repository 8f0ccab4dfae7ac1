-- Figures for staff: what is counted again and again while somebody looks has an index of its own.
create index payments_ended on payments (status, updated_at) where status <> 'PENDING';
create index tasks_given_up on tasks (ended_at) where outcome = 'FAILED';
