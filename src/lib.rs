//! gigwire, the backend of a service marketplace.
//!
//! The modules in layer order; each uses only those above it in this list:
//!
//! 1. [`kernel`]: pure foundations, no I/O: ids, money, clock, errors, pages, checked texts.
//! 2. [`platform`]: the outside world: database, bus, streams, units of work, queue, mail, limits, payments, settings.
//! 3. [`features`]: the product, one folder per noun: rules, commands, queries, SQL, events.
//! 4. [`schema`]: GraphQL shapes. [`loaders`]: many questions, one statement. Neither uses the other.
//! 5. [`resolvers`]: from the API to the features and back.
//! 6. [`server`]: HTTP, sockets, live operations. [`tasks`]: background work. Neither uses the other.
//! 7. [`cli`]: the commands, `serve` among them.
//!
//! The house rules. `tests/it/house.rs` reads the tree and checks what a test can:
//!
//! - The same noun has the same name in every folder. To find anything, look for the noun.
//! - A rule of the product stands in `features`, once. Resolvers parse, call and wrap.
//! - A change is one [unit of work](platform::work): what follows from it commits with it, or not at all.
//! - The database is the truth. The [bus](platform::bus) only says *look*.
//! - A feature's `store` is its own. Only `wallet::ledger` writes transfers.
//! - SQL is one text for [both engines](platform::db), and goes through `q`.
//! - Clock, randomness and ids are passed in, never taken from the air.
//! - Money is whole minor units, never a float.
//! - Whoever may see less is told less: what is not yours is not found.
//! - A limit is a named constant with its unit, or a setting with its explanation.
//! - An error says what to do next. Its cause goes to the log, never to the client.
//! - Every public item says what it is. A folder's doc says how to add one more thing to it.
//! - No file is longer than 400 lines; no `unsafe`, and no `unwrap` outside of tests.
//!
//! `docs/architecture.md` follows one write from the request to the live event.

pub mod kernel;

pub mod platform;

pub mod features;

pub mod loaders;
pub mod schema;

pub mod resolvers;

pub mod server;
pub mod tasks;

pub mod cli;
