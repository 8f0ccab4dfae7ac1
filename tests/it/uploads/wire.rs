//! The addresses of this server that files go through.

use std::time::{Duration, Instant};

use gigwire::kernel::clock::MINUTE;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{bring, complete, create, put, upload};
use crate::support::app::TestApp;
use crate::support::pictures::png;

/// Puts as a client that obeys nothing.
async fn put_raw(url: &str, mime: &str, body: impl Into<reqwest::Body>) -> StatusCode {
    Client::new().put(url).header("content-type", mime).body(body).send().await.unwrap().status()
}

/// Puts chunks of these sizes, and gives the status of the answer, which may come before the last of them.
async fn put_chunked(url: &str, sizes: impl Iterator<Item = usize> + Send + 'static) -> u16 {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let (reader, mut writer) = TcpStream::connect(host).await.unwrap().into_split();
    let head = format!(
        "PUT /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let writing = tokio::spawn(async move {
        writer.write_all(head.as_bytes()).await?;
        for size in sizes {
            let chunk = format!("{size:x}\r\n{}\r\n", "7".repeat(size));
            writer.write_all(chunk.as_bytes()).await?;
        }
        writer.write_all(b"0\r\n\r\n").await?;
        std::future::pending::<std::io::Result<()>>().await
    });
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).await.unwrap();
    writing.abort();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

async fn announced(app: &TestApp, size: usize) -> (Value, String) {
    let ada = app.sign_up(&[]).await;
    let upload = create(app, &ada, "PROFILE_IMAGE", "image/png", size).await.ok()["upload"].take();
    let url = upload["url"].as_str().unwrap().to_owned();
    (upload, url)
}

fn in_the_folder(app: &TestApp) -> usize {
    let root = app.server.platform.config.app.data_dir.join("uploads");
    let count = |room: &str| std::fs::read_dir(root.join(room)).map_or(0, |files| files.count());
    ["incoming", "growing", "public", "private"].map(count).into_iter().sum()
}

#[tokio::test]
async fn too_much_is_refused_by_its_length_and_while_it_arrives() {
    let app = TestApp::sqlite().await;
    let (_, url) = announced(&app, 100).await;
    assert_eq!(put_raw(&url, "image/png", vec![0; 101]).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(put_raw(&url, "image/png", vec![0; 99]).await, StatusCode::BAD_REQUEST);
    // Chunked: no length is told, and it would never end.
    let begun = Instant::now();
    assert_eq!(put_chunked(&url, std::iter::repeat(64)).await, 413);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(put_chunked(&url, [64].into_iter()).await, 400);
    assert_eq!(in_the_folder(&app), 0, "nothing of it stays");
    assert_eq!(put_chunked(&url, [60, 40].into_iter()).await, 200);
    assert_eq!(in_the_folder(&app), 1);
}

#[tokio::test]
async fn addresses_end_and_cannot_be_made_up() {
    let app = TestApp::sqlite().await;
    let (upload, url) = announced(&app, 5).await;
    assert_eq!(put_raw(&url, "text/html", "12345").await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for forged in [
        url.replace("size=5", "size=6"),
        url.replace("image%2Fpng", "text%2Fhtml"),
        url.replace("until=1", "until=2"),
        url.replace("signature=", "signature=00"),
        url.split("&signature").next().unwrap().to_owned(),
        url.split('?').next().unwrap().to_owned(),
    ] {
        assert_ne!(forged, url);
        assert_eq!(put_raw(&forged, "image/png", "12345").await, StatusCode::FORBIDDEN, "{forged}");
    }
    assert_eq!(upload["expiresAt"].as_str().map(str::len), Some("2026-01-01T00:00:00.000Z".len()));
    app.clock.advance(5 * MINUTE + 1);
    assert_eq!(put_raw(&url, "image/png", "12345").await, StatusCode::FORBIDDEN);
    assert_eq!(in_the_folder(&app), 0);
}

#[tokio::test]
async fn paths_lead_nowhere_else() {
    let app = TestApp::sqlite().await;
    let (_, url) = announced(&app, 5).await;
    let query = url.split('?').nth(1).unwrap();
    let digits = "0".repeat(32);
    for path in [
        "..%2f..%2fgigwire.db".to_owned(),
        "%2e%2e/%2e%2e/gigwire.db".to_owned(),
        "public/..%2f..%2fgigwire.db".to_owned(),
        "public/%2fetc%2fpasswd".to_owned(),
        format!("public/{digits}.png%00"),
        format!("public/{digits}.html"),
        format!("growing/{digits}"),
        format!("incoming/{digits}/../../x"),
    ] {
        for method in [Method::GET, Method::PUT] {
            let request = app.request(method.clone(), &format!("/files/{path}?{query}"));
            let status = request.header("content-type", "image/png").body("12345").send().await.unwrap().status();
            assert!([403, 404].contains(&status.as_u16()), "{method} {path}: {status}");
        }
    }
    assert_eq!(in_the_folder(&app), 0);
}

#[tokio::test]
async fn what_is_not_checked_is_shown_to_nobody() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&[]).await;
    let waiting = bring(&app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let url = waiting["url"].as_str().unwrap();
    let bare = url.split('?').next().unwrap();
    for url in [url, bare] {
        assert_eq!(reqwest::get(url).await.unwrap().status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn files_are_served_so_that_nothing_in_them_runs() {
    let app = TestApp::sqlite().await;
    let ada = app.sign_up(&[]).await;
    let file = upload(&app, &ada, "PROFILE_IMAGE", "image/png", png()).await;
    let url = file["url"].as_str().unwrap();
    assert!(url.starts_with(&app.url("/files/public/")) && url.ends_with(".png"), "{url}");
    for method in [Method::GET, Method::HEAD] {
        let answer = Client::new().request(method.clone(), url).send().await.unwrap();
        let head = |name: &str| answer.headers()[name].to_str().unwrap();
        assert_eq!(head("x-content-type-options"), "nosniff");
        assert!(head("content-security-policy").contains("sandbox") && head("cache-control").contains("immutable"));
        assert_eq!((head("content-type"), head("content-disposition")), ("image/png", "inline"));
        assert_eq!(head("cross-origin-resource-policy"), "cross-origin", "pages of other origins show it");
        assert_eq!(head("content-length"), file["size"].to_string());
        assert_eq!(answer.bytes().await.unwrap().is_empty(), method == Method::HEAD);
    }
}

#[tokio::test]
async fn pages_of_known_origins_may_put() {
    let app = TestApp::sqlite().await;
    let (_, url) = announced(&app, 5).await;
    for (origin, may) in [("http://localhost:3000", true), ("https://evil.test", false)] {
        let ask = Client::new().request(Method::OPTIONS, &url).header("origin", origin);
        let ask = ask.header("access-control-request-method", "PUT");
        let answer = ask.header("access-control-request-headers", "content-type").send().await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(allowed, may.then_some(origin));
        if may {
            let head = |name: &str| answer.headers()[name].to_str().unwrap().to_ascii_uppercase();
            assert!(head("access-control-allow-methods").contains("PUT"));
            assert!(head("access-control-allow-headers").contains("CONTENT-TYPE"));
        }
    }
}

#[tokio::test]
async fn addresses_are_those_that_clients_use() {
    let app = TestApp::sqlite_with(|config| {
        config.server.public_url = "https://api.example.org/".to_owned();
        config.storage.public_base_url = "https://cdn.example.org/img/".to_owned();
    })
    .await;
    let ada = app.sign_up(&[]).await;
    let made = create(&app, &ada, "PROFILE_IMAGE", "image/png", png().len()).await.ok()["upload"].take();
    let url = made["url"].as_str().unwrap();
    let path = url.strip_prefix("https://api.example.org/files/incoming/").unwrap();
    let here =
        json!({ "url": app.url(&format!("/files/incoming/{path}")), "method": "PUT", "headers": made["headers"] });
    assert_eq!(put(&here, png()).await, StatusCode::OK);
    let file = complete(&app, &ada, &made).await.ok()["file"].take();
    assert!(file["url"].as_str().unwrap().starts_with("https://cdn.example.org/img/public/"), "{file}");
    let made = create(&app, &ada, "CHAT_ATTACHMENT", "application/pdf", 5).await.ok()["upload"].take();
    assert!(made["url"].as_str().unwrap().starts_with("https://api.example.org/files/incoming/"), "{made}");
}
