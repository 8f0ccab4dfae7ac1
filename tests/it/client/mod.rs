//! `gigwire client`: the program, run against servers as people and smoke tests run it.

mod breaks;
mod program;
mod puppet;
mod refusals;
mod secure;
mod story;

use gigwire::kernel::Role;

use self::program::{Road, Talk, login, play};
use crate::support::app::{PASSWORD, TestApp, TestUser};

/// A customer and a contractor with a booking and its conversation.
struct Pair {
    customer: TestUser,
    contractor: TestUser,
    booking: String,
    conversation: String,
}

impl Pair {
    async fn new(app: &TestApp) -> Self {
        let customer = app.sign_up(&[Role::Customer.name()]).await;
        let contractor = app.sign_up(&[Role::Contractor.name()]).await;
        app.deposit(&customer, "500.00").await;
        let booking = app.book(&customer, &contractor).await;
        let text = "query ($id: ID!) { booking(id: $id) { conversation { id } } }";
        let answer = app.gql(&customer, text, serde_json::json!({ "id": booking })).await;
        let conversation = answer["data"]["booking"]["conversation"]["id"].as_str().unwrap().to_owned();
        Pair { customer, contractor, booking, conversation }
    }

    /// The environment of a smoke test: both accounts with their passwords.
    fn accounts(&self) -> [(&str, &str); 4] {
        [
            ("TEST_USER", &self.customer.email),
            ("TEST_USER_PASSWORD", PASSWORD),
            ("TEST_VENDOR", &self.contractor.email),
            ("TEST_VENDOR_PASSWORD", PASSWORD),
        ]
    }
}

/// The address of a server as people type it.
fn address(app: &TestApp) -> String {
    app.url("")
}
