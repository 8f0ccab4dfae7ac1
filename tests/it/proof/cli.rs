//! `gigwire proof`, as a person or a script runs it.

use std::path::Path;
use std::process::{Command, Output};

use gigwire::features::PROJECTIONS;
use gigwire::kernel::id::UserId;
use gigwire::kernel::{Caller, Currency, Money, Role, Roles, Viewer};
use gigwire::platform::config::{Sources, load};
use gigwire::platform::db::q;
use gigwire::platform::work::Once;
use gigwire::platform::{Platform, host};
use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gigwire"));
    command.arg("proof").args(arguments).env("DATA_DIR", folder).env_remove("DATABASE_URL").env_remove("REDIS_URL");
    command.output().unwrap()
}

/// Runs statements on the database of a folder.
async fn change(folder: &Path, statements: &[&'static str]) {
    let platform = open(folder).await;
    let mut tx = platform.db.begin().await.unwrap();
    for sql in statements {
        q(sql).execute(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    platform.close().await;
}

async fn open(folder: &Path) -> std::sync::Arc<Platform> {
    let environment = [("DATA_DIR".to_owned(), folder.display().to_string())].into();
    let config = load(&Sources { environment, ..Sources::default() }).unwrap().config;
    Platform::open(config, host::clock(), host::entropy(), PROJECTIONS).await.unwrap()
}

async fn deposit(folder: &Path) {
    use gigwire::features::accounts::{SignUp, commands as accounts};
    use gigwire::features::wallet::commands::{self, Deposit};
    let platform = open(folder).await;
    let input = SignUp::new("ada@example.org", "a good password", "Ada", &[Role::Customer]).unwrap();
    let system = Caller::system("test");
    let signed_in = accounts::sign_up(&platform, &system, input).await.unwrap();
    let user: UserId = signed_in.user;
    let roles = Roles::of(&[Role::Customer]);
    let caller =
        Caller { viewer: Some(Viewer { user, session: signed_in.session, roles, disconnections: 0 }), ..system };
    let amount = Money::new(4_200, Currency::parse("USD").unwrap());
    let input = Deposit { amount, key: Once::new("depositCreate", "one").unwrap() };
    commands::deposit(&platform, &caller, input).await.unwrap();
    platform.close().await;
}

#[tokio::test]
async fn its_exit_status_tells_whether_the_books_are_in_order() {
    let folder = tempfile::tempdir().unwrap();
    deposit(folder.path()).await;
    let good = run(folder.path(), &[]);
    let text = String::from_utf8(good.stdout).unwrap();
    assert_eq!(good.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&good.stderr));
    for part in ["BALANCE", "CHAIN", "USD", "42.00", "not frozen", "The books are IN ORDER"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    change(folder.path(), &["update purses set credits_posted = credits_posted + 5 where class = 'AVAILABLE'"]).await;
    let bad = run(folder.path(), &["--json"]);
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("the books are not in order: BALANCE 1, TOTALS 1"));
    let proof: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!((&proof["isProved"], &proof["checks"][0]["check"]), (&Value::from(false), &Value::from("BALANCE")));
    assert_eq!(proof["currencies"][0]["balance"], 5);
}

#[tokio::test]
async fn a_freeze_is_lifted_only_when_the_books_are_in_order() {
    let folder = tempfile::tempdir().unwrap();
    deposit(folder.path()).await;
    let freeze = "insert into payout_freezes (id, reason, created_at) values (randomblob(16), 'a doubt', 1)";
    let break_it = "update purses set credits_posted = credits_posted + 5 where class = 'AVAILABLE'";
    change(folder.path(), &[freeze, break_it]).await;
    let refused = run(folder.path(), &["--lift", "Looked into it"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("FROZEN since"));
    change(folder.path(), &["update purses set credits_posted = credits_posted - 5 where class = 'AVAILABLE'"]).await;
    assert_eq!(run(folder.path(), &["--lift", "Looked into it"]).status.code(), Some(0));
    let text = String::from_utf8(run(folder.path(), &[]).stdout).unwrap();
    assert!(text.contains("not frozen"), "{text}");
    assert_eq!(run(folder.path(), &["--lift", "Once more"]).status.code(), Some(1), "nothing to lift");
}
