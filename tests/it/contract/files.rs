//! What every store of files promises: each case runs on the folder and on a real S3-compatible store.

use std::path::Path;
use std::sync::Arc;

use gigwire::kernel::{Clock, Timestamp};
use gigwire::platform::files::{Files, Key, LINK_MS, Link, Media, Put};
use gigwire::platform::host;
use reqwest::{Client, Method, StatusCode};
use uuid::Uuid;

use crate::support::app::TestApp;
use crate::support::s3::Store;

/// A store, and the server that speaks for it if it cannot itself.
struct Bench {
    app: TestApp,
    store: Option<Store>,
    http: Client,
    clock: Clock,
}

impl Bench {
    async fn folder() -> Self {
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Bench { app: TestApp::sqlite().await, store: None, http, clock: host::clock() }
    }

    async fn s3() -> Self {
        let store = Store::start().await;
        let app = TestApp::sqlite_with(|config| store.configure(config)).await;
        Bench { app, store: Some(store), ..Bench::folder().await }
    }

    fn files(&self) -> &Arc<dyn Files> {
        &self.app.server.platform.files
    }

    fn until(&self) -> Timestamp {
        self.clock.now().plus(LINK_MS)
    }

    fn whole(&self, url: &str) -> String {
        if url.starts_with('/') { self.app.url(url) } else { url.to_owned() }
    }

    /// Puts at a signed address.
    async fn put(&self, key: &Key, put: &Put, change: impl Fn(String) -> String, body: Vec<u8>) -> StatusCode {
        let signed = self.files().sign_put(key, put).await.unwrap();
        let mut request = self.http.put(change(self.whole(&signed.url))).body(body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        // A store that hangs up on too many bytes may be gone before its answer is read.
        request.send().await.map_or(StatusCode::BAD_REQUEST, |answer| answer.status())
    }

    fn a_put(&self, size: u64) -> Put {
        Put { media: Media::Png, size, until: self.until() }
    }
}

fn incoming() -> Key {
    Key::incoming(Uuid::new_v4())
}

fn kept(is_public: bool) -> Key {
    Key::stored(is_public, Uuid::new_v4(), Media::Pdf)
}

macro_rules! on_both_stores {
    ($($case:ident),* $(,)?) => {
        mod folder {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(super::Bench::folder().await).await;
                }
            )*
        }
        mod s3 {
            $(
                #[tokio::test]
                async fn $case() {
                    super::$case(super::Bench::s3().await).await;
                }
            )*
        }
    };
}

on_both_stores! {
    what_is_written_is_read,
    what_is_not_there_is_nothing,
    a_copy_stands_alone,
    a_signed_put_stores_exactly_what_was_announced,
    a_put_that_differs_stores_nothing,
    an_address_ends,
    a_forged_address_opens_nothing,
    a_signed_link_opens_one_object,
}

async fn what_is_written_is_read(bench: Bench) {
    for key in [incoming(), kept(true), kept(false)] {
        for bytes in [b"first".to_vec(), vec![7; 300_000]] {
            bench.files().write(&key, bytes.clone()).await.unwrap();
            assert_eq!(bench.files().head(&key).await.unwrap(), Some(bytes.len() as u64));
            assert_eq!(bench.files().read(&key, 1_000_000).await.unwrap(), Some(bytes.clone()));
            assert_eq!(bench.files().read(&key, 3).await.unwrap(), Some(bytes[..3].to_vec()));
        }
        bench.files().delete(&key).await.unwrap();
        assert_eq!(bench.files().head(&key).await.unwrap(), None);
    }
}

async fn what_is_not_there_is_nothing(bench: Bench) {
    let key = kept(false);
    assert_eq!(bench.files().head(&key).await.unwrap(), None);
    assert_eq!(bench.files().read(&key, 10).await.unwrap(), None);
    assert!(!bench.files().copy(&key, &kept(false)).await.unwrap());
    bench.files().delete(&key).await.unwrap();
    let link = bench.files().sign_get(&key, &Link { name: None, until: bench.until() }).await.unwrap();
    assert_eq!(bench.http.get(bench.whole(&link)).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

async fn a_copy_stands_alone(bench: Bench) {
    let (from, to) = (incoming(), kept(true));
    bench.files().write(&from, b"one".to_vec()).await.unwrap();
    assert!(bench.files().copy(&from, &to).await.unwrap());
    bench.files().write(&from, b"two".to_vec()).await.unwrap();
    assert_eq!(bench.files().read(&to, 10).await.unwrap(), Some(b"one".to_vec()));
    bench.files().delete(&from).await.unwrap();
    assert_eq!(bench.files().head(&to).await.unwrap(), Some(3));
}

async fn a_signed_put_stores_exactly_what_was_announced(bench: Bench) {
    let key = incoming();
    let put = bench.a_put(5);
    // Over and over: a client whose answer was lost does it again.
    for body in [b"first", b"again"] {
        assert_eq!(bench.put(&key, &put, |url| url, body.to_vec()).await, StatusCode::OK);
        assert_eq!(bench.files().read(&key, 10).await.unwrap(), Some(body.to_vec()));
    }
}

async fn a_put_that_differs_stores_nothing(bench: Bench) {
    let key = incoming();
    for body in [b"four".to_vec(), b"sixsix".to_vec(), vec![0; 2_000_000], Vec::new()] {
        let length = body.len();
        let status = bench.put(&key, &bench.a_put(5), |url| url, body).await;
        assert!(status.is_client_error(), "{length} bytes: {status}");
        assert_eq!(bench.files().head(&key).await.unwrap(), None, "{length} bytes");
    }
    let signed = bench.files().sign_put(&key, &bench.a_put(5)).await.unwrap();
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let request = bench.http.request(method.clone(), bench.whole(&signed.url));
        let status = request.header("content-type", "image/png").body("12345").send().await.unwrap().status();
        assert!(status.is_client_error(), "{method}: {status}");
    }
    for mime in [None, Some("text/html")] {
        let mut request = bench.http.put(bench.whole(&signed.url)).body("12345");
        if let Some(mime) = mime {
            request = request.header("content-type", mime);
        }
        let status = request.send().await.unwrap().status();
        assert!(status.is_client_error(), "{mime:?}: {status}");
    }
    assert_eq!(bench.files().head(&key).await.unwrap(), None);
}

async fn an_address_ends(bench: Bench) {
    let (key, over) = (incoming(), bench.clock.now().plus(-1_000));
    let put = Put { until: over, ..bench.a_put(5) };
    assert_eq!(bench.put(&key, &put, |url| url, b"12345".to_vec()).await, StatusCode::FORBIDDEN);
    assert_eq!(bench.files().head(&key).await.unwrap(), None);
    let key = kept(false);
    bench.files().write(&key, b"secret".to_vec()).await.unwrap();
    let link = bench.files().sign_get(&key, &Link { name: None, until: over }).await.unwrap();
    assert_eq!(bench.http.get(bench.whole(&link)).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

async fn a_forged_address_opens_nothing(bench: Bench) {
    let (key, other) = (incoming(), incoming());
    let swap = |url: String| url.replace(key.as_str(), other.as_str());
    let bare = |url: String| url.split('?').next().unwrap().to_owned();
    let late = |url: String| url.replace("until=1", "until=2").replace("X-Amz-Expires=3", "X-Amz-Expires=4");
    let forge = |url: String| {
        let (start, signature) = url.split_once("ignature=").unwrap();
        let flipped = if signature.starts_with('0') { "1" } else { "0" };
        format!("{start}ignature={flipped}{}", &signature[1..])
    };
    for status in [
        bench.put(&key, &bench.a_put(5), swap, b"12345".to_vec()).await,
        bench.put(&key, &bench.a_put(5), bare, b"12345".to_vec()).await,
        bench.put(&key, &bench.a_put(5), late, b"12345".to_vec()).await,
        bench.put(&key, &bench.a_put(5), forge, b"12345".to_vec()).await,
    ] {
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    for key in [key, other] {
        assert_eq!(bench.files().head(&key).await.unwrap(), None);
    }
}

async fn a_signed_link_opens_one_object(bench: Bench) {
    let (key, other) = (kept(false), kept(false));
    for key in [&key, &other] {
        bench.files().write(key, b"%PDF-1.4 plan".to_vec()).await.unwrap();
    }
    let link = Link { name: Some("the plan.pdf".to_owned()), until: bench.until() };
    let url = bench.whole(&bench.files().sign_get(&key, &link).await.unwrap());
    let answer = bench.http.get(&url).send().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"application/pdf".parse().unwrap())
    );
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment"), "{answer:?}");
    assert_eq!(answer.bytes().await.unwrap(), "%PDF-1.4 plan");
    for forged in [url.replace(key.as_str(), other.as_str()), url.split('?').next().unwrap().to_owned()] {
        assert_eq!(bench.http.get(forged).send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }
    assert!(bench.http.put(&url).body("new").send().await.unwrap().status().is_client_error());
    assert_eq!(bench.files().read(&key, 4).await.unwrap(), Some(b"%PDF".to_vec()));
}

#[tokio::test]
async fn a_store_that_is_away_says_so() {
    let bench = Bench::s3().await;
    bench.store.as_ref().unwrap().stop();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let refused = bench.files().head(&incoming()).await.unwrap_err();
    assert_eq!((refused.code.name(), refused.code.retryable()), ("SERVICE_UNAVAILABLE", true));
    assert!(!refused.message.contains("127.0.0.1"), "{refused}");
}

#[tokio::test]
async fn a_folder_forgets_what_never_became_whole() {
    let bench = Bench::folder().await;
    let folder = bench.app.server.platform.folder.clone().unwrap();
    let key = incoming();
    folder.tidy(bench.clock.now()).await.unwrap();
    let broken = futures_util::stream::iter([Ok(b"12".to_vec()), Err(())]);
    folder.receive(&key, 5, broken).await.unwrap();
    let growing = bench.app.server.platform.config.app.data_dir.join("uploads/growing");
    let count = |folder: &Path| std::fs::read_dir(folder).unwrap().count();
    assert_eq!((count(&growing), bench.files().head(&key).await.unwrap()), (0, None), "nothing stays behind");
    std::fs::write(growing.join("left by a crash"), "half").unwrap();
    folder.tidy(bench.clock.now().plus(-60_000)).await.unwrap();
    assert_eq!(count(&growing), 1, "it may still grow");
    folder.tidy(bench.clock.now().plus(60_000)).await.unwrap();
    assert_eq!(count(&growing), 0);
}
