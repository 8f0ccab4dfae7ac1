//! What people do on the market, through GraphQL: one short method for each thing.

use gigwire::kernel::id::TypedId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::app::{Instance, TestUser};

const DISPUTE: &str = "dispute { id status version escalatesAt decisionReason booking { id status escrow { amount } }
    proposal { number proposer hasCustomerAgreed hasContractorAgreed split { toCustomer { amount } toContractor { amount } } }
    split { toCustomer { amount } toContractor { amount } toPlatform { amount } platformFee } }";

const CHANGE: &str = "change { id status version madeBy note expiresAt amount { amount } previousAmount { amount }
        period { startsAt endsAt } previousPeriod { startsAt endsAt } quote { platformFee { amount } } }
    booking { id status version amount { amount } escrow { amount } period { startsAt endsAt }
        quote { platformFee { amount } serviceFee { amount } contractorNet { amount } } pendingChange { id } }";

/// What is selected of each mutation's payload, beside its refusals.
const SELECTIONS: [(&str, &str); 39] = [
    ("depositCreate", "payment { id status amount { amount currency } } wallet { available { amount } }"),
    ("jobPost", "job { id status expiresAt }"),
    ("jobCancel", "job { id status version cancelReason }"),
    ("offerSend", "offer { id status version madeBy expiresAt period { startsAt endsAt } }"),
    (
        "offerAccept",
        "offer { id status version } conversation { id }
            booking { id status version escrow { amount } period { startsAt endsAt } }",
    ),
    (
        "offerCounter",
        "offer { id status version madeBy expiresAt period { startsAt endsAt }
            counterTo { id declineReason counteredBy { id } } }",
    ),
    ("offerDecline", "offer { id status version }"),
    ("offerWithdraw", "offer { id status version }"),
    ("bookingStart", "booking { id status version escrow { amount } }"),
    ("bookingDeliver", "booking { id status version escrow { amount } }"),
    ("bookingComplete", "booking { id status version escrow { amount } }"),
    ("bookingCancel", "booking { id status version cancelReason escrow { amount } }"),
    ("bookingChangePropose", CHANGE),
    ("bookingChangeAccept", CHANGE),
    ("bookingChangeDecline", CHANGE),
    ("bookingChangeWithdraw", CHANGE),
    ("disputeOpen", DISPUTE),
    ("disputePropose", DISPUTE),
    ("disputeAddEvidence", DISPUTE),
    ("disputeAcceptProposal", DISPUTE),
    ("disputeWithdraw", DISPUTE),
    ("disputeJoin", DISPUTE),
    ("disputeDecide", DISPUTE),
    ("messageSend", "message { id number }"),
    ("reviewPost", "review { id status rating text version publishedAt }"),
    ("reviewReply", "review { id status reply version }"),
    ("reviewHide", "review { id status hiddenReason version }"),
    ("reviewUnhide", "review { id status hiddenReason version }"),
    ("notificationMarkRead", "notification { id readAt version } unreadCount"),
    ("notificationDismiss", "notification { id readAt dismissedAt version } unreadCount"),
    ("uploadCreate", "upload { id url method headers { name value } expiresAt }"),
    ("uploadComplete", "file { id url purpose contentType size width height name }"),
    ("profileUpdate", "user { id bio version }"),
    ("accountRoleAdd", "viewer { user { roles } }"),
    ("userRolesSet", "user { id roles version }"),
    ("userBlock", "user { id block { blockedAt blockUntil blockReason } }"),
    ("userUnblock", "user { id block { blockedAt } }"),
    ("sessionEnd", "viewer { sessions { id } }"),
    ("sessionDisconnect", "user { id } endedCount"),
];

/// The answer to a mutation.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its payload; null when the request itself was refused.
    pub payload: Value,
    /// Whether it repeats an earlier effect.
    pub replayed: bool,
    answer: Value,
}

impl Done {
    /// The payload of something that was done.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.refusal().is_none(), "{:#}", self.answer);
        self.payload
    }

    /// Why it was refused, as a code; none when it was done.
    pub fn refusal(&self) -> Option<&str> {
        let top = &self.answer["errors"][0]["extensions"]["code"];
        top.as_str().or_else(|| self.payload["userErrors"][0]["code"].as_str())
    }

    /// Checks that it was refused for this reason.
    #[track_caller]
    pub fn refused(&self, code: &str) -> &Value {
        assert_eq!(self.refusal(), Some(code), "{:#}", self.answer);
        &self.payload
    }

    /// Checks that it was refused for this reason, pointing at this place in the input.
    #[track_caller]
    pub fn refused_at(&self, code: &str, field: &[&str]) {
        self.refused(code);
        assert_eq!(self.payload["userErrors"][0]["field"], json!(field), "{:#}", self.answer);
    }
}

/// A key that nobody used.
pub fn key() -> String {
    Uuid::new_v4().to_string()
}

/// The UUID in an id, for looking into tables.
pub fn uuid<T: TypedId>(id: &str) -> T {
    gigwire::kernel::id::parse(id).unwrap()
}

/// An amount of dollars.
pub fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}

/// An object's id in a payload.
#[track_caller]
pub fn id_of(payload: &Value, object: &str) -> String {
    payload[object]["id"].as_str().unwrap_or_else(|| panic!("no {object}: {payload}")).to_owned()
}

impl Instance {
    /// Runs a mutation.
    pub async fn act(&self, who: &TestUser, mutation: &str, input: Value) -> Done {
        let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let (_, selection) = SELECTIONS.iter().find(|(name, _)| *name == mutation).expect("a line in SELECTIONS");
        let text = format!(
            "mutation ($input: {kind}!) {{ done: {mutation}(input: $input) {{ {selection} userErrors {{ code field }} }} }}"
        );
        let answer = self.gql(who, &text, json!({ "input": input })).await;
        let replayed = answer["extensions"]["replayed"] == true;
        Done { payload: answer["data"]["done"].clone(), replayed, answer }
    }

    /// Brings dollars in.
    pub async fn deposit(&self, who: &TestUser, amount: &str) {
        self.act(who, "depositCreate", json!({ "amount": usd(amount), "idempotencyKey": key() })).await.ok();
    }

    /// Posts a job for 100 dollars and gives its id.
    pub async fn post_job(&self, who: &TestUser) -> String {
        let input = json!({ "title": "Paint a wall", "description": "White.", "budget": usd("100.00") });
        id_of(&self.act(who, "jobPost", input).await.ok(), "job")
    }

    /// From so many milliseconds from now until so many.
    pub fn period(&self, from: i64, until: i64) -> Value {
        let now = self.server.platform.clock.now();
        json!({ "startsAt": now.plus(from).rfc3339(), "endsAt": now.plus(until).rfc3339() })
    }

    /// The contractor offers itself.
    pub async fn offer(&self, contractor: &TestUser, job: &str, amount: &str) -> Done {
        let input = json!({ "jobId": job, "amount": usd(amount), "idempotencyKey": key() });
        self.act(contractor, "offerSend", input).await
    }

    /// The customer offers the job to a contractor.
    pub async fn offer_to(&self, customer: &TestUser, job: &str, contractor: &TestUser, amount: &str) -> Done {
        let input =
            json!({ "jobId": job, "contractorId": contractor.id, "amount": usd(amount), "idempotencyKey": key() });
        self.act(customer, "offerSend", input).await
    }

    /// Accepts, declines or withdraws an offer.
    pub async fn answer(&self, who: &TestUser, mutation: &str, offer: &str) -> Done {
        let mut input = json!({ "offerId": offer });
        if mutation == "offerAccept" {
            input["idempotencyKey"] = json!(key());
        }
        self.act(who, mutation, input).await
    }

    /// Answers an offer with another price.
    pub async fn counter(&self, who: &TestUser, offer: &str, amount: &str) -> Done {
        let input = json!({ "offerId": offer, "amount": usd(amount), "idempotencyKey": key() });
        self.act(who, "offerCounter", input).await
    }

    /// The customer gives up a job.
    pub async fn cancel_job(&self, who: &TestUser, job: &str) -> Done {
        self.act(who, "jobCancel", json!({ "jobId": job, "reason": "Not needed.", "idempotencyKey": key() })).await
    }

    /// Takes a booking one step on, or gives it up.
    pub async fn step(&self, who: &TestUser, mutation: &str, booking: &str) -> Done {
        let mut input = json!({ "bookingId": booking });
        if mutation == "bookingComplete" || mutation == "bookingCancel" {
            input["idempotencyKey"] = json!(key());
        }
        // Staff must say why, and the parties may.
        input["reason"] = json!("Something came up.");
        self.act(who, mutation, input).await
    }

    /// A party proposes another price for a booking.
    pub async fn propose(&self, who: &TestUser, booking: &str, amount: &str) -> Done {
        let input = json!({ "bookingId": booking, "amount": usd(amount), "idempotencyKey": key() });
        self.act(who, "bookingChangePropose", input).await
    }

    /// Agrees to a change, declines it or takes it back.
    pub async fn settle(&self, who: &TestUser, mutation: &str, change: &str) -> Done {
        self.act(who, mutation, json!({ "changeId": change, "idempotencyKey": key() })).await
    }

    /// A booking of a new job, for 100 dollars: the customer must have them and the fee.
    pub async fn book(&self, customer: &TestUser, contractor: &TestUser) -> String {
        let job = self.post_job(customer).await;
        let offer = id_of(&self.offer(contractor, &job, "100.00").await.ok(), "offer");
        id_of(&self.answer(customer, "offerAccept", &offer).await.ok(), "booking")
    }

    /// A booking as above, and done: started, delivered and completed.
    pub async fn deal(&self, customer: &TestUser, contractor: &TestUser) -> String {
        let booking = self.book(customer, contractor).await;
        for step in ["bookingStart", "bookingDeliver"] {
            self.step(contractor, step, &booking).await.ok();
        }
        self.step(customer, "bookingComplete", &booking).await.ok();
        booking
    }

    /// The dollars of a user: available, held and in escrow.
    pub async fn money(&self, who: &TestUser) -> [String; 3] {
        let text =
            "{ viewer { wallet(currency: \"USD\") { available { amount } held { amount } escrow { amount } } } }";
        let answer = self.gql(who, text, json!({})).await;
        let wallet = &answer["data"]["viewer"]["wallet"];
        ["available", "held", "escrow"]
            .map(|part| wallet[part]["amount"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned())
    }

    /// Status and version of an offer, as somebody sees it.
    pub async fn offer_status(&self, who: &TestUser, offer: &str) -> String {
        let text = "query ($id: ID!) { node(id: $id) { ... on Offer { status } } }";
        let answer = self.gql(who, text, json!({ "id": offer })).await;
        answer["data"]["node"]["status"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}
