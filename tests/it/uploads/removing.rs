//! What nothing needs goes, after its time, with its object.

use gigwire::kernel::clock::HOUR;
use gigwire::kernel::id::TypedId;
use gigwire::kernel::id::{FileId, UploadId};
use gigwire::platform::db::q;
use gigwire::platform::files::{Key, Media};
use serde_json::{Value, json};

use super::{bring, complete, create, upload};
use crate::support::app::{TestApp, TestUser, on_both_engines};
use crate::support::market::uuid;
use crate::support::pictures::png;
use gigwire::features::uploads::commands::remove_unneeded;
use gigwire::kernel::Caller;

on_both_engines! {
    what_is_not_finished_or_not_needed_goes,
    a_replaced_picture_goes,
    who_dies_half_way_is_followed,
}

async fn remove(app: &TestApp) {
    remove_unneeded(&app.server.platform, &Caller::system("test")).await.unwrap();
}

async fn sign_in_again(app: &TestApp, user: &TestUser) -> TestUser {
    app.sign_in(&user.email, crate::support::app::PASSWORD).await
}

fn incoming(upload: &Value) -> Key {
    Key::incoming(uuid::<UploadId>(upload["id"].as_str().unwrap()).uuid())
}

async fn object(app: &TestApp, file: &Value) -> Option<Key> {
    let id: FileId = uuid(file["id"].as_str().unwrap());
    let rows = q("select object_key as value from uploads where id = $1").bind(id.uuid());
    let key: Option<String> = rows.optional(&app.server.platform.db).await.unwrap();
    key.and_then(|key| Key::parse(&key))
}

pub async fn what_is_not_finished_or_not_needed_goes(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let files = &app.server.platform.files;
    let announced = create(app, &ada, "PROFILE_IMAGE", "image/png", 10).await.ok()["upload"].take();
    let put = bring(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let unneeded = upload(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let shown = upload(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    app.act(&ada, "profileUpdate", json!({ "profileImageId": shown["id"] })).await.ok();
    let (gone, kept) = (object(app, &unneeded).await.unwrap(), object(app, &shown).await.unwrap());
    app.clock.advance(23 * HOUR);
    remove(app).await;
    assert!(files.head(&gone).await.unwrap().is_some() && files.head(&incoming(&put)).await.unwrap().is_some());
    app.clock.advance(2 * HOUR);
    remove(app).await;
    for key in [&gone, &incoming(&put), &incoming(&announced)] {
        assert_eq!(files.head(key).await.unwrap(), None, "{key}");
    }
    assert!(object(app, &unneeded).await.is_none(), "the row goes as well");
    assert!(files.head(&kept).await.unwrap().is_some() && object(app, &shown).await.is_some());
    let ada = sign_in_again(app, &ada).await;
    complete(app, &ada, &put).await.refused("NOT_FOUND");
    app.act(&ada, "profileUpdate", json!({ "profileImageId": unneeded["id"] })).await.refused("NOT_FOUND");
    assert_eq!(app.count("select count(*) as n from objects where remove_at is not null").await, 0);
}

async fn a_replaced_picture_goes(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let files = &app.server.platform.files;
    let first = upload(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    app.act(&ada, "profileUpdate", json!({ "profileImageId": first["id"] })).await.ok();
    app.clock.advance(48 * HOUR);
    remove(app).await;
    let old = object(app, &first).await.unwrap();
    assert!(files.head(&old).await.unwrap().is_some());
    let ada = sign_in_again(app, &ada).await;
    let second = upload(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    app.act(&ada, "profileUpdate", json!({ "profileImageId": second["id"] })).await.ok();
    app.clock.advance(25 * HOUR);
    app.work();
    crate::support::app::eventually("the task removes it", async || files.head(&old).await.unwrap().is_none()).await;
    assert!(object(app, &first).await.is_none() && object(app, &second).await.is_some());
}

async fn who_dies_half_way_is_followed(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let platform = &app.server.platform;
    // As if it had died behind the note of an object, and behind the object.
    let (noted, written) =
        (Key::stored(true, platform.ids.uuid(), Media::Png), Key::stored(true, platform.ids.uuid(), Media::Png));
    platform.files.write(&written, png()).await.unwrap();
    let mut tx = platform.db.begin().await.unwrap();
    for key in [&noted, &written] {
        let note = q("insert into objects (object_key, remove_at) values ($1, 1)").bind(key.as_str());
        note.execute(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    // As if it had died behind the row, before the object.
    let file = upload(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let key = object(app, &file).await.unwrap();
    app.clock.advance(25 * HOUR);
    platform.files.delete(&key).await.unwrap();
    remove(app).await;
    assert_eq!(platform.files.head(&written).await.unwrap(), None);
    assert_eq!(app.count("select count(*) as n from objects").await, 0);
    assert_eq!(app.count("select count(*) as n from uploads").await, 0);
}
