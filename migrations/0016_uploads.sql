-- Uploads and what became of them, the objects in the store, and the pictures and the text of a profile.
-- What nobody needs has its remove_at: a task removes first the row, then the object.
create table uploads (
    id uuid primary key not null,
    owner_id uuid not null references users (id),
    purpose text not null,
    status text not null check (status in ('PENDING', 'READY', 'REFUSED')),
    -- Why it was refused.
    refusal text,
    file_name text,
    -- The object and its facts: those that the client announced, and once it is READY those that it has.
    object_key text not null,
    content_type text not null,
    size bigint not null check (size > 0),
    width bigint,
    height bigint,
    remove_at bigint,
    created_at bigint not null,
    updated_at bigint not null,
    version bigint not null,
    check ((status = 'REFUSED') = (refusal is not null))
);
create index uploads_to_remove on uploads (remove_at) where remove_at is not null;

-- Every object that was or may have been written. Its row is there before the object is, so that none is forgotten.
create table objects (
    object_key text primary key not null,
    remove_at bigint
);
create index objects_to_remove on objects (remove_at) where remove_at is not null;

alter table users add column bio text;
alter table users add column profile_image_id uuid references uploads (id);
alter table users add column cover_image_id uuid references uploads (id);
