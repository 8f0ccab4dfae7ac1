//! Media types: what a client takes, and what it sends.

use axum::http::{HeaderMap, header};

use super::feed::Framing;
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

/// What the answer to a query or a mutation is written in, by `Accept`. The greater weight wins; of equal ones the type that
/// says more, and a whole answer before one in pieces. Without the header, JSON.
pub fn wanted(headers: &HeaderMap) -> Wanted {
    let mut ranges = ranges(headers).peekable();
    if ranges.peek().is_none() {
        return Wanted::Answer(Media::Json);
    }
    best(ranges, |name| match name {
        "application/graphql-response+json" => Some((Wanted::Answer(Media::GraphqlResponse), 5)),
        "text/html" => Some((Wanted::Page, 4)),
        "application/json" => Some((Wanted::Answer(Media::Json), 3)),
        "*/*" | "application/*" => Some((Wanted::Answer(Media::Json), 2)),
        _ => framing(name).map(|(framing, rank)| (Wanted::Answer(Media::Framed(framing)), rank)),
    })
    .unwrap_or(Wanted::Nothing)
}

/// What the events of a subscription are written in, if the client takes a response in pieces.
pub fn wanted_framing(headers: &HeaderMap) -> Option<Framing> {
    best(ranges(headers), framing)
}

fn framing(name: &str) -> Option<(Framing, u8)> {
    match name {
        "text/event-stream" => Some((Framing::EventStream, 1)),
        "multipart/mixed" => Some((Framing::Multipart, 0)),
        _ => None,
    }
}

/// The known type of the greatest weight; of equal ones that of the highest rank.
fn best<T>(ranges: impl Iterator<Item = (String, f32)>, known: impl Fn(&str) -> Option<(T, u8)>) -> Option<T> {
    let found = ranges.filter(|(_, weight)| *weight > 0.0).filter_map(|(name, weight)| {
        let (found, rank) = known(&name)?;
        Some((weight, rank, found))
    });
    found.max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|(.., found)| found)
}

/// The entries of `Accept`.
fn ranges(headers: &HeaderMap) -> impl Iterator<Item = (String, f32)> {
    let lists = headers.get_all(header::ACCEPT).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).filter(|range| !range.trim().is_empty()).map(media_range)
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
    fn only_subscriptions_prefer_pieces() {
        let headers = |accept: &str| HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        let of = |accept: &str| (wanted(&headers(accept)), wanted_framing(&headers(accept)));
        let framed = |framing| Wanted::Answer(Media::Framed(framing));
        let (events, parts) = (Framing::EventStream, Framing::Multipart);
        assert_eq!(of("text/event-stream"), (framed(events), Some(events)));
        assert_eq!(of("multipart/mixed;boundary=graphql;subscriptionSpec=1.0"), (framed(parts), Some(parts)));
        assert_eq!(of("text/event-stream, multipart/mixed"), (framed(events), Some(events)));
        assert_eq!(of("text/event-stream;q=0.1, multipart/mixed"), (framed(parts), Some(parts)));
        assert_eq!(of("text/event-stream, */*"), (Wanted::Answer(Media::Json), Some(events)));
        let apollo = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,\
            application/json;q=0.9";
        assert_eq!(of(apollo), (Wanted::Answer(Media::GraphqlResponse), Some(parts)));
        assert_eq!(of("application/json, */*").1, None);
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
