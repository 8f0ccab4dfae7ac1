//! A small market on which everything has happened once: who sees what of it is for the tests to say.

use std::collections::BTreeMap;

use gigwire::features::accounts::{SignIn, SignUp, commands};
use gigwire::features::alerts::{self, NewAlert};
use gigwire::kernel::clock::DAY;
use gigwire::kernel::id::{TypedId, UploadId};
use gigwire::kernel::{Caller, Role, Roles, Viewer};
use gigwire::platform::files::Key;
use serde_json::{Value, json};

use super::inprocess::InProcess;
use super::pictures;

/// The people, by name and roles. Nobody is signed in as `nobody`.
const PEOPLE: [(&str, &[Role]); 7] = [
    ("nobody", &[]),
    ("stranger", &[Role::Customer, Role::Contractor]),
    ("customer", &[Role::Customer]),
    ("contractor", &[Role::Contractor]),
    ("rival", &[Role::Contractor]),
    ("moderator", &[Role::Moderator]),
    ("admin", &[Role::Admin]),
];

/// A market with a history.
pub struct Story {
    pub server: InProcess,
    people: BTreeMap<&'static str, Someone>,
    pub objects: Vec<Object>,
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Someone {
    pub name: &'static str,
    pub caller: Caller,
}

/// An object with an id, and whose it is.
pub struct Object {
    pub ty: &'static str,
    pub id: String,
    /// Whose it is, where it is one person's.
    pub owner: &'static str,
    /// Everybody whom it concerns, the owner too.
    pub concerned: Vec<&'static str>,
    /// Whether everybody who is signed in may see it.
    pub is_open: bool,
    /// Whether only those concerned and staff see it, though its kind is for everybody.
    pub is_private: bool,
}

impl Someone {
    /// Whether somebody is signed in.
    pub fn is_signed_in(&self) -> bool {
        self.caller.viewer.is_some()
    }

    /// Whether it has a role of staff.
    pub fn is_staff(&self) -> bool {
        self.caller.viewer.is_some_and(|viewer| viewer.roles.is_staff())
    }
}

impl Story {
    /// Tells it.
    pub async fn tell(server: InProcess) -> Self {
        let mut story = Story { server, people: BTreeMap::new(), objects: Vec::new() };
        for (name, roles) in PEOPLE {
            let caller = story.enter(name, roles).await;
            if let Some(viewer) = caller.viewer {
                // Whoever has a conversation with somebody sees if it is there.
                let circle: &[_] = match name {
                    "customer" => &["customer", "contractor", "rival"],
                    "contractor" => &["contractor", "customer"],
                    "rival" => &["rival", "customer"],
                    _ => &[name],
                };
                story.add("User", &json!(viewer.user.to_string()), circle);
            }
            story.people.insert(name, Someone { name, caller });
        }
        story.show_itself().await;
        story.trade().await;
        story.haggle().await;
        story.quarrel().await;
        story.alarm().await;
        story.ban().await;
        let input = json!({ "title": "Closed on Monday", "body": "We move." });
        let made = story.act("admin", "announcementPublish", input, "announcement { id }").await;
        story.add("Announcement", &made["announcement"]["id"], &["admin"]);
        for (name, _) in PEOPLE {
            story.notice(name).await;
        }
        story
    }

    async fn enter(&self, name: &str, roles: &[Role]) -> Caller {
        let caller = Caller::system("story");
        if roles.is_empty() {
            return caller;
        }
        let (email, password) = (format!("{name}@example.org"), "a good password".to_owned());
        let roles = Roles::of(roles);
        let input = SignUp { email: email.clone(), password: password.clone(), display_name: name.to_owned(), roles };
        let platform = self.server.platform();
        commands::create_staff(platform, &caller, input).await.unwrap();
        let signed_in = commands::sign_in(platform, &caller, SignIn { email, password }).await.unwrap();
        Caller {
            viewer: Some(Viewer { user: signed_in.user, session: signed_in.session, roles, disconnections: 0 }),
            ..caller
        }
    }

    /// Somebody whom staff keep out.
    async fn ban(&mut self) {
        let input = SignUp::new("banned@example.org", "a good password", "banned", &[]).unwrap();
        let user = commands::create_staff(self.server.platform(), &Caller::system("story"), input).await.unwrap();
        let input = json!({ "userId": user.to_string(), "reason": "Spam." });
        let blocked = self.act("moderator", "userBlock", input, "user { id }").await["user"]["id"].take();
        self.add("User", &blocked, &["banned"]);
    }

    /// Somebody with a face.
    async fn show_itself(&mut self) {
        let mut profile = json!({ "bio": "I paint." });
        for (purpose, field) in [("PROFILE_IMAGE", "profileImageId"), ("COVER_IMAGE", "coverImageId")] {
            profile[field] = self.upload(purpose, &["customer"]).await;
        }
        self.act("customer", "profileUpdate", profile, "user { id }").await;
    }

    /// A file of the first one's.
    async fn upload(&mut self, purpose: &str, concerned: &[&'static str]) -> Value {
        let (owner, bytes) = (concerned[0], pictures::png());
        let input = json!({ "purpose": purpose, "fileName": purpose, "contentType": "image/png", "size": bytes.len() });
        let made = self.act(owner, "uploadCreate", input, "upload { id }").await["upload"]["id"].take();
        let upload: UploadId = made.as_str().unwrap().parse().unwrap();
        self.server.platform().files.write(&Key::incoming(upload.uuid()), bytes).await.unwrap();
        let done = self.act(owner, "uploadComplete", json!({ "uploadId": made }), "file { id }").await;
        self.add("File", &done["file"]["id"], concerned);
        self.objects.last_mut().unwrap().is_private = purpose == "EVIDENCE";
        done["file"]["id"].clone()
    }

    /// A deal from the deposit to the earning, beside a rival that gets nothing.
    async fn trade(&mut self) {
        let input = json!({ "amount": usd("1000.00"), "idempotencyKey": "deposit" });
        let paid = self.act("customer", "depositCreate", input, "payment { id }").await;
        self.add("Payment", &paid["payment"]["id"], &["customer"]);
        let job = self.post("Paint the fence", &["customer", "contractor", "rival"], false).await;
        let lost = self.offer("rival", &job, None).await;
        self.add("Offer", &lost, &["rival", "customer"]);
        let offer = self.offer("contractor", &job, None).await;
        self.add("Offer", &offer, &["contractor", "customer"]);
        let made = self.accept("customer", &offer).await;
        let (booking, conversation) = (&made["booking"]["id"], &made["conversation"]["id"]);
        self.add("Booking", booking, &["customer", "contractor"]);
        self.add("Conversation", conversation, &["customer", "contractor"]);
        for (who, content) in [("customer", "When can you begin?"), ("contractor", "On Monday.")] {
            let input = json!({ "conversationId": conversation, "content": content, "clientMessageId": content });
            let sent = self.act(who, "messageSend", input, "message { id }").await;
            self.add("Message", &sent["message"]["id"], &[who, "customer", "contractor"]);
        }
        let last = self.of("Message").last().unwrap().id.clone();
        let input = json!({ "conversationId": conversation, "upToMessageId": last });
        self.act("customer", "conversationMarkRead", input, "readCount").await;
        self.act("contractor", "bookingStart", json!({ "bookingId": booking }), "booking { id }").await;
        self.act("contractor", "bookingDeliver", json!({ "bookingId": booking }), "booking { id }").await;
        let input = json!({ "bookingId": booking, "idempotencyKey": "complete" });
        self.act("customer", "bookingComplete", input, "booking { id }").await;
        self.review(booking).await;
        let contractor = self.person("contractor").caller.viewer.unwrap().user;
        let events = self.server.events(contractor).await;
        let earned = events.iter().find(|event| event.kind == "EarningCreated").unwrap();
        let id = earned.object_id::<gigwire::kernel::id::EarningId>().to_string();
        self.add("Earning", &json!(id), &["contractor"]);
    }

    /// What both say of each other, and a reply to it.
    async fn review(&mut self, booking: &Value) {
        for (who, other) in [("customer", "contractor"), ("contractor", "customer")] {
            let input = json!({ "bookingId": booking, "rating": 4, "text": "Friendly." });
            let review = self.act(who, "reviewPost", input, "review { id }").await["review"]["id"].take();
            self.add("Review", &review, &[who, other]);
        }
        let ids: Vec<_> = self.of("Review").map(|review| (review.id.clone(), review.concerned[1])).collect();
        for (review, subject) in ids {
            let input = json!({ "reviewId": review, "text": "Thank you." });
            self.act(subject, "reviewReply", input, "review { id }").await;
        }
    }

    /// An open job with sealed offers, and a booking that is given up, and one that waits.
    async fn haggle(&mut self) {
        let open = self.post("Mow the lawn", &["customer"], true).await;
        let mine = self.offer("rival", &open, None).await;
        self.add("Offer", &mine, &["rival", "customer"]);
        let contractor = self.person("contractor").caller.viewer.unwrap().user.to_string();
        let asked = self.offer("customer", &open, Some(contractor)).await;
        self.add("Offer", &asked, &["contractor", "customer"]);
        let vain = self.post("Cut a hedge", &["customer", "rival"], false).await;
        let first = self.offer("rival", &vain, None).await;
        self.add("Offer", &first, &["rival", "customer"]);
        let input = json!({ "offerId": first, "amount": usd("80.00"), "idempotencyKey": "counter" });
        let answer = self.act("customer", "offerCounter", input, "offer { id }").await;
        self.add("Offer", &answer["offer"]["id"], &["customer", "rival"]);
        let input = json!({ "jobId": vain, "reason": "It grew too fast.", "idempotencyKey": "vain" });
        self.act("customer", "jobCancel", input, "job { id }").await;
        let dropped = self.post("Dig a pond", &["customer", "rival"], false).await;
        let offer = self.offer("rival", &dropped, None).await;
        self.add("Offer", &offer, &["rival", "customer"]);
        let made = self.accept("customer", &offer).await;
        self.add("Booking", &made["booking"]["id"], &["customer", "rival"]);
        self.add("Conversation", &made["conversation"]["id"], &["customer", "rival"]);
        let input = json!({ "bookingId": made["booking"]["id"], "reason": "No water.", "idempotencyKey": "cancel" });
        self.act("customer", "bookingCancel", input, "booking { id }").await;
        let agreed = self.post("Fell a tree", &["customer", "rival"], false).await;
        let offer = self.offer("rival", &agreed, None).await;
        self.add("Offer", &offer, &["rival", "customer"]);
        let made = self.accept("customer", &offer).await;
        self.add("Booking", &made["booking"]["id"], &["customer", "rival"]);
        self.add("Conversation", &made["conversation"]["id"], &["customer", "rival"]);
        for (amount, note) in [("95.00", "It is an oak."), ("93.00", "A small oak.")] {
            let input = json!({ "bookingId": made["booking"]["id"], "amount": usd(amount), "note": note,
                "idempotencyKey": note });
            let change = self.act("rival", "bookingChangePropose", input, "change { id }").await["change"]["id"].take();
            self.add("BookingChange", &change, &["customer", "rival"]);
        }
    }

    /// Two bookings about which the two disagree: about one staff decide, the other waits.
    async fn quarrel(&mut self) {
        for title in ["Dig a well", "Build a shed"] {
            let job = self.post(title, &["customer", "rival"], false).await;
            let offer = self.offer("rival", &job, None).await;
            self.add("Offer", &offer, &["rival", "customer"]);
            let made = self.accept("customer", &offer).await;
            self.add("Booking", &made["booking"]["id"], &["customer", "rival"]);
            self.add("Conversation", &made["conversation"]["id"], &["customer", "rival"]);
            let files = [self.upload("EVIDENCE", &["customer", "rival"]).await];
            let input = json!({ "bookingId": made["booking"]["id"], "reason": "LATE", "evidence": "It is June.",
                "evidenceFileIds": files, "idempotencyKey": title });
            let dispute = self.act("customer", "disputeOpen", input, "dispute { id }").await["dispute"]["id"].take();
            self.add("Dispute", &dispute, &["customer", "rival"]);
            let files = [self.upload("EVIDENCE", &["rival", "customer"]).await];
            let input = json!({ "disputeId": dispute, "fileIds": files });
            self.act("rival", "disputeAddEvidence", input, "dispute { id }").await;
            let input = json!({ "disputeId": dispute, "toCustomer": usd("30.00") });
            self.act("rival", "disputePropose", input, "dispute { id }").await;
        }
        let decided = self.of("Dispute").next().unwrap().id.clone();
        let input = json!({ "disputeId": decided, "toCustomer": usd("90.00"), "toContractor": usd("0"),
            "toPlatform": usd("0"), "platformFee": "BACK", "reason": "It is July.", "idempotencyKey": "decide" });
        self.act("admin", "disputeDecide", input, "dispute { id }").await;
    }

    /// What staff must hear of: one thing for all of them, which one of them dismisses, and one about money.
    async fn alarm(&mut self) {
        let stranger = self.person("stranger").caller.viewer.unwrap().user;
        let stolen = NewAlert::new(alerts::Kind::SessionStolen, "one", "A token came twice.").about(stranger);
        let frozen = NewAlert::new(alerts::Kind::PayoutsFrozen, "payouts", "A doubt.");
        let caller = Caller::system("story");
        for (new, concerned) in [(stolen, &["moderator", "admin"][..]), (frozen, &["admin"])] {
            let raise = self.server.platform().work.run(&caller, new, |unit, new| {
                Box::pin(async move { alerts::commands::raise(unit, new.clone()).await })
            });
            raise.await.unwrap();
            let query = "{ adminAlerts(first: 1) { nodes { id } } }";
            let mut listed = self.server.data(&self.person("admin").caller, query, json!({})).await;
            let id = listed["adminAlerts"]["nodes"][0]["id"].take();
            self.add("AdminAlert", &id, concerned);
            if concerned.len() > 1 {
                self.act("moderator", "adminAlertDismiss", json!({ "alertId": id }), "alert { id }").await;
            }
        }
    }

    /// Everything that somebody was told. The oldest is dismissed, the next one read.
    async fn notice(&mut self, name: &'static str) {
        let query = "{ viewer { notifications(first: 100) { nodes { id } } } }";
        let told = self.server.data(&self.person(name).caller, query, json!({})).await;
        let ids: Vec<_> = told["viewer"]["notifications"]["nodes"].as_array().into_iter().flatten().rev().collect();
        for (mutation, node) in ["notificationDismiss", "notificationMarkRead"].into_iter().zip(&ids) {
            self.act(name, mutation, json!({ "notificationId": node["id"] }), "unreadCount").await;
        }
        for node in ids {
            self.add("Notification", &node["id"], &[name]);
        }
    }

    async fn post(&mut self, title: &str, concerned: &[&'static str], is_open: bool) -> Value {
        let input = json!({ "title": title, "description": "Soon.", "budget": usd("100.00") });
        let id = self.act("customer", "jobPost", input, "job { id }").await["job"]["id"].take();
        self.add("Job", &id, concerned);
        self.objects.last_mut().unwrap().is_open = is_open;
        id
    }

    async fn offer(&self, who: &str, job: &Value, contractor: Option<String>) -> Value {
        let key = format!("{who} {job}");
        let mut input = json!({ "jobId": job, "amount": usd("90.00"), "idempotencyKey": key });
        input["contractorId"] = json!(contractor);
        let now = self.server.platform().clock.now();
        input["period"] = json!({ "startsAt": now.plus(DAY).rfc3339(), "endsAt": now.plus(2 * DAY).rfc3339() });
        self.act(who, "offerSend", input, "offer { id }").await["offer"]["id"].take()
    }

    async fn accept(&self, who: &str, offer: &Value) -> Value {
        let input = json!({ "offerId": offer, "idempotencyKey": offer });
        self.act(who, "offerAccept", input, "booking { id } conversation { id }").await
    }

    async fn act(&self, who: &str, mutation: &str, input: Value, selection: &str) -> Value {
        let selection = format!("{selection} userErrors {{ message field }}");
        let payload = self.server.act(&self.person(who).caller, mutation, input, &selection).await;
        assert_eq!(payload["userErrors"], json!([]), "{mutation}: {payload}");
        payload
    }

    fn add(&mut self, ty: &'static str, id: &Value, concerned: &[&'static str]) {
        let id = id.as_str().unwrap_or_else(|| panic!("{ty} without an id")).to_owned();
        let (owner, concerned) = (concerned[0], concerned.to_vec());
        self.objects.push(Object { ty, id, owner, concerned, is_open: false, is_private: false });
    }

    /// Somebody by name.
    pub fn person(&self, name: &str) -> &Someone {
        &self.people[name]
    }

    /// Everybody.
    pub fn people(&self) -> impl Iterator<Item = &Someone> {
        self.people.values()
    }

    /// The objects of one type, the oldest first.
    pub fn of(&self, ty: &str) -> impl DoubleEndedIterator<Item = &Object> {
        self.objects.iter().filter(move |object| object.ty == ty)
    }
}

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "USD" })
}
