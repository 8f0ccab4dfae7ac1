//! The rows that everybody works on: people, jobs, offers, conversations, made once and copied for each run.
//!
//! People, jobs and offers are filled in set-wise, as gigwire's tables want them. What has money and events in it goes
//! through gigwire's own API: deposits, and the accepted offers that open conversations.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt, TryStreamExt, stream};
use jsonwebtoken::{EncodingKey, Header, encode};
use load::Outcome;
use load::http::Http;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Row};
use tokio::time::sleep;
use uuid::Uuid;

/// Signs the access tokens of gigwire, and those of the peers.
pub const SECRET: &str = "a secret that only this bench knows and needs";
/// Customers, and as many contractors.
pub const HALF: usize = 500;
/// Staff beside the administrator: a person may ask 600 times a minute, and pages are asked as staff.
pub const STAFF: usize = 40;
/// Open jobs, unless more are wanted.
pub const JOBS: usize = 10_000;
/// Offers on each.
const OFFERS: usize = 3;
/// Conversations, from as many more jobs whose offers are accepted.
const TALKS: usize = 2_000;
/// What each customer deposits: enough for all their jobs.
const DEPOSIT: &str = "100000.00";
/// Calls of the API at once.
const AT_ONCE: usize = 16;
/// Seconds that everything that follows from the deals may take.
const PATIENCE_SECONDS: u32 = 120;
/// Seconds that a token lives: longer than any run.
const TOKEN_SECONDS: u64 = 24 * 3_600;

/// Fills the tables of people, jobs and offers. `$JOBS` and the like stand for numbers, `$NOW` for the time.
const FILL: &str = include_str!("fill.sql");

/// Somebody, with tokens for everybody who is measured.
#[derive(Clone, Debug)]
pub struct Account {
    /// Who.
    pub user: Uuid,
    session: Uuid,
    role: &'static str,
}

/// Two people who talk.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// Their conversation.
    pub id: Uuid,
    /// The two, as numbers of [`World::people`].
    pub people: [usize; 2],
}

/// Everybody, and who talks to whom.
pub struct World {
    /// Who may tell everyone something.
    pub admin: Account,
    /// Staff who look at things.
    pub staff: Vec<Account>,
    /// Customers, then contractors.
    pub people: Vec<Account>,
    /// Conversations; the first of them are of different people.
    pub talks: Vec<Talk>,
}

/// Fills a database that gigwire has just migrated, with the help of that gigwire.
pub async fn fill(db: &PgPool, http: &Http, jobs: usize) -> Outcome<()> {
    let sql = FILL
        .replace("$HALF", &HALF.to_string())
        .replace("$STAFF", &STAFF.to_string())
        .replace("$JOBS", &jobs.to_string())
        .replace("$OFFERS", &OFFERS.to_string())
        .replace("$TALKS", &TALKS.to_string())
        .replace("$NOW", &now().as_millis().to_string());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await?;
    let people = accounts(db).await?;
    deposit(http, &people[..HALF]).await?;
    accept(db, http, &people).await?;
    rest(db).await
}

/// Waits until everything that follows from the deals is done: letters and the like would be sent by whoever starts on a
/// copy of these rows, while it is measured.
async fn rest(db: &PgPool) -> Outcome<()> {
    let due = "select count(*) from tasks where ended_at is null and run_at <= $1";
    for _ in 0..PATIENCE_SECONDS {
        let now = i64::try_from(now().as_millis())?;
        if sqlx::query_scalar::<_, i64>(due).bind(now).fetch_one(db).await? == 0 {
            return Ok(());
        }
        sleep(Duration::from_secs(1)).await;
    }
    Err("tasks that follow from the deals are not done".into())
}

async fn deposit(http: &Http, customers: &[Account]) -> Outcome<()> {
    let document = "mutation ($input: DepositCreateInput!) { depositCreate(input: $input) {
        payment { status } userErrors { message } } }";
    let one = |customer: Account| async move {
        let input = json!({ "amount": { "amount": DEPOSIT, "currency": "USD" }, "idempotencyKey": "bench" });
        let data = http.ask(Some(&customer.token()?), document, json!({ "input": input })).await?;
        done(&data["depositCreate"])
    };
    stream::iter(customers.to_vec()).map(one).buffer_unordered(AT_ONCE).try_collect().await
}

async fn accept(db: &PgPool, http: &Http, people: &[Account]) -> Outcome<()> {
    let document = "mutation ($input: OfferAcceptInput!) { offerAccept(input: $input) {
        booking { status } userErrors { message } } }";
    let rows = sqlx::query(
        "select o.id, o.customer_id from offers o join jobs j on j.id = o.job_id
        where j.title like 'Agreed %' order by o.created_at, o.id",
    );
    let offers: Vec<(Uuid, Uuid)> = rows.fetch_all(db).await?.iter().map(|row| (row.get(0), row.get(1))).collect();
    let one = |(offer, customer): (Uuid, Uuid)| async move {
        let customer = people.iter().find(|account| account.user == customer).ok_or("no such customer")?;
        let input = json!({ "offerId": type_id("offer", offer), "idempotencyKey": offer.to_string() });
        let data = http.ask(Some(&customer.token()?), document, json!({ "input": input })).await?;
        done(&data["offerAccept"])
    };
    stream::iter(offers).map(one).buffer_unordered(AT_ONCE).try_collect().await
}

/// Refuses an answer with errors of the user's.
pub fn done(payload: &Value) -> Outcome<()> {
    let errors = &payload["userErrors"];
    if errors == &json!([]) { Ok(()) } else { Err(format!("refused: {errors}").into()) }
}

impl World {
    /// Reads who is there.
    pub async fn read(db: &PgPool) -> Outcome<Self> {
        let mut people = accounts(db).await?;
        let mut staff = people.split_off(2 * HALF);
        let admin = staff.pop().ok_or("no administrator")?;
        let rows = sqlx::query(
            "select c.id, j.customer_id, b.contractor_id from conversations c
            join jobs j on j.id = c.subject_id join bookings b on b.conversation_id = c.id order by j.created_at, j.id",
        );
        let number = |user: Uuid| people.iter().position(|account| account.user == user).ok_or("nobody talks");
        let mut talks = Vec::new();
        for row in rows.fetch_all(db).await? {
            talks.push(Talk { id: row.get(0), people: [number(row.get(1))?, number(row.get(2))?] });
        }
        if talks.len() != TALKS {
            return Err(format!("{} conversations, {TALKS} were expected", talks.len()).into());
        }
        Ok(World { admin, staff, people, talks })
    }
}

/// Customers, contractors, staff, and the administrator last.
async fn accounts(db: &PgPool) -> Outcome<Vec<Account>> {
    let rows = sqlx::query(
        "select u.id, s.id, u.roles from users u join lateral
            (select id from sessions where user_id = u.id and agent = 'bench' limit 1) s on true
        order by case u.roles when 1 then 0 when 2 then 1 when 4 then 2 else 3 end, u.created_at, u.id",
    );
    let account = |row: &sqlx::postgres::PgRow| -> Outcome<Account> {
        let role = match row.get::<i64, _>(2) {
            1 => "CUSTOMER",
            2 => "CONTRACTOR",
            _ => "ADMIN",
        };
        Ok(Account { user: row.get(0), session: row.get(1), role })
    };
    rows.fetch_all(db).await?.iter().map(account).collect()
}

impl Account {
    /// A place for somebody.
    pub const fn nobody() -> Self {
        Account { user: Uuid::nil(), session: Uuid::nil(), role: "" }
    }

    /// An access token of gigwire.
    pub fn token(&self) -> Outcome<String> {
        let now = now().as_secs();
        let claims = json!({ "iss": "gigwire", "aud": "gigwire", "sub": type_id("session", self.session),
            "iat": now, "nbf": now, "exp": now + TOKEN_SECONDS });
        let kid = Sha256::digest(SECRET)[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        let header = Header { typ: Some("at+jwt".to_owned()), kid: Some(kid), ..Header::default() };
        Ok(encode(&header, &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
    }

    /// A token of the peers.
    pub fn peer_token(&self) -> Outcome<String> {
        let now = now().as_secs();
        let claims = json!({ "sub": self.user, "role": self.role, "iat": now, "exp": now + TOKEN_SECONDS });
        Ok(encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes()))?)
    }
}

/// Since 1970.
#[allow(clippy::disallowed_methods, reason = "rows and tokens are as old as they are")]
fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// An id as gigwire shows it: the kind, and the UUID in Crockford's base32.
pub fn type_id(kind: &str, id: Uuid) -> String {
    let digit = |place: u32| b"0123456789abcdefghjkmnpqrstvwxyz"[(id.as_u128() >> (5 * place)) as usize & 31];
    format!("{kind}_{}", (0..26).rev().map(|place| char::from(digit(place))).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_as_the_specification_of_typeid_says() {
        let id = Uuid::parse_str("01893726-efee-7f02-8fbf-9f2b7bc2f910").unwrap();
        assert_eq!(type_id("x", id), "x_01h4vjdvzefw18zfwz5dxw5y8g");
        assert_eq!(type_id("x", Uuid::max()), "x_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    }
}
