//! Mutations and subscriptions: who is let in, and what those learn who are not.

use async_graphql::parser::types::{InputValueDefinition, TypeKind};
use gigwire::kernel::id::encode;
use gigwire::resolvers::live::Source;
use gigwire::schema::auth::Access;
use gigwire::server::execute::Asked;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Rules, Shown, Someone, Story, codes, meets};
use crate::schema::{is_list, named};
use crate::support::inprocess::InProcess;

/// What `id` fields of inputs mean, by their names.
const KINDS: [(&str, &str); 19] = [
    ("alertId", "AdminAlert"),
    ("jobId", "Job"),
    ("offerId", "Offer"),
    ("bookingId", "Booking"),
    ("conversationId", "Conversation"),
    ("upToMessageId", "Message"),
    ("contractorId", "User"),
    ("userId", "User"),
    ("userIds", "User"),
    ("sessionId", "Session"),
    ("reviewId", "Review"),
    ("changeId", "BookingChange"),
    ("disputeId", "Dispute"),
    ("notificationId", "Notification"),
    ("profileImageId", "File"),
    ("coverImageId", "File"),
    ("uploadId", "File"),
    ("fileIds", "File"),
    ("evidenceFileIds", "File"),
];

/// The type that an id of an input belongs to.
fn kind(name: &str) -> &'static str {
    let found = KINDS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("{name}: say here whose id it is")).1
}

/// A value for each field of a mutation's input; `id` gives the ids. What may be left out is, unless it is an id.
fn input(rules: &Rules, mutation: &str, id: &dyn Fn(&str) -> Option<String>) -> Value {
    object(rules, &format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]), id)
}

fn object(rules: &Rules, ty: &str, id: &dyn Fn(&str) -> Option<String>) -> Value {
    let fields = rules.sdl.inputs_of(ty).into_iter();
    Value::Object(fields.filter_map(|field| Some((field.name.node.to_string(), value(rules, field, id)?))).collect())
}

fn value(rules: &Rules, field: &InputValueDefinition, id: &dyn Fn(&str) -> Option<String>) -> Option<Value> {
    let (name, ty) = (field.name.node.as_str(), named(&field.ty.node));
    let several = |one: Value| if is_list(&field.ty.node) { json!([one]) } else { one };
    if ty == "ID" {
        return id(name).map(Value::from).map(several);
    }
    if field.ty.node.nullable || field.default_value.is_some() {
        return None;
    }
    let one = match ty {
        "Boolean" => json!(true),
        "Int" => json!(1),
        "Decimal" => json!("10.00"),
        "CurrencyCode" => json!("USD"),
        "EmailAddress" => json!("eve@example.org"),
        "String" => json!(format!("a {name} of eve's")),
        ty if rules.sdl.is(ty, |kind| matches!(kind, TypeKind::InputObject(_))) => object(rules, ty, id),
        ty if rules.sdl.is(ty, |kind| matches!(kind, TypeKind::Enum(_))) => {
            rules.sdl.values().into_iter().find(|(of, ..)| *of == ty).map(|(_, value, _)| json!(value))?
        }
        ty => panic!("{name}: there is no example of {ty}"),
    };
    Some(several(one))
}

/// Runs a mutation and selects the whole payload, up to the objects with ids.
async fn run(story: &Story, rules: &Rules, who: &Someone, mutation: &str, input: Value) -> Value {
    let ty = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
    let selection = rules.select(&format!("{ty}Payload"), &[]);
    let query = format!("mutation($input: {ty}Input!) {{ done: {mutation}(input: $input) {selection} }}");
    story.server.ask(&who.caller, &query, json!({ "input": input })).await
}

fn mutations(rules: &Rules) -> Vec<String> {
    rules.sdl.fields_of("Mutation").map(|field| field.name.node.to_string()).collect()
}

/// Whether a mutation is for staff.
fn is_for_staff(rules: &Rules, mutation: &str) -> bool {
    matches!(rules.of("Mutation", mutation), Access::Moderator | Access::Admin)
}

/// The ids in a mutation's input.
fn ids(rules: &Rules, mutation: &str) -> Vec<String> {
    let asked = std::cell::RefCell::new(Vec::new());
    input(rules, mutation, &|name| {
        asked.borrow_mut().push(name.to_owned());
        None
    });
    asked.into_inner()
}

/// The first object of a kind, which a stranger may not see.
fn foreign(story: &Story, name: &str) -> Option<String> {
    if name == "sessionId" {
        return Some(story.person("customer").caller.viewer.unwrap().session.to_string());
    }
    // A contractor is no secret, and naming one is another question.
    let mut found = story.of(kind(name));
    // The first of the users is the stranger.
    let one = if kind(name) == "User" { found.next_back() } else { found.next() };
    let id = (name != "contractorId").then(|| one.unwrap().id.clone())?;
    // An upload is the file before it is one, and has the same number.
    Some(if name == "uploadId" { id.replace("file_", "upload_") } else { id })
}

async fn doors_are_shut_to_those_without_the_right(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    for mutation in mutations(&rules) {
        let rule = rules.of("Mutation", &mutation);
        for who in story.people() {
            let roles = who.caller.viewer.map(|viewer| viewer.roles);
            let has = |role| roles.is_some_and(|roles| roles.has(role));
            let wanted = match rule {
                Access::Public => continue,
                _ if !who.is_signed_in() => "UNAUTHENTICATED",
                Access::Customer if !has(gigwire::kernel::Role::Customer) => "FORBIDDEN",
                Access::Contractor if !has(gigwire::kernel::Role::Contractor) => "FORBIDDEN",
                Access::Moderator if !who.is_staff() => "FORBIDDEN",
                Access::Admin if !has(gigwire::kernel::Role::Admin) => "FORBIDDEN",
                _ => continue,
            };
            let input = input(&rules, &mutation, &|name| foreign(&story, name));
            let answer = run(&story, &rules, who, &mutation, input).await;
            assert_eq!(codes(&answer), [wanted], "{} on {mutation}: {answer}", who.name);
            assert!(answer["data"].is_null(), "{answer}");
        }
    }
}

async fn objects_of_others_are_not_found(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    let stranger = story.person("stranger");
    let mut count = 0;
    for mutation in mutations(&rules).into_iter().filter(|mutation| !ids(&rules, mutation).is_empty()) {
        if is_for_staff(&rules, &mutation) {
            continue;
        }
        count += 1;
        let input = input(&rules, &mutation, &|name| foreign(&story, name));
        let answer = run(&story, &rules, stranger, &mutation, input).await;
        let payload = &answer["data"]["done"];
        let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("{mutation}: {answer}"));
        // Everybody saw the job while it was open, and may hear that it is taken.
        let wanted = if mutation == "offerSend" { "CONFLICT" } else { "NOT_FOUND" };
        assert_eq!((errors.len(), &errors[0]["code"]), (1, &json!(wanted)), "{mutation}: {answer}");
        let mut shown = Shown::default();
        shown.look(payload);
        assert!(shown.objects.is_empty(), "{mutation} shows something: {answer}");
    }
    assert!(count >= 11, "{count} mutations take ids");
}

async fn a_wrong_kind_of_id_is_an_error_of_the_client(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    let wrong = |name: &str| {
        let other = if kind(name) == "User" { "Job" } else { "User" };
        story.of(other).next().unwrap().id.clone()
    };
    for mutation in mutations(&rules) {
        let who = story.person(if is_for_staff(&rules, &mutation) { "admin" } else { "stranger" });
        for (place, bad) in
            ids(&rules, &mutation).into_iter().flat_map(|id| [(id.clone(), None), (id, Some("nonsense"))])
        {
            let give = |name: &str| {
                if name == place { Some(bad.map_or_else(|| wrong(name), str::to_owned)) } else { foreign(&story, name) }
            };
            let answer = run(&story, &rules, who, &mutation, input(&rules, &mutation, &give)).await;
            assert_eq!(codes(&answer), ["BAD_USER_INPUT"], "{mutation}, {place}: {answer}");
        }
    }
}

/// The code with which a subscription is refused before it begins.
fn refusal(story: &Story, who: &Someone, query: &str) -> Option<String> {
    let asked = Asked { query: Some(query.to_owned()), ..Asked::default() };
    let declined = story.server.server.prepare(who.caller.viewer, asked).err()?;
    let answer = serde_json::to_value(declined.response()).unwrap();
    Some(codes(&answer)[0].to_owned())
}

async fn only_announcements_are_heard_without_a_sign_in(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    for field in rules.sdl.fields_of("Subscription") {
        let name = &field.name.node;
        let needs = field.arguments.iter().find(|it| !it.node.ty.node.nullable);
        let given = needs.map(|it| format!("({}: \"{}\")", it.node.name, foreign(&story, &it.node.name.node).unwrap()));
        let query = format!("subscription {{ {name}{} {{ __typename id }} }}", given.unwrap_or_default());
        let wanted = (name != "announcementPublished").then_some("UNAUTHENTICATED");
        assert_eq!(refusal(&story, story.person("nobody"), &query).as_deref(), wanted, "{name}");
        let is_for_staff = matches!(rules.of("Subscription", name), Access::Moderator | Access::Admin);
        let wanted = is_for_staff.then_some("FORBIDDEN");
        assert_eq!(refusal(&story, story.person("stranger"), &query).as_deref(), wanted, "{name}");
        assert_eq!(refusal(&story, story.person("admin"), &query), None, "{name}");
    }
}

async fn nobody_listens_to_what_concerns_others(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    let stranger = &story.person("stranger").caller;
    for field in rules.sdl.fields_of("Subscription") {
        for argument in field.arguments.iter().filter(|it| named(&it.node.ty.node) == "ID") {
            let (name, argument, argument_type) = (&field.name.node, &argument.node.name.node, &argument.node.ty);
            let query = |id: &str| format!("subscription {{ {name}({argument}: \"{id}\") {{ id }} }}");
            let wrong = story.of(if kind(argument) == "User" { "Job" } else { "User" }).next().unwrap().id.clone();
            let refused = story.server.probe(stranger, &query(&wrong)).await.unwrap_err();
            let answer = serde_json::to_value(refused).unwrap();
            assert_eq!(codes(&answer), ["BAD_USER_INPUT"], "{name}: {answer}");
            let id = foreign(&story, argument).unwrap();
            if is_list(&argument_type.node) {
                // Of several users nobody is told of, and that is no error.
                let view = story.server.probe(stranger, &query(&id)).await.unwrap();
                assert!(matches!(&view.source, Source::Presence(users) if users.is_empty()), "{name}: {view:?}");
                continue;
            }
            // What is not there and what is not theirs look the same.
            let (word, _) = id.split_once('_').unwrap();
            let words = format!("There is no such {word} for you.");
            for id in [id.clone(), encode(word, Uuid::new_v4())] {
                let answer =
                    serde_json::to_value(story.server.probe(stranger, &query(&id)).await.unwrap_err()).unwrap();
                assert_eq!(codes(&answer), ["NOT_FOUND"], "{name}: {answer}");
                assert_eq!(answer["errors"][0]["message"], words, "{name}");
            }
            let object = story.objects.iter().find(|object| object.id == id).unwrap();
            for person in story.people().filter(|who| meets(who, object, rules.of_object(object.ty))) {
                let view = story.server.probe(&person.caller, &query(&id)).await;
                assert!(view.is_ok(), "{name} for {}: {view:?}", person.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_shows_the_object_to_its_parties_alone() {
    let (story, rules) = (Story::tell(InProcess::sqlite().await).await, Rules::new());
    let booking = story.of("Booking").next().unwrap();
    let input = Value::Object(Map::from_iter([("bookingId".to_owned(), json!(booking.id))]));
    let shown = run(&story, &rules, story.person("contractor"), "bookingStart", input.clone()).await;
    assert_eq!(shown["data"]["done"]["userErrors"][0]["code"], "CONFLICT", "{shown}");
    assert_eq!(shown["data"]["done"]["booking"]["id"], booking.id.as_str(), "{shown}");
    // Staff would have to say why.
    for (name, code) in [("rival", "NOT_FOUND"), ("moderator", "INVALID"), ("admin", "INVALID")] {
        let answer = run(&story, &rules, story.person(name), "bookingStart", input.clone()).await;
        assert_eq!(answer["data"]["done"]["userErrors"][0]["code"], code, "{answer}");
        assert!(answer["data"]["done"]["booking"].is_null(), "{answer}");
    }
}

crate::chat::on_both! {
    doors_are_shut_to_those_without_the_right,
    objects_of_others_are_not_found,
    a_wrong_kind_of_id_is_an_error_of_the_client,
    only_announcements_are_heard_without_a_sign_in,
    nobody_listens_to_what_concerns_others,
}
