//! Tests from outside: through GraphQL, contracts of the backends on every one of them, and the rules of the house.

mod contract;
mod house;
mod support;
