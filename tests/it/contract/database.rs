//! A database that stands still: nobody waits for it for ever.

use std::time::{Duration, Instant};

use gigwire::platform::db::{Db, Kind, q};

use crate::support::postgres::FreshDatabase;
use crate::support::proxy::{Proxy, Weather};

#[tokio::test]
async fn a_database_that_says_nothing_is_given_up_and_comes_back() {
    let database = FreshDatabase::create().await;
    let network = Proxy::before(&database.url()).await;
    let limit = Duration::from_secs(2);
    let db = Db::open(&network.via(&database.url()), 4).await.unwrap().answering_within(limit);
    db.ping().await.unwrap();
    let tx = db.begin().await.unwrap();
    network.set(Weather::Still);
    let begun = Instant::now();
    let (read, begin, commit) = tokio::join!(db.ping(), db.begin(), tx.commit());
    let kinds = [read.unwrap_err().kind, begin.err().unwrap().kind, commit.unwrap_err().kind];
    assert_eq!(kinds, [Kind::Silent; 3]);
    assert!(begun.elapsed() < 5 * limit, "after {:?}", begun.elapsed());
    network.set(Weather::Clear);
    network.cut();
    let back = Instant::now();
    while q("select 1").fetch(&db).await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(10), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
