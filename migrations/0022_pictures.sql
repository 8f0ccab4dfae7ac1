-- Pictures: an upload that is removed asks whose picture it is.
create index users_of_profile_image on users (profile_image_id) where profile_image_id is not null;
create index users_of_cover_image on users (cover_image_id) where cover_image_id is not null;
