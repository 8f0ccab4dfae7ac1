//! PostgreSQL for tests: a database of each test's own on the server of `TEST_POSTGRES_URL`.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use url::Url;
use uuid::Uuid;

/// A new and empty database, dropped when the test ends.
pub struct FreshDatabase {
    server: Url,
    name: String,
}

impl FreshDatabase {
    /// Makes one.
    pub async fn create() -> Self {
        let server = std::env::var("TEST_POSTGRES_URL").expect(
            "TEST_POSTGRES_URL is not set: run within `scripts/servers run --`, or name a superuser on a server of yours",
        );
        let database =
            FreshDatabase { server: server.parse().unwrap(), name: format!("test_{}", Uuid::new_v4().simple()) };
        database.run(format!("create database {}", database.name)).await;
        database
    }

    /// Where it is.
    pub fn url(&self) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.into()
    }

    async fn run(&self, sql: String) {
        let mut connection = PgConnection::connect(self.server.as_str()).await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
    }
}

impl Drop for FreshDatabase {
    /// In a thread of its own: the test's runtime is about to end.
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(self.run(format!("drop database {} with (force)", self.name)));
            });
        });
    }
}
