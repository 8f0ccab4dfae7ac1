//! GraphQL over HTTP, and many people who sign up at once.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::RequestBuilder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Outcome;

/// Sign-ups under way at once. Each hashes a password, which keeps a core busy.
const SIGN_UPS_AT_ONCE: usize = 8;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of a server.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    base: Arc<str>,
}

impl Http {
    /// For the server at this address.
    pub fn new(address: SocketAddr) -> Outcome<Self> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Http { client, base: format!("http://{address}").into() })
    }

    /// The body at a path, if the answer is good.
    pub async fn get(&self, path: &str) -> Outcome<String> {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await?;
        Ok(answer.error_for_status()?.text().await?)
    }

    /// The data of a query or a mutation.
    pub async fn ask(&self, token: Option<&str>, document: &str, variables: Value) -> Outcome<Value> {
        let request = self.graphql(document, variables);
        self.data(if let Some(token) = token { request.bearer_auth(token) } else { request }).await
    }

    /// The same from another address, as a proxy in front would say it: a crowd does not sign up from one.
    async fn ask_from(&self, address: Ipv4Addr, document: &str, variables: Value) -> Outcome<Value> {
        let request = self.graphql(document, variables).header("x-forwarded-for", address.to_string());
        self.data(request).await
    }

    fn graphql(&self, document: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": document, "variables": variables });
        self.client.post(format!("{}/graphql", self.base)).json(&body)
    }

    async fn data(&self, request: RequestBuilder) -> Outcome<Value> {
        let mut answer: Value = request.send().await?.json().await?;
        if answer.get("errors").is_some() {
            return Err(format!("refused: {answer}").into());
        }
        Ok(answer["data"].take())
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    /// For requests and sockets.
    pub access_token: String,
    /// For the next pair of tokens.
    pub refresh_token: String,
}

impl Person {
    fn read(payload: &Value) -> Outcome<Self> {
        Ok(serde_json::from_value(json!({
            "access_token": payload["session"]["accessToken"],
            "refresh_token": payload["session"]["refreshToken"],
        }))
        .map_err(|_| format!("no session in {payload}"))?)
    }
}

const SIGN_UP: &str = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) {
    session { accessToken refreshToken } userErrors { message } } }";
const REFRESH: &str = "mutation ($input: SessionRefreshInput!) { sessionRefresh(input: $input) {
    session { accessToken refreshToken } userErrors { message } } }";
const SIGN_IN: &str = "mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) {
    session { accessToken refreshToken } userErrors { message } } }";

impl Http {
    /// So many people, each with an account and a session of their own, by the API.
    pub async fn sign_up(&self, count: usize) -> Outcome<Vec<Person>> {
        let one = |number: usize| async move {
            let input = json!({ "email": format!("p{number}@example.org"), "password": "correct horse battery",
                "displayName": format!("Person {number}"), "roles": ["CUSTOMER", "CONTRACTOR"] });
            let data = self.ask_from(address(number), SIGN_UP, json!({ "input": input })).await?;
            Person::read(&data["accountSignUp"])
        };
        stream::iter(0..count).map(one).buffered(SIGN_UPS_AT_ONCE).try_collect().await
    }

    /// Fresh tokens for people who signed up before.
    pub async fn refresh(&self, people: Vec<Person>) -> Outcome<Vec<Person>> {
        let one = |(number, person): (usize, Person)| async move {
            let input = json!({ "refreshToken": person.refresh_token });
            let data = self.ask_from(address(number), REFRESH, json!({ "input": input })).await?;
            Person::read(&data["sessionRefresh"])
        };
        stream::iter(people.into_iter().enumerate()).map(one).buffered(SIGN_UPS_AT_ONCE).try_collect().await
    }

    /// Signs in.
    pub async fn sign_in(&self, email: &str, password: &str) -> Outcome<Person> {
        let input = json!({ "email": email, "password": password });
        let data = self.ask(None, SIGN_IN, json!({ "input": input })).await?;
        Person::read(&data["accountSignIn"])
    }
}

/// An address for each of many people, in the network that is set aside for measurements (RFC 2544).
fn address(number: usize) -> Ipv4Addr {
    let [.., a, b] = number.to_be_bytes();
    Ipv4Addr::new(198, 18, a, b)
}
