//! What is referred to how, what may be null, how lists and changes are asked for, and how things go out of use.

use async_graphql::Positioned;
use async_graphql::parser::types::{ConstDirective, FieldDefinition, TypeKind};

use super::{Sdl, is_list, keeps, named, tells};

/// Lists that may be missing: kept from others, or optional by their meaning.
const ABSENT_LISTS: [&str; 2] = ["User.roles", "UserError.field"];
/// Lists with holes: one place for each id that was asked for.
const HOLES: [&str; 1] = ["Query.nodes"];
/// Ids and enums that may be missing: timers and tasks are nobody, a transition changes only what it concerns, and
/// most offers are not declined.
const ABSENT_VALUES: [&str; 8] = [
    "EventActor.id",
    "EventActor.role",
    "Offer.declineReason",
    "TransitionPreview.bookingStatus",
    "TransitionPreview.changeStatus",
    "TransitionPreview.disputeStatus",
    "TransitionPreview.jobStatus",
    "TransitionPreview.offerStatus",
];
/// Users that may be missing: nobody did it yet, or its cause ended by itself.
const ABSENT_USERS: [&str; 1] = ["AdminAlert.dismissedBy"];
/// Entries of lists that never change and that nobody fetches by themselves.
const LINES: [&str; 3] = ["StatementLine", "Transaction", "WalletReserve"];
/// All scalars of our own.
const SCALARS: [&str; 10] =
    ["BigInt", "CurrencyCode", "Date", "DateTime", "Decimal", "EmailAddress", "JSON", "PhoneNumber", "TimeZone", "URL"];
/// Texts with a form: how their names end, and their scalar.
const FORMS: [(&str, &str); 5] = [
    ("currency", "CurrencyCode"),
    ("email", "EmailAddress"),
    ("phone", "PhoneNumber"),
    ("timezone", "TimeZone"),
    ("url", "URL"),
];

fn is_payload(ty: &str) -> bool {
    ty.ends_with("Payload")
}

/// Whether a place stands on a list, by itself or through an interface of its type.
fn is_known(sdl: &Sdl, list: &[&str], ty: &str, field: &str) -> bool {
    list.iter().any(|place| {
        place.split_once('.').is_some_and(|(owner, name)| name == field && (owner == ty || sdl.implements(ty, owner)))
    })
}

fn bare_references(sdl: &Sdl) -> Vec<String> {
    let ids = sdl.fields().filter(|(_, field)| named(&field.ty.node) == "ID");
    let bare = ids.filter(|(ty, field)| {
        let name = field.name.node.as_str();
        let is_deleted = is_payload(ty) && name.starts_with("deleted");
        (name.ends_with("Id") || name.ends_with("Ids")) && !is_deleted
    });
    bare.map(|(ty, field)| format!("{ty}.{}: refer to the object, not to its id", field.name)).collect()
}

#[test]
fn objects_refer_to_objects() {
    keeps(bare_references);
    let good = "type Offer { id: ID! job: Job! } type JobDeletePayload { deletedJobId: ID }
        type Job { offers(offerId: ID): Int requestId: String! }";
    let bad = "type Offer { jobId: ID! friendIds: [ID!]! deletedJobId: ID }";
    tells(bare_references, good, bad, &["Offer.jobId", "Offer.friendIds", "Offer.deletedJobId"]);
}

fn odd_deletes(sdl: &Sdl) -> Vec<String> {
    let deletes = sdl.fields_of("Mutation").filter(|field| field.name.node.ends_with("Delete"));
    let silent = deletes.filter(|field| {
        let is_id = |it: &FieldDefinition| {
            let name = it.name.node.as_str();
            name.starts_with("deleted") && name.ends_with("Id") && it.ty.node.to_string() == "ID"
        };
        !sdl.fields_of(named(&field.ty.node)).any(is_id)
    });
    silent
        .map(|field| format!("Mutation.{}: says the id of what is gone, as `deletedNounId: ID`", field.name))
        .collect()
}

#[test]
fn deletes_say_what_is_gone() {
    keeps(odd_deletes);
    let good = "type Mutation { jobDelete: JobDeletePayload } type JobDeletePayload { deletedJobId: ID }";
    let bad =
        "type Mutation { jobDelete: JobDeletePayload } type JobDeletePayload { deletedJobId: ID! isDone: Boolean }";
    tells(odd_deletes, good, bad, &["Mutation.jobDelete"]);
}

fn odd_updates(sdl: &Sdl) -> Vec<String> {
    let mut wrong = Vec::new();
    for input in sdl.names().filter(|name| name.ends_with("UpdateInput")) {
        for field in sdl.inputs_of(input) {
            let (name, ty) = (field.name.node.as_str(), field.ty.node.to_string());
            let is_target = (name == "id" || name.ends_with("Id")) && ty == "ID!";
            let why = match name {
                "expectedVersion" if ty != "Int" => "the version that the client saw is an `Int`, and optional",
                _ if !is_target && !field.ty.node.nullable => "what an update leaves out stays: it is nullable",
                _ if field.default_value.is_some() => "a default would overwrite what was left out",
                _ => continue,
            };
            wrong.push(format!("{input}.{name}: {why}"));
        }
    }
    wrong
}

#[test]
fn updates_keep_what_they_leave_out() {
    keeps(odd_updates);
    let good = "input JobUpdateInput { jobId: ID! title: String expectedVersion: Int }";
    let bad = "input JobUpdateInput { jobId: ID! title: String! size: Int = 1 expectedVersion: BigInt }";
    let places = ["JobUpdateInput.title", "JobUpdateInput.size", "JobUpdateInput.expectedVersion"];
    tells(odd_updates, good, bad, &places);
}

fn odd_questions(sdl: &Sdl) -> Vec<String> {
    let mut wrong = Vec::new();
    for (ty, field) in sdl.fields() {
        for argument in &field.arguments {
            let (name, shape) = (argument.node.name.node.as_str(), argument.node.ty.to_string());
            let suffix = match name {
                "filter" => "Filter",
                "orderBy" => "Order",
                _ => continue,
            };
            if !shape.ends_with(suffix) || sdl.inputs_of(&shape).is_empty() {
                wrong.push(format!("{ty}.{}({name}:): is an optional input `..{suffix}`", field.name));
            }
        }
    }
    for name in sdl.names() {
        let shapes = || sdl.inputs_of(name).into_iter().map(|it| format!("{}: {}", it.name, it.ty)).collect::<Vec<_>>();
        let is_input = sdl.is(name, |kind| matches!(kind, TypeKind::InputObject(_)));
        if is_input && name.ends_with("Filter") && sdl.inputs_of(name).iter().any(|it| !it.ty.node.nullable) {
            wrong.push(format!("{name}: conditions that are absent let everything pass"));
        }
        if is_input && name.ends_with("Order") {
            let wanted = ["direction: OrderDirection!".to_owned(), format!("field: {name}Field!")];
            if shapes() != wanted || !sdl.is_enum(&format!("{name}Field")) {
                wrong.push(format!("{name}: has a direction, and a field from an enum of its own"));
            }
        }
    }
    wrong
}

#[test]
fn lists_are_filtered_and_ordered_alike() {
    keeps(odd_questions);
    let good = "type Query { jobs(filter: JobFilter, orderBy: JobOrder): Int } input JobFilter { a: Int }
        input JobOrder { direction: OrderDirection! field: JobOrderField! } enum JobOrderField { A }";
    let bad = "type Query { jobs(filter: JobFilter!, orderBy: String): Int } input JobFilter { a: Int! }
        input JobOrder { field: JobOrderField! } enum JobOrderField { A }";
    tells(odd_questions, good, bad, &["Query.jobs(filter:)", "Query.jobs(orderBy:)", "JobFilter", "JobOrder"]);
}

fn odd_nulls(sdl: &Sdl) -> Vec<String> {
    let mut wrong = Vec::new();
    for (ty, field) in sdl.fields().filter(|(ty, _)| !is_payload(ty)) {
        let (name, shape, inner) = (field.name.node.as_str(), &field.ty.node, named(&field.ty.node));
        let known = |list: &[&str]| is_known(sdl, list, ty, name);
        let is_lookup = ty == "Query" && sdl.implements(inner, "Node");
        let why = if is_list(shape) {
            match shape.to_string() {
                text if text == format!("[{inner}!]!") => continue,
                text if text == format!("[{inner}!]") && known(&ABSENT_LISTS) => continue,
                text if text == format!("[{inner}]!") && known(&HOLES) => continue,
                _ => "a list is always there, and so are its entries",
            }
        } else if is_lookup && !shape.nullable {
            "who asks for one by its id may find nothing"
        } else if !is_lookup && shape.nullable && inner == "User" && !known(&ABSENT_USERS) {
            "users are never hidden"
        } else if shape.nullable && (name == "id" || sdl.is_enum(inner)) && !known(&ABSENT_VALUES) {
            "ids and enums are always there"
        } else {
            continue;
        };
        wrong.push(format!("{ty}.{name}: {why}"));
    }
    wrong
}

#[test]
fn null_means_something() {
    keeps(odd_nulls);
    let common = "enum Status { OPEN } type User { id: ID! roles: [Status!] } interface UserError { field: [String!] }
        type JobError implements UserError { field: [String!] } type JobPayload { user: User status: Status }
        type Job implements Node { id: ID! }";
    let good = format!(
        "{common} type Query {{ job: Job nodes: [Node]! }} type Offer {{ by: User! status: Status! all: [Job!]! }}"
    );
    let bad = "enum Status { OPEN } type Job implements Node { id: ID } type User { id: ID! } type Query { job: Job! }
        type Offer { by: User status: Status all: [Job!] holes: [Job]! }";
    let places = ["Job.id", "Offer.by", "Offer.status", "Offer.all", "Offer.holes", "Query.job"];
    tells(odd_nulls, &good, bad, &places);
}

fn odd_entries(sdl: &Sdl) -> Vec<String> {
    let entries = sdl.names().filter_map(|name| name.strip_suffix("Connection"));
    // Events pass; what clients keep are the objects in them.
    let is_event = |name: &str| name.ends_with("Event") && sdl.is(name, |kind| matches!(kind, TypeKind::Interface(_)));
    let plain = entries.filter(|name| !sdl.implements(name, "Node") && !LINES.contains(name) && !is_event(name));
    plain.map(|name| format!("{name}: is in a list, so clients keep it by its id: make it a Node")).collect()
}

#[test]
fn entries_of_lists_are_nodes() {
    keeps(odd_entries);
    let good =
        "type JobConnection { a: Int } type Job implements Node { a: Int } type TransactionConnection { a: Int }";
    tells(odd_entries, good, "type JobConnection { a: Int } type Job { a: Int }", &["Job"]);
}

fn odd_forms(sdl: &Sdl) -> Vec<String> {
    let own = sdl.names().filter(|name| sdl.is(name, |kind| matches!(kind, TypeKind::Scalar)));
    let mut wrong: Vec<_> =
        own.filter(|name| !SCALARS.contains(name)).map(|name| format!("{name}: is no agreed scalar")).collect();
    let fields = sdl.fields().map(|(ty, it)| (format!("{ty}.{}", it.name), it.name.node.as_str(), named(&it.ty.node)));
    let inputs = sdl.inputs().into_iter().map(|(place, it)| (place, it.name.node.as_str(), named(&it.ty.node)));
    for (place, name, ty) in fields.chain(inputs).filter(|(_, _, ty)| *ty == "String") {
        let name = name.to_ascii_lowercase();
        if let Some((_, scalar)) = FORMS.iter().find(|(end, _)| name.ends_with(end)) {
            wrong.push(format!("{place}: is a {scalar}, not a {ty}"));
        }
    }
    wrong
}

#[test]
fn texts_with_a_form_have_their_scalar() {
    keeps(odd_forms);
    let good = "scalar URL type A { url: URL email: EmailAddress name: String a(homeUrl: URL): Int }";
    let bad = "scalar Colour type A { imageUrl: String a(timeZone: String): Int } input I { email: String! }";
    tells(odd_forms, good, bad, &["Colour", "A.imageUrl", "A.a(timeZone:)", "I.email"]);
}

/// Every place that can go out of use, with its directives.
fn all_directives(sdl: &Sdl) -> Vec<(String, &[Positioned<ConstDirective>])> {
    let fields = sdl.fields().map(|(ty, it)| (format!("{ty}.{}", it.name), &it.directives[..]));
    let inputs = sdl.inputs().into_iter().map(|(place, it)| (place, &it.directives[..]));
    let values = sdl.types.iter().flat_map(|(name, ty)| {
        match &ty.kind {
            TypeKind::Enum(all) => &all.values[..],
            _ => &[],
        }
        .iter()
        .map(move |it| (format!("{name}.{}", it.node.value), &it.node.directives[..]))
    });
    fields.chain(inputs).chain(values).collect()
}

/// Whether a reason names a replacement, and then a day: `Use `x`. Removal on 2026-03-01 UTC.`
fn is_dated(reason: &str) -> bool {
    let form = |day: &str| {
        day.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>() == "0000-00-00 UTC."
    };
    reason.split_once(" Removal on ").is_some_and(|(replacement, day)| replacement.contains('`') && form(day))
}

fn odd_farewells(sdl: &Sdl) -> Vec<String> {
    let mut wrong = Vec::new();
    for (place, directives) in all_directives(sdl) {
        for directive in directives.iter().filter(|it| it.node.name.node == "deprecated") {
            let reason = directive.node.get_argument("reason").map(|value| value.node.to_string());
            if !reason.is_some_and(|text| is_dated(text.trim_matches('"'))) {
                wrong.push(format!("{place}: its reason names the replacement, and `Removal on YYYY-MM-DD UTC.`"));
            }
        }
    }
    wrong
}

#[test]
fn what_goes_says_when_and_what_comes() {
    keeps(odd_farewells);
    let good = "type A { a: Int @deprecated(reason: \"Use `b`. Removal on 2027-01-31 UTC.\") b(c: Int): Int }";
    let bad = "type A { a: Int @deprecated b(c: Int @deprecated(reason: \"Use `d`.\")): Int }
        enum E { F @deprecated(reason: \"Old. Removal on 2027-01-31 UTC.\") }";
    tells(odd_farewells, good, bad, &["A.a", "A.b(c:)", "E.F"]);
}

/// What an object that lives through states tells of its next steps, once it tells.
fn odd_steps(sdl: &Sdl) -> Vec<String> {
    let steps = sdl.fields().filter(|(_, field)| field.name.node == "availableTransitions");
    let odd = steps.filter(|(_, field)| {
        let step = named(&field.ty.node);
        let name = sdl.field(step, "name").map(|it| named(&it.ty.node));
        let parts = ["label", "deadline", "moneyEffect", "refusedBecause"];
        field.ty.node.to_string() != format!("[{step}!]!")
            || !name.is_some_and(|name| sdl.is_enum(name))
            || parts.iter().any(|part| sdl.field(step, part).is_none())
    });
    odd.map(|(ty, field)| format!("{ty}.{}: is a list of steps, named by an enum, each with what it does", field.name))
        .collect()
}

#[test]
fn next_steps_have_one_shape() {
    keeps(odd_steps);
    let good = "type Job { availableTransitions: [Step!]! } enum Name { A }
        type Step { name: Name! label: String! deadline: Int moneyEffect: Int refusedBecause: String }";
    let bad = "type Job { availableTransitions: [Step!] } type Step { name: String! }";
    tells(odd_steps, good, bad, &["Job.availableTransitions"]);
}

#[test]
fn the_exceptions_are_there() {
    let api = Sdl::api();
    for place in ABSENT_LISTS.iter().chain(&HOLES).chain(&ABSENT_VALUES).chain(&ABSENT_USERS) {
        let (ty, field) = place.split_once('.').unwrap();
        assert!(api.field(ty, field).is_some(), "{place}");
    }
    for name in LINES {
        assert!(api.is(name, |kind| matches!(kind, TypeKind::Object(_))), "{name}");
    }
}
