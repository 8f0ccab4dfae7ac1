-- What this database is: its epoch and the secrets of a development profile.
create table meta (
    name text primary key not null,
    value text not null
);
