//! Uploads through the API: three steps, on both engines, and on a folder and on S3.

mod profile;
mod removing;
mod wire;

use image::ImageFormat;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{ANONYMOUS, Instance, TestApp, TestUser, on_both_engines};
use crate::support::market::{Done, id_of};
use crate::support::pictures::{bomb, pdf, photo, picture, png};
use crate::support::s3::Store;

on_both_engines! {
    a_picture_comes_in_in_three_steps,
    a_photo_loses_its_note_and_stands_upright,
    what_is_announced_is_checked,
    what_lies_is_refused_for_good,
    too_many_pixels_are_not_decoded,
    nothing_was_put,
    uploads_of_others_are_not_found,
    completing_again_answers_the_same,
    racing_completes_agree,
    private_files_open_by_signed_links_of_their_owner,
}

/// Announces a file.
pub async fn create(app: &Instance, who: &TestUser, purpose: &str, mime: &str, size: usize) -> Done {
    let input = json!({ "purpose": purpose, "fileName": "my file", "contentType": mime, "size": size });
    app.act(who, "uploadCreate", input).await
}

/// Puts bytes where an announced upload wants them.
pub async fn put(upload: &Value, bytes: Vec<u8>) -> StatusCode {
    assert_eq!(upload["method"], "PUT");
    let mut request = reqwest::Client::new().put(upload["url"].as_str().unwrap()).body(bytes);
    for header in upload["headers"].as_array().unwrap() {
        request = request.header(header["name"].as_str().unwrap(), header["value"].as_str().unwrap());
    }
    request.send().await.unwrap().status()
}

/// Completes an upload.
pub async fn complete(app: &Instance, who: &TestUser, upload: &Value) -> Done {
    app.act(who, "uploadComplete", json!({ "uploadId": upload["id"] })).await
}

/// Announces and puts.
pub async fn bring(app: &Instance, who: &TestUser, purpose: &str, mime: &str, bytes: Vec<u8>) -> Value {
    let upload = create(app, who, purpose, mime, bytes.len()).await.ok()["upload"].take();
    assert_eq!(put(&upload, bytes).await, StatusCode::OK);
    upload
}

/// All three steps.
pub async fn upload(app: &Instance, who: &TestUser, purpose: &str, mime: &str, bytes: Vec<u8>) -> Value {
    let upload = bring(app, who, purpose, mime, bytes).await;
    complete(app, who, &upload).await.ok()["file"].take()
}

/// What an address gives to somebody without a token.
pub async fn fetch(url: &Value) -> reqwest::Response {
    reqwest::get(url.as_str().unwrap()).await.unwrap()
}

async fn a_picture_comes_in_in_three_steps(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    for (mime, format) in
        [("image/png", ImageFormat::Png), ("image/jpeg", ImageFormat::Jpeg), ("image/webp", ImageFormat::WebP)]
    {
        let file = upload(app, &ada, "PROFILE_IMAGE", mime, picture(format, 8, 6)).await;
        assert_eq!(
            (&file["width"], &file["height"], &file["purpose"]),
            (&json!(8), &json!(6), &json!("PROFILE_IMAGE"))
        );
        let answer = fetch(&file["url"]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], file["contentType"].as_str().unwrap());
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(file["size"], bytes.len());
        let shown = image::load_from_memory(&bytes).unwrap();
        assert_eq!((shown.width(), shown.height()), (8, 6));
        let text = "query ($id: ID!) { node(id: $id) { ... on File { url createdAt fileName } } }";
        let found = app.gql(ANONYMOUS, text, json!({ "id": file["id"] })).await;
        assert_eq!(found["data"]["node"]["url"], file["url"], "{found}");
        assert!(found["data"]["node"]["fileName"].is_null() && file["fileName"] == "my file", "{found}");
    }
}

async fn a_photo_loses_its_note_and_stands_upright(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let bytes = photo(8, 6);
    let contains = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(contains(&bytes, b"secret-place"));
    let file = upload(app, &ada, "PROFILE_IMAGE", "image/jpeg", bytes).await;
    assert_eq!((&file["width"], &file["height"]), (&json!(6), &json!(8)), "turned by 90 degrees");
    let shown = fetch(&file["url"]).await.bytes().await.unwrap();
    assert!(!contains(&shown, b"secret-place") && !contains(&shown, b"Exif"));
}

async fn what_is_announced_is_checked(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let announce = async |purpose, mime, size| create(app, &ada, purpose, mime, size).await;
    for mime in ["image/svg+xml", "text/html", "application/x-msdownload", "application/pdf", "nonsense"] {
        announce("PROFILE_IMAGE", mime, 10).await.refused_at("TYPE_NOT_ALLOWED", &["contentType"]);
    }
    announce("PROFILE_IMAGE", "image/png", 5 * 1024 * 1024 + 1).await.refused_at("FILE_TOO_LARGE", &["size"]);
    // The purpose would take 25 MiB, the server takes 10.
    announce("CHAT_ATTACHMENT", "image/png", 10 * 1024 * 1024 + 1).await.refused_at("FILE_TOO_LARGE", &["size"]);
    announce("PROFILE_IMAGE", "image/png", 0).await.refused_at("INVALID", &["size"]);
    let text = "mutation { uploadCreate(input: { purpose: PROFILE_IMAGE, contentType: \"image/png\", size: 1 }) {
        upload { id } } }";
    let answer = app.gql(ANONYMOUS, text, json!({})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

async fn what_lies_is_refused_for_good(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let broken = png()[..60].to_vec();
    let cases: [(&str, &str, Vec<u8>, &str); 6] = [
        ("PROFILE_IMAGE", "image/png", picture(ImageFormat::Jpeg, 8, 6), "TYPE_MISMATCH"),
        ("PROFILE_IMAGE", "image/jpeg", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "TYPE_MISMATCH"),
        ("CHAT_ATTACHMENT", "application/pdf", b"<!DOCTYPE html><script>alert(1)</script>".to_vec(), "TYPE_MISMATCH"),
        ("CHAT_ATTACHMENT", "application/pdf", b"MZ\x90\0 a program".to_vec(), "TYPE_MISMATCH"),
        ("CHAT_ATTACHMENT", "image/png", pdf(), "TYPE_MISMATCH"),
        ("PROFILE_IMAGE", "image/png", broken, "IMAGE_UNREADABLE"),
    ];
    for (purpose, mime, bytes, code) in cases {
        let lie = bring(app, &ada, purpose, mime, bytes).await;
        complete(app, &ada, &lie).await.refused_at(code, &["uploadId"]);
        // What is put afterwards changes nothing.
        put(&lie, vec![0; 3]).await;
        complete(app, &ada, &lie).await.refused(code);
    }
}

async fn too_many_pixels_are_not_decoded(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    for (width, height) in [(40_000, 40_000), (8_001, 1), (1, 8_001), (6_400, 6_400)] {
        let begun = std::time::Instant::now();
        let huge = bring(app, &ada, "COVER_IMAGE", "image/png", bomb(width, height)).await;
        complete(app, &ada, &huge).await.refused("IMAGE_TOO_LARGE");
        assert!(begun.elapsed().as_secs() < 5, "{width} x {height} took {:?}", begun.elapsed());
    }
}

async fn nothing_was_put(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let made = create(app, &ada, "PROFILE_IMAGE", "image/png", png().len()).await.ok()["upload"].take();
    for _ in 0..2 {
        complete(app, &ada, &made).await.refused_at("UPLOAD_MISSING", &["uploadId"]);
    }
    assert_eq!(put(&made, png()).await, StatusCode::OK);
    complete(app, &ada, &made).await.ok();
}

async fn uploads_of_others_are_not_found(app: &TestApp) {
    let (ada, eve) = (app.sign_up(&[]).await, app.sign_up(&[]).await);
    let made = bring(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    complete(app, &eve, &made).await.refused_at("NOT_FOUND", &["uploadId"]);
    complete(app, &ada, &made).await.ok();
    complete(app, &eve, &made).await.refused("NOT_FOUND");
    app.act(&ada, "uploadComplete", json!({ "uploadId": ada.id })).await.refused("BAD_USER_INPUT");
}

async fn completing_again_answers_the_same(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let made = bring(app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let first = complete(app, &ada, &made).await.ok();
    // The address may be used once more until it ends: what is checked stays what it is.
    put(&made, vec![0; png().len()]).await;
    assert_eq!(complete(app, &ada, &made).await.ok(), first);
    assert!(image::load_from_memory(&fetch(&first["file"]["url"]).await.bytes().await.unwrap()).is_ok());
}

async fn racing_completes_agree(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let made = bring(app, &ada, "COVER_IMAGE", "image/png", picture(ImageFormat::Png, 300, 200)).await;
    let all = futures_util::future::join_all((0..8).map(|_| complete(app, &ada, &made))).await;
    let files: Vec<_> = all.into_iter().map(|done| done.ok()["file"].take()).collect();
    assert!(files.iter().all(|file| *file == files[0]), "{files:#?}");
    assert_eq!(fetch(&files[0]["url"]).await.status(), StatusCode::OK);
    assert_eq!(app.count("select count(*) as n from objects where remove_at is null").await, 1);
}

async fn private_files_open_by_signed_links_of_their_owner(app: &TestApp) {
    let (ada, eve) = (app.sign_up(&[]).await, app.sign_up(&[]).await);
    let file = upload(app, &ada, "CHAT_ATTACHMENT", "application/pdf", pdf()).await;
    assert!(file["width"].is_null(), "{file}");
    let answer = fetch(&file["url"]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"));
    assert_eq!(answer.bytes().await.unwrap(), pdf());
    let bare = json!(file["url"].as_str().unwrap().split('?').next().unwrap());
    assert_eq!(fetch(&bare).await.status(), StatusCode::FORBIDDEN);
    let text = "query ($id: ID!) { node(id: $id) { id } }";
    for who in [ANONYMOUS, Some(eve.token.as_str())] {
        assert!(app.gql(who, text, json!({ "id": file["id"] })).await["data"]["node"].is_null());
    }
    assert_eq!(app.gql(&ada, text, json!({ "id": file["id"] })).await["data"]["node"]["id"], file["id"]);
}

/// The cases that another store could break, through the API.
#[tokio::test]
async fn a_store_of_s3_serves_the_same() {
    let store = Store::start().await;
    let app = TestApp::sqlite_with(|config| store.configure(config)).await;
    a_picture_comes_in_in_three_steps(&app).await;
    a_photo_loses_its_note_and_stands_upright(&app).await;
    what_lies_is_refused_for_good(&app).await;
    nothing_was_put(&app).await;
    completing_again_answers_the_same(&app).await;
    racing_completes_agree_on_s3(&app).await;
    private_files_open_by_signed_links_of_their_owner(&app).await;
    profile::pictures_are_shown_to_everyone(&app).await;
    removing::what_is_not_finished_or_not_needed_goes(&app).await;
    let left = |room: &str| std::fs::read_dir(store.bucket().join(room)).map_or(0, |files| files.count());
    assert_eq!(left("incoming"), 0, "nothing stays where clients put");
}

#[tokio::test]
async fn a_store_of_s3_serves_postgres_too() {
    let store = Store::start().await;
    let app = TestApp::postgres_with(|config| store.configure(config)).await;
    let ada = app.sign_up(&[]).await;
    let file = upload(&app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    assert_eq!(fetch(&file["url"]).await.status(), StatusCode::OK);
    store.stop();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let made = create(&app, &ada, "PROFILE_IMAGE", "image/png", 10).await.ok()["upload"].take();
    complete(&app, &ada, &made).await.refused("SERVICE_UNAVAILABLE");
}

async fn racing_completes_agree_on_s3(app: &TestApp) {
    let ada = app.sign_up(&[]).await;
    let made = bring(app, &ada, "COVER_IMAGE", "image/png", png()).await;
    let all = futures_util::future::join_all((0..4).map(|_| complete(app, &ada, &made))).await;
    let files: Vec<_> = all.into_iter().map(|done| id_of(&done.ok(), "file")).collect();
    assert!(files.iter().all(|file| *file == files[0]), "{files:?}");
}
