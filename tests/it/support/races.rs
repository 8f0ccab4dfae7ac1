//! Races: several people act at the same moment, spread over all instances that there are.
//!
//! A case that must hold on one SQLite and over two instances takes `&TestApp` and stands in `raced!`.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::Barrier;

use super::app::{TestApp, TestUser};
use super::market::Done;

/// What somebody does in a race: who, which mutation, with which input.
pub type Move<'a> = (&'a TestUser, &'a str, Value);

/// Does all of it at the same moment, and gives the answers in the order of the moves.
pub async fn at_once(app: &TestApp, moves: Vec<Move<'_>>) -> Vec<Done> {
    let barrier = Arc::new(Barrier::new(moves.len()));
    let run = moves.into_iter().enumerate().map(|(turn, (who, mutation, input))| {
        let (barrier, on) = (barrier.clone(), app.turn(turn));
        async move {
            barrier.wait().await;
            on.act(who, mutation, input).await
        }
    });
    join_all(run).await
}

/// Runs each case on one SQLite and on two instances over PostgreSQL and Redis.
macro_rules! raced {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(&$crate::support::app::TestApp::sqlite().await).await;
                }
            )*
        }
        mod scaled {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(&$crate::support::app::TestApp::scaled(2).await).await;
                }
            )*
        }
    };
}
pub(crate) use raced;
