//! `/dev/mail`: the letters that a developer's machine captured, newest first. Never in production.
//!
//! Plain pages without scripts, styles or images, under the closed content security policy that every answer has. What
//! people wrote into a letter is escaped: the pages show the source, they do not run it.

use std::fmt::Write;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::execute::Declined;
use super::http;
use super::state::Server;
use super::status::code;
use crate::kernel::id::LetterId;
use crate::kernel::{Error, Result};
use crate::platform::mail::Folder;

/// Letters on the list.
const SHOWN: usize = 100;

/// The list.
pub async fn list(State(server): State<Server>, request: Request) -> Response {
    match server.platform.mail.captured.as_ref() {
        Some(folder) => answer(page_of_all(folder).await.map(Some), &server, &request),
        None => answer(Ok(None), &server, &request),
    }
}

/// One letter.
pub async fn letter(State(server): State<Server>, Path(id): Path<String>, request: Request) -> Response {
    let found = match (server.platform.mail.captured.as_ref(), id.parse()) {
        (Some(folder), Ok(id)) => page_of_one(folder, id).await,
        _ => Ok(None),
    };
    answer(found, &server, &request)
}

fn answer(page: Result<Option<String>>, server: &Server, request: &Request) -> Response {
    let caller = server.caller(request);
    match page {
        Ok(Some(page)) => (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response(),
        Ok(None) => {
            let declined = Declined::malformed(code::NOT_FOUND, "There is no such letter here.");
            http::refuse(declined, request.headers(), &caller.request_id)
        }
        Err(error) => {
            tracing::error!(cause = %error.message, "captured letters cannot be read");
            http::refuse(Error::internal("letters").into(), request.headers(), &caller.request_id)
        }
    }
}

async fn page_of_all(folder: &Folder) -> Result<String> {
    let mut items = String::new();
    for id in folder.newest(SHOWN).await? {
        let text = folder.read(id).await?.unwrap_or_default();
        let [date, to, subject] = ["Date", "To", "Subject"].map(|name| escape(header(&text, name)));
        let _ = write!(items, "<tr><td>{date}<td>{to}<td><a href=\"/dev/mail/{id}\">{subject}</a>");
    }
    let place = escape(&folder.path().display().to_string());
    let empty = if items.is_empty() { "<p>There is none yet." } else { "" };
    Ok(page("Captured letters", &format!("<p>In {place}, newest first. None was sent.<table>{items}</table>{empty}")))
}

async fn page_of_one(folder: &Folder, id: LetterId) -> Result<Option<String>> {
    let found = folder.read(id).await?;
    Ok(found.map(|text| {
        page("A captured letter", &format!("<p><a href=\"/dev/mail\">All</a><pre>{}</pre>", escape(&text)))
    }))
}

fn page(title: &str, body: &str) -> String {
    format!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title><h1>{title}</h1>{body}\n")
}

/// The first line of a header, as it was written.
fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let found = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.unwrap_or_default()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_shown_and_not_run() {
        assert_eq!(escape("<b a='1' c=\"2\">&"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
        assert_eq!(header("To: a\r\nSubject: b\r\n\r\nSubject: c", "Subject"), "b");
        assert_eq!(header("To: a", "Subject"), "");
    }
}
