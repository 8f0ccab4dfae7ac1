//! The playground: GraphiQL, embedded in the binary, for a browser that opens `/graphql`.
//!
//! The page and its assets come from `dist`, which `scripts/playground` builds from `web`. Nothing is loaded from
//! another host, so it works without internet and under a strict content security policy.
//!
//! To add a tab: a document in `web/src/flow` and its line in the `index.ts` there, then `scripts/playground`.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};
use serde_json::json;

/// Where [`asset`] is to be mounted: the pages in `dist` name this path.
pub const PREFIX: &str = "/playground/";

/// Everything from this origin. GraphiQL's menus and dialogs add style elements while they are open, hence
/// `unsafe-inline` for styles, and only for them; its icon is a `data:` URL. The only inline script is JSON, which
/// browsers never execute. Images named in descriptions or answers are not fetched from elsewhere.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The place in `index.html` for what the page has to know.
const CONFIG_MARKER: &str = "__GIGWIRE_CONFIG__";

#[derive(Embed)]
#[folder = "src/server/playground/dist/"]
struct Dist;

/// The page. With `dev` it offers throw-away users.
///
/// It shares its address with the API, so caches must look at `Accept`.
pub fn page(dev: bool) -> Response {
    let Some(file) = Dist::get("index.html") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let config = json!({ "dev": dev, "endpoint": "/graphql", "subscriptions": "/graphql/ws" }).to_string();
    let html = String::from_utf8_lossy(&file.data).replace(CONFIG_MARKER, &config);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::VARY, "accept"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, html).into_response()
}

/// A file below [`PREFIX`], by its path without the prefix; `request` says what the browser has already.
///
/// Names below `assets/` hold a hash of their content and never change. The page itself is not one of these files: only
/// [`page`] can fill it in.
pub fn asset(path: &str, request: &HeaderMap) -> Response {
    let Some((file, content_type)) = content_type(path).and_then(|kind| Some((Dist::get(path)?, kind))) else {
        return (StatusCode::NOT_FOUND, [(header::X_CONTENT_TYPE_OPTIONS, "nosniff")]).into_response();
    };
    let etag = etag(&file);
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, &etag));
    let (status, body) = match known {
        true => (StatusCode::NOT_MODIFIED, Body::empty()),
        false => (StatusCode::OK, body(file)),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, &etag),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, body).into_response()
}

/// The kinds of files that are served; whatever else may lie in `dist` is not.
fn content_type(path: &str) -> Option<&'static str> {
    match path.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// Half of the content's SHA-256: enough to tell two builds apart.
fn etag(file: &EmbeddedFile) -> String {
    let hex: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether an `If-None-Match` list names `etag`. A proxy that compresses turns it into a weak one, which counts too.
fn matches(tags: &HeaderValue, etag: &str) -> bool {
    let tags = tags.to_str().unwrap_or_default();
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

/// Without a copy: the files are part of the binary.
fn body(file: EmbeddedFile) -> Body {
    match file.data {
        std::borrow::Cow::Borrowed(data) => Bytes::from_static(data).into(),
        std::borrow::Cow::Owned(data) => data.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn head(response: &Response, name: header::HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn first(extension: &str) -> String {
        let is_one = |path: &std::borrow::Cow<'static, str>| path.starts_with("assets/") && path.ends_with(extension);
        Dist::iter().find(is_one).unwrap().into_owned()
    }

    #[tokio::test]
    async fn the_page_carries_its_config_and_a_policy() {
        for dev in [true, false] {
            let response = page(dev);
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(head(&response, header::CONTENT_TYPE), "text/html; charset=utf-8");
            assert_eq!(head(&response, header::CACHE_CONTROL), "no-cache");
            assert_eq!(head(&response, header::VARY), "accept");
            assert_eq!(head(&response, header::CONTENT_SECURITY_POLICY), CONTENT_SECURITY_POLICY);
            let html = text(response).await;
            assert!(!html.contains(CONFIG_MARKER));
            let json = html.split("id=\"gigwire-config\">").nth(1).unwrap().split("</script>").next().unwrap();
            let config: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(config, json!({ "dev": dev, "endpoint": "/graphql", "subscriptions": "/graphql/ws" }));
        }
    }

    #[tokio::test]
    async fn the_page_names_only_files_that_are_served() {
        let html = text(page(false)).await;
        let named: Vec<&str> = html.split(PREFIX).skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(named.len(), 3, "{named:?}");
        for path in named {
            assert_eq!(asset(path, &HeaderMap::new()).status(), StatusCode::OK, "{path}");
        }
        // The name of SVG in the icon is the only thing that looks like an address.
        assert_eq!(html.matches("://").count(), html.matches("http://www.w3.org/2000/svg").count());
    }

    #[test]
    fn hashed_assets_are_cached_for_ever() {
        for (extension, kind) in [(".js", "text/javascript; charset=utf-8"), (".css", "text/css; charset=utf-8")] {
            let response = asset(&first(extension), &HeaderMap::new());
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(head(&response, header::CONTENT_TYPE), kind);
            assert_eq!(head(&response, header::CACHE_CONTROL), "public, max-age=31536000, immutable");
            assert_eq!(head(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        }
        let licences = asset("THIRD_PARTY_LICENSES.txt", &HeaderMap::new());
        assert_eq!(head(&licences, header::CACHE_CONTROL), "no-cache");
    }

    #[tokio::test]
    async fn a_known_asset_is_not_sent_again() {
        let path = first(".css");
        let etag = head(&asset(&path, &HeaderMap::new()), header::ETAG).to_owned();
        for tags in [etag.clone(), format!("\"other\", W/{etag}"), "*".into()] {
            let request = HeaderMap::from_iter([(header::IF_NONE_MATCH, tags.parse().unwrap())]);
            let response = asset(&path, &request);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(head(&response, header::ETAG), etag);
            assert_eq!(text(response).await, "");
        }
        let request = HeaderMap::from_iter([(header::IF_NONE_MATCH, "\"other\"".parse().unwrap())]);
        assert_eq!(asset(&path, &request).status(), StatusCode::OK);
    }

    #[test]
    fn nothing_else_is_served() {
        for path in ["", "index.html", "assets/", "assets/none.js", "../mod.rs", "assets/../index.html"] {
            assert_eq!(asset(path, &HeaderMap::new()).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    /// The page is downloaded by people on slow lines and kept in every binary.
    #[test]
    fn the_bundle_stays_small() {
        let total: usize = Dist::iter().filter_map(|path| Dist::get(&path)).map(|file| file.data.len()).sum();
        assert!(total < 2_500_000, "{total} bytes");
    }
}
