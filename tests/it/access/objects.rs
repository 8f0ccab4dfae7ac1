//! Objects: by id, by the query of their own, through other objects, and in events.

use std::collections::BTreeSet;
use std::sync::Arc;

use gigwire::resolvers::live::Item;
use gigwire::schema::auth::Access;
use serde_json::{Value, json};

use super::{Rules, Shown, Someone, Story, codes, meets};
use crate::support::inprocess::InProcess;

/// Fields that have no value in this story, each with the reason.
const EMPTY: [(&str, &str); 9] = [
    ("Booking.releasesAt", "nothing is put off by default; `bookings::delay` tests it"),
    ("Payment.nextStep", "the sandbox settles at once"),
    ("PaymentStep.redirectUrl", "the sandbox settles at once"),
    ("Review.hiddenReason", "nothing is hidden; the tests of reviews look at one that is"),
    ("TransitionError.field", "what the viewer may do next has no input"),
    ("Session.clientName", "these clients say nothing of themselves; the tests of accounts do"),
    ("Session.ipAddress", "there is no network"),
    ("UserBlock.blockUntil", "the block in the story is to be lifted by hand"),
    ("Viewer.emailVerifiedAt", "nobody here reads mail; `mail` tests it"),
];

/// A booking says where its people talk, and staff may not follow: asked for it, they get an error in its place.
const SEALED: [&str; 1] = ["Booking.conversation"];

/// Only staff may ask for these: a document of anybody else that names them is refused as a whole.
const OF_STAFF: [&str; 2] = ["User.block", "User.connectionCount"];

fn skipped(who: &Someone) -> &'static [&'static str] {
    if who.is_staff() { &SEALED } else { &OF_STAFF }
}

async fn by_id(story: &Story, rules: &Rules, who: &Someone, ty: &str, id: &str) -> Value {
    let query =
        format!("query($id: ID!) {{ node(id: $id) {{ __typename ... on {ty} {} }} }}", rules.select(ty, skipped(who)));
    let mut answer = story.server.ask(&who.caller, &query, json!({ "id": id })).await;
    let is_for_staff = rules.of_object(ty) == Access::Moderator;
    let wanted = if who.is_signed_in() { "FORBIDDEN" } else { "UNAUTHENTICATED" };
    let is_refusal = codes(&answer) == [wanted] && (!who.is_signed_in() || is_for_staff && !who.is_staff());
    assert!(codes(&answer).is_empty() || is_refusal, "{} on {ty}: {answer:#}", who.name);
    answer["data"]["node"].take()
}

async fn each_is_seen_by_those_it_is_for(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    let mut fields = BTreeSet::new();
    for ty in rules.nodes() {
        assert!(story.of(ty).next().is_some(), "the story needs an object of the type {ty}");
    }
    for who in story.people() {
        for object in &story.objects {
            let found = by_id(&story, &rules, who, object.ty, &object.id).await;
            let is_seen = meets(who, object, rules.of_object(object.ty));
            assert_eq!(found.is_object(), is_seen, "{} on {} {}", who.name, object.ty, object.id);
            let mut shown = Shown::default();
            shown.look(&found);
            shown.is_for(who, &story, &rules, object.ty);
            // A field may be stricter than its object.
            for (name, value) in found.as_object().into_iter().flatten().filter(|(name, _)| !name.starts_with("__")) {
                let rule = rules.of(object.ty, name);
                let is_open = matches!(rule, Access::Public | Access::SignedIn) || meets(who, object, rule);
                assert!(is_open || value.is_null(), "{} reads {}.{name}", who.name, object.ty);
            }
            fields.extend(shown.fields);
        }
        let mut shown = Shown::default();
        let own = format!("{{ viewer {} }}", rules.select("Viewer", skipped(who)));
        let all = format!("{{ jobs {} }}", rules.select("JobConnection", skipped(who)));
        for query in [own, all] {
            let answer = story.server.ask(&who.caller, &query, json!({})).await;
            assert!(codes(&answer).is_empty() || !who.is_signed_in(), "{}: {answer:#}", who.name);
            shown.look(&answer["data"]);
        }
        shown.is_for(who, &story, &rules, "lists");
        fields.extend(shown.fields);
    }
    let empty = |field: &String| EMPTY.iter().any(|(known, _)| known == field);
    let mut unseen: Vec<_> = reachable(&rules).into_iter().filter(|field| !fields.contains(field)).collect();
    unseen.retain(|field| !empty(field));
    assert!(unseen.is_empty(), "nobody was shown these, so nothing is known of them: {unseen:#?}");
}

/// All fields that can be read from objects with ids and from the viewer.
fn reachable(rules: &Rules) -> BTreeSet<String> {
    let mut open: Vec<_> = rules.nodes().into_iter().chain(["Viewer"]).map(str::to_owned).collect();
    let (mut types, mut fields) = (BTreeSet::new(), BTreeSet::new());
    while let Some(ty) = open.pop() {
        if !types.insert(ty.clone()) {
            continue;
        }
        // What is shown in an interface's place says its own type, whose fields are counted.
        if ty == "Node" {
            continue;
        }
        for field in rules.sdl.fields_of(&ty) {
            fields.insert(format!("{ty}.{}", field.name));
            let inner = crate::schema::named(&field.ty.node);
            // Behind `Node` stand the objects with ids, which are all on the list.
            if rules.is_composite(inner) && inner != "Node" {
                open.push(inner.to_owned());
            }
        }
    }
    fields
}

async fn the_query_of_a_kind_answers_as_node_does(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    let mut count = 0;
    for field in rules.sdl.fields_of("Query") {
        let (name, ty) = (&field.name.node, crate::schema::named(&field.ty.node));
        if !rules.sdl.implements(ty, "Node") {
            continue;
        }
        count += 1;
        let query = format!("query($id: ID!) {{ found: {name}(id: $id) {{ id }} }}");
        for who in story.people() {
            for object in story.of(ty) {
                let answer = story.server.ask(&who.caller, &query, json!({ "id": object.id })).await;
                if who.is_signed_in() {
                    assert!(codes(&answer).is_empty(), "{answer}");
                } else {
                    assert_eq!(codes(&answer), ["UNAUTHENTICATED"], "{answer}");
                }
                let is_seen = meets(who, object, rules.of_object(ty));
                assert_eq!(answer["data"]["found"].is_object(), is_seen, "{} on {ty}", who.name);
            }
            if who.is_signed_in() {
                for object in story.objects.iter().filter(|object| object.ty != ty) {
                    let answer = story.server.ask(&who.caller, &query, json!({ "id": object.id })).await;
                    assert_eq!(codes(&answer), ["BAD_USER_INPUT"], "{name} takes no {}", object.ty);
                }
            }
        }
    }
    assert_eq!(count, 4, "job, booking, conversation and dispute");
}

async fn staff_do_not_follow_into_conversations(server: InProcess) {
    let story = Story::tell(server).await;
    let booking = story.of("Booking").next().unwrap();
    let job = story.of("Job").next().unwrap();
    // A conversation is never null: the null rises to where one may stand, and what is beside that stays.
    let alone = "query($id: ID!) { booking(id: $id) { conversation { id } } __typename }";
    let beside = "query($id: ID!) { booking(id: $id) { id conversation { id } status } __typename }";
    let items = "query($id: ID!, $job: ID!) { nodes(ids: [$id, $job]) { id ... on Booking { conversation { id } } } }";
    let listed = "{ disputes(status: OPEN) { nodes { id booking { id conversation { id } } } } __typename }";
    for (query, left) in [
        (alone, json!({ "booking": null, "__typename": "Query" })),
        (beside, json!({ "booking": null, "__typename": "Query" })),
        (items, json!({ "nodes": [null, { "id": job.id }] })),
        (listed, Value::Null),
    ] {
        for name in ["moderator", "admin"] {
            let given = json!({ "id": booking.id, "job": job.id });
            let answer = story.server.ask(&story.person(name).caller, query, given).await;
            assert_eq!(codes(&answer), ["FORBIDDEN"], "{answer}");
            assert_eq!(answer["data"], left, "{query}");
        }
    }
}

async fn cursors_of_others_open_nothing(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    let mut cursors = BTreeSet::new();
    for name in ["customer", "contractor", "rival"] {
        let query = format!("{{ viewer {} }}", rules.select("Viewer", &[]));
        let mut shown = Shown::default();
        shown.look(&story.server.data(&story.person(name).caller, &query, json!({})).await);
        cursors.extend(shown.cursors);
    }
    assert!(cursors.len() > 8, "{cursors:?}");
    let page = |list: &str| format!("{list}(after: $after) {{ nodes {{ __typename id }} totalCount }}");
    let lists: String = ["jobs", "offers", "bookings", "conversations"].map(page).join(" ");
    let query = format!(
        "query($after: String) {{ viewer {{ {lists} }} jobs(before: $after, last: 9) {{ nodes {{ __typename id }} }} }}"
    );
    for who in story.people().filter(|who| who.is_signed_in()) {
        for cursor in &cursors {
            let mut shown = Shown::default();
            shown.look(&story.server.data(&who.caller, &query, json!({ "after": cursor })).await);
            shown.is_for(who, &story, &rules, "a cursor of somebody else's list");
        }
    }
}

async fn events_show_only_what_their_hearer_may_see(server: InProcess) {
    let (story, rules) = (Story::tell(server).await, Rules::new());
    let mut kinds = BTreeSet::new();
    for who in story.people().filter(|who| who.is_signed_in()) {
        for event in story.server.events(who.caller.viewer.unwrap().user).await {
            let kind = event.kind.clone();
            if !rules.is_composite(&kind) {
                continue;
            }
            let selection = rules.select(&kind, skipped(who));
            let query = format!("subscription {{ eventAppended {{ __typename ... on {kind} {selection} }} }}");
            let item = Item::Event(Arc::new(event), "cursor".to_owned());
            let answer = story.server.deliver(&who.caller, &query, item).await.unwrap();
            let mut shown = Shown::default();
            shown.look(&answer);
            shown.is_for(who, &story, &rules, &kind);
            kinds.insert(kind);
        }
    }
    assert!(kinds.len() >= 10, "{kinds:?}");
}

async fn only_staff_learn_who_of_them_it_was(server: InProcess) {
    let story = Story::tell(server).await;
    let stream = gigwire::platform::streams::StreamName::announcements();
    let page = story.server.platform().hub.reader().page(&stream, Default::default()).await.unwrap().unwrap();
    let query = "subscription { announcementPublished { ... on AnnouncementAdded { actor { id role } } } }";
    let admin = story.of("User").find(|user| user.owner == "admin").unwrap();
    for who in story.people() {
        let item = Item::Event(Arc::new(page[0].clone()), "cursor".to_owned());
        let answer = story.server.deliver(&who.caller, query, item).await.unwrap();
        let actor = &answer["announcementPublished"]["actor"];
        let wanted = if who.is_staff() { json!(admin.id) } else { Value::Null };
        assert_eq!(*actor, json!({ "id": wanted, "role": "ADMIN" }), "{}", who.name);
    }
}

crate::chat::on_both! {
    each_is_seen_by_those_it_is_for,
    the_query_of_a_kind_answers_as_node_does,
    staff_do_not_follow_into_conversations,
    cursors_of_others_open_nothing,
    events_show_only_what_their_hearer_may_see,
    only_staff_learn_who_of_them_it_was,
}
