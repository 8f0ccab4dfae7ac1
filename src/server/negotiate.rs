//! Media types: what a client takes, and what it sends.

use axum::http::{HeaderMap, header};

use super::status::Media;

/// What a client wants to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An answer of GraphQL.
    Answer(Media),
    /// A page: this is a browser that somebody pointed here.
    Page,
    /// Nothing that there is.
    Nothing,
}

impl Wanted {
    /// The media type of an answer; a browser takes JSON too.
    pub const fn media(self) -> Option<Media> {
        match self {
            Wanted::Answer(media) => Some(media),
            Wanted::Page => Some(Media::Json),
            Wanted::Nothing => None,
        }
    }
}

/// Reads `Accept`. The greater weight wins; of equal ones the type that says more. Without the header, JSON.
pub fn wanted(headers: &HeaderMap) -> Wanted {
    let lists: Vec<_> = headers.get_all(header::ACCEPT).iter().filter_map(|list| list.to_str().ok()).collect();
    if lists.iter().all(|list| list.trim().is_empty()) {
        return Wanted::Answer(Media::Json);
    }
    let mut best = (0.0, Wanted::Nothing);
    for range in lists.iter().flat_map(|list| list.split(',')) {
        let (name, weight) = media_range(range);
        let (found, rank) = match name.as_str() {
            "application/graphql-response+json" => (Wanted::Answer(Media::GraphqlResponse), 0.0003),
            "text/html" => (Wanted::Page, 0.0002),
            "application/json" => (Wanted::Answer(Media::Json), 0.0001),
            "*/*" | "application/*" => (Wanted::Answer(Media::Json), 0.0),
            _ => continue,
        };
        if weight > 0.0 && weight + rank > best.0 {
            best = (weight + rank, found);
        }
    }
    best.1
}

/// The name and the weight of one entry.
fn media_range(range: &str) -> (String, f32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
    (name, weight.unwrap_or(0.0))
}

/// Whether the body says that it is JSON, in the one encoding that JSON has.
pub fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let mut parts = kind.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_json = parts.next().as_deref() == Some("application/json");
    let charset = parts.find_map(|part| part.strip_prefix("charset=").map(|name| name.trim_matches('"').to_owned()));
    is_json && charset.is_none_or(|name| name == "utf-8" || name == "utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_that_says_more_wins_among_equals() {
        use Media::{GraphqlResponse, Json};
        let of = |accept: &str| wanted(&HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]));
        assert_eq!(wanted(&HeaderMap::new()), Wanted::Answer(Json));
        assert_eq!(of("*/*"), Wanted::Answer(Json));
        assert_eq!(of("application/json"), Wanted::Answer(Json));
        assert_eq!(of("application/json, application/graphql-response+json"), Wanted::Answer(GraphqlResponse));
        assert_eq!(of("application/graphql-response+json;q=0.5, application/json"), Wanted::Answer(Json));
        assert_eq!(of("Application/GraphQL-Response+JSON; charset=utf-8"), Wanted::Answer(GraphqlResponse));
        assert_eq!(of("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), Wanted::Page);
        assert_eq!(of("application/graphql-response+json, text/html"), Wanted::Answer(GraphqlResponse));
        assert_eq!(of("image/png"), Wanted::Nothing);
        assert_eq!(of("application/json;q=0"), Wanted::Nothing);
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        let of = |kind: &str| is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]));
        assert!(
            of("application/json") && of("application/json; charset=UTF-8") && of("Application/JSON;charset=\"utf-8\"")
        );
        for other in
            ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonx"]
        {
            assert!(!of(other), "{other}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
