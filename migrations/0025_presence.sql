-- Who does not want others to see whether it is there.
alter table users add column hides_presence boolean not null default false;
