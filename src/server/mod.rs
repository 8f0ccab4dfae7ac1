//! The edge: how requests come in, what is refused before anything runs, how answers leave.
//!
//! To add one more thing: a file or a folder named after it, and a line here. The server calls resolvers through the
//! schema only and holds no rule of the product.
pub mod documents;
