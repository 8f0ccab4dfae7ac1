//! How soon a right that ends on one instance ends the sockets on the other: with Redis, without, and with only one of the
//! two cut off from it. `cargo nextest run revocation --no-capture` prints the times.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gigwire::features::accounts::SignedIn;
use gigwire::features::accounts::commands;
use gigwire::features::accounts::rights::{self, Measure};
use gigwire::kernel::{Caller, Role, Roles};
use serde_json::{Value, json};

use crate::support::live::{App, Client};
use crate::support::redis::PrivateRedis;

/// Everything that ends sockets: what it is called, and the reason that the client is told.
const CAUSES: [(&str, &str); 5] = [
    ("sign-out", "Forbidden: the token is refused, expired or revoked"),
    ("session end", "Forbidden: the token is refused, expired or revoked"),
    ("disconnect", "Forbidden: disconnected by staff"),
    ("role change", "Forbidden: the account's roles changed"),
    ("block", "Forbidden: the account is blocked"),
];

async fn revoke(app: &App, admin: &Caller, cause: &str, who: &SignedIn) {
    let platform = &app.server.platform;
    let measure = Measure::new(who.user, "For the test.").unwrap();
    let done = match cause {
        "sign-out" => commands::sign_out(platform, &app.caller(who).await, true).await.map(drop),
        "session end" => commands::end_session(platform, &app.caller(who).await, who.session).await,
        "disconnect" => rights::disconnect(platform, admin, measure).await,
        "role change" => rights::set_roles(platform, admin, measure, Roles::of(&[Role::Contractor])).await,
        "block" => rights::block(platform, admin, measure, None).await,
        other => panic!("{other} is no cause"),
    };
    done.unwrap();
}

/// Ends the rights of five users on the one instance, each by another cause, and gives the times after which their
/// sockets on the other are closed. A bystander's stays open.
async fn times(here: &App, there: &App, cut: impl AsyncFnOnce()) -> Vec<(&'static str, Duration)> {
    let boss = here.sign_in(&[Role::Admin]).await;
    let admin = here.caller(&boss).await;
    let mut sockets: Vec<(&str, &str, SignedIn, Client)> = Vec::new();
    for (cause, reason) in CAUSES {
        let who = here.sign_in(&[Role::Customer]).await;
        let socket = there.open(json!({ "token": who.access_token })).await;
        sockets.push((cause, reason, who, socket));
    }
    let mut bystander = there.open(json!({ "token": boss.access_token })).await;
    cut().await;
    let admin = &admin;
    let ended = sockets.into_iter().map(|(cause, reason, who, mut socket)| async move {
        let begun = Instant::now();
        revoke(here, admin, cause, &who).await;
        assert_eq!(socket.closed_because().await, (4403, reason.to_owned()), "{cause}");
        (cause, begun.elapsed())
    });
    let times = join_all(ended).await;
    assert_eq!(bystander.run("q", "{ viewer { user { id } } }").await["errors"], Value::Null);
    times
}

fn judge(case: &str, at_most: Duration, times: &[(&str, Duration)]) {
    for (cause, took) in times {
        println!("{case}: {cause} closes on the other instance after {} ms", took.as_millis());
    }
    for (cause, took) in times {
        assert!(*took < at_most, "{case}: {cause} took {took:?}");
    }
}

#[tokio::test]
async fn with_redis_within_a_second() {
    let redis = PrivateRedis::start().await;
    let (here, there) = App::pair(&redis.url()).await;
    judge("Redis up", Duration::from_secs(1), &times(&here, &there, async || ()).await);
}

#[tokio::test]
async fn without_redis_within_six() {
    let mut redis = PrivateRedis::start().await;
    let (here, there) = App::pair(&redis.url()).await;
    let kill = async || {
        redis.kill();
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    judge("Redis down", Duration::from_secs(6), &times(&here, &there, kill).await);
}

#[tokio::test]
async fn when_only_the_acting_instance_is_cut_off_within_six() {
    let (mut mine, theirs) = (PrivateRedis::start().await, PrivateRedis::start().await);
    let (here, there) = App::pair_over([&mine.url(), &theirs.url()], |_| ()).await;
    let kill = async || {
        mine.kill();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(there.server.platform.is_whole(), "the other one sees nothing amiss");
    };
    let times = times(&here, &there, kill).await;
    judge("the acting instance cut off", Duration::from_secs(6), &times);
}

#[tokio::test]
async fn a_socket_that_opens_while_a_right_ends_is_closed_too() {
    let app = App::start().await;
    let boss = app.sign_in(&[Role::Admin]).await;
    let admin = app.caller(&boss).await;
    for _ in 0..20 {
        let who = app.sign_in(&[Role::Customer]).await;
        let mut socket = app.connect("graphql-transport-ws").await;
        let greet = socket.send(json!({ "type": "connection_init", "payload": { "token": who.access_token } }));
        let measure = Measure::new(who.user, "For the test.").unwrap();
        let (_, blocked) = tokio::join!(greet, rights::block(&app.server.platform, &admin, measure, None));
        blocked.unwrap();
        let closed = tokio::time::timeout(Duration::from_secs(3), socket.closed()).await;
        assert_eq!(closed, Ok(4403));
    }
}
