//! The shapes that repeat: mutations, payloads, connections, events, objects with ids, and the rules of access.

use gigwire::schema::auth::Access;
use gigwire::server::documents::access::SchemaIndex;

use super::{ROOTS, Sdl, interfaces_of, is_list, keeps, named, tells, text};

/// Lists that cannot grow: they are bounded by what they are.
const SHORT_LISTS: [&str; 17] = [
    "Booking.availableTransitions",
    "Booking.reviews",
    "BookingChange.availableTransitions",
    "Conversation.participants",
    "Dispute.availableTransitions",
    "Dispute.evidenceFiles",
    "Job.availableTransitions",
    "LedgerProof.checks",
    "LedgerProof.currencies",
    "LedgerProof.openHolds",
    "Offer.availableTransitions",
    "Query.nodes",
    "Upload.headers",
    "User.roles",
    "Viewer.sessions",
    "Viewer.wallets",
    "WalletExplanation.movements",
];
/// What every item of a live operation has.
const ENVELOPE: [(&str, &str); 3] = [("id", "ID!"), ("cursor", "String"), ("occurredAt", "DateTime!")];
/// What every object with an id has.
const NODE: [(&str, &str); 4] =
    [("id", "ID!"), ("createdAt", "DateTime!"), ("updatedAt", "DateTime!"), ("version", "Int!")];

fn pascal(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

/// The wanted fields that a type lacks or has with another type.
fn lacking(sdl: &Sdl, ty: &str, wanted: &[(&str, &str)]) -> Vec<String> {
    let missing = wanted
        .iter()
        .filter(|(name, shape)| sdl.field(ty, name).is_none_or(|field| field.ty.node.to_string() != *shape));
    missing.map(|(name, shape)| format!("{ty}.{name}: should be there and a `{shape}`")).collect()
}

fn odd_mutations(sdl: &Sdl) -> Vec<String> {
    let mut wrong = Vec::new();
    for field in sdl.fields_of("Mutation") {
        let place = format!("Mutation.{}", field.name);
        let name = pascal(&field.name.node);
        let arguments: Vec<_> = field.arguments.iter().map(|it| format!("{}: {}", it.node.name, it.node.ty)).collect();
        if arguments != [format!("input: {name}Input!")] {
            wrong.push(format!("{place}: takes `input: {name}Input!` and nothing else"));
        }
        let payload = format!("{name}Payload");
        if field.ty.node.to_string() != payload {
            wrong.push(format!("{place}: gives a nullable `{payload}`"));
        }
        for result in sdl.fields_of(&payload) {
            let place = format!("{payload}.{}", result.name);
            if result.name.node != "userErrors" {
                if !result.ty.node.nullable {
                    wrong.push(format!("{place}: nothing of it is there when it was refused"));
                }
                continue;
            }
            let error = named(&result.ty.node);
            if result.ty.node.to_string() != format!("[{error}!]!") || !sdl.implements(error, "UserError") {
                wrong.push(format!("{place}: is a list of a UserError, without nulls"));
            }
        }
        if sdl.field(&payload, "userErrors").is_none() {
            wrong.push(format!("{payload}: has no userErrors"));
        }
    }
    wrong
}

#[test]
fn mutations_have_one_shape() {
    keeps(odd_mutations);
    let good = "type Mutation { jobPost(input: JobPostInput!): JobPostPayload }
        type JobPostPayload { job: Int userErrors: [JobError!]! } type JobError implements UserError { a: Int }";
    let bad = "type Mutation { jobPost(input: JobInput!): JobPostPayload! jobEnd(id: ID!): JobEndPayload }
        type JobPostPayload { job: Int! userErrors: [Int!]! } type JobEndPayload { job: Int }";
    let places = [
        "Mutation.jobPost",
        "Mutation.jobPost",
        "JobPostPayload.job",
        "JobPostPayload.userErrors",
        "Mutation.jobEnd",
        "JobEndPayload",
    ];
    tells(odd_mutations, good, bad, &places);
}

fn odd_errors(sdl: &Sdl) -> Vec<String> {
    let mut wrong = lacking(sdl, "UserError", &[("field", "[String!]"), ("message", "String!")]);
    for name in sdl.types.keys().filter(|name| sdl.implements(name, "UserError")) {
        let code = format!("{name}Code");
        wrong.extend(lacking(sdl, name, &[("code", &format!("{code}!"))]));
        if !sdl.is_enum(&code) {
            wrong.push(format!("{code}: is the enum of the codes of {name}"));
        }
    }
    wrong
}

#[test]
fn refusals_carry_a_code_of_their_domain() {
    keeps(odd_errors);
    let interface = "interface UserError { field: [String!] message: String! }";
    let good =
        format!("{interface} type JobError implements UserError {{ code: JobErrorCode! }} enum JobErrorCode {{ A }}");
    let bad = "interface UserError { message: String } type JobError implements UserError { code: String! }";
    tells(odd_errors, &good, bad, &["UserError.field", "UserError.message", "JobError.code", "JobErrorCode"]);
}

/// Whether the entries of a list are objects, which may become more without limit.
fn can_grow(sdl: &Sdl, ty: &str) -> bool {
    use async_graphql::parser::types::TypeKind::{Enum, Interface, Object, Union};
    let is_value = |ty: &str| sdl.implements(ty, "UserError") || ty.ends_with("Edge");
    sdl.is(ty, |kind| matches!(kind, Object(_) | Interface(_) | Union(_) | Enum(_))) && !is_value(ty)
}

fn bare_lists(sdl: &Sdl) -> Vec<String> {
    let lists = sdl.fields().filter(|(ty, field)| is_list(&field.ty.node) && !ty.ends_with("Connection"));
    let growing = lists.filter(|(_, field)| can_grow(sdl, named(&field.ty.node)));
    let places = growing.map(|(ty, field)| format!("{ty}.{}", field.name));
    let bare = places.filter(|place| !SHORT_LISTS.contains(&place.as_str()));
    bare.map(|place| format!("{place}: is a list that can grow; make it a connection")).collect()
}

fn odd_connections(sdl: &Sdl) -> Vec<String> {
    let mut wrong = Vec::new();
    for connection in sdl.types.keys() {
        let Some(entry) = connection.strip_suffix("Connection") else { continue };
        let (edges, nodes) = (format!("[{entry}Edge!]!"), format!("[{entry}!]!"));
        let wanted = [("edges", &*edges), ("nodes", &nodes), ("pageInfo", "PageInfo!"), ("totalCount", "Int!")];
        wrong.extend(lacking(sdl, connection, &wanted));
        let node = format!("{entry}!");
        wrong.extend(lacking(sdl, &format!("{entry}Edge"), &[("cursor", "String!"), ("node", &node)]));
    }
    for (ty, field) in sdl.fields().filter(|(_, field)| named(&field.ty.node).ends_with("Connection")) {
        let argument = |name: &str, ty: &str| {
            field.arguments.iter().any(|it| it.node.name.node == name && it.node.ty.to_string() == ty)
        };
        let is_paged = |size: &str, from: &str| argument(size, "Int") && argument(from, "String");
        let is_half = argument("last", "Int") != argument("before", "String");
        if field.ty.node.nullable || !is_paged("first", "after") || is_half {
            wrong.push(format!("{ty}.{}: is never null and takes first and after, or last and before too", field.name));
        }
    }
    wrong
}

#[test]
fn lists_that_can_grow_are_connections() {
    keeps(bare_lists);
    keeps(odd_connections);
    let good = "type User { jobs: JobConnection roles: [Role!] names: [String!] } type Job { id: ID }
        type JobConnection { nodes: [Job!]! } enum Role { A }";
    tells(bare_lists, good, "type User { jobs: [Job!]! } type Job { id: ID }", &["User.jobs"]);
    let shape = "type JobConnection { edges: [JobEdge!]! nodes: [Job!]! pageInfo: PageInfo! totalCount: Int! }
        type JobEdge { cursor: String! node: Job! }";
    let good = format!("{shape} type User {{ jobs(first: Int, after: String): JobConnection! }}");
    let bad = "type JobConnection { nodes: [Job]! pageInfo: PageInfo! totalCount: Int } type JobEdge { node: Job! }
        type User { jobs(first: Int, after: ID): JobConnection! old(first: Int, after: String): JobConnection }";
    let places = [
        "JobConnection.edges",
        "JobConnection.nodes",
        "JobConnection.totalCount",
        "JobEdge.cursor",
        "User.jobs",
        "User.old",
    ];
    tells(odd_connections, &good, bad, &places);
}

#[test]
fn the_lists_that_stay_short_are_there() {
    let api = Sdl::api();
    for place in SHORT_LISTS {
        let (ty, field) = place.split_once('.').unwrap();
        assert!(api.field(ty, field).is_some_and(|field| is_list(&field.ty.node)), "{place}");
    }
}

fn odd_events(sdl: &Sdl) -> Vec<String> {
    let markers = ["StreamResumed", "StreamGap", "StreamCheckpoint"];
    let mut wrong = Vec::new();
    for field in sdl.fields_of("Subscription") {
        let item = named(&field.ty.node);
        if field.ty.node.to_string() != format!("{item}!") {
            wrong.push(format!("Subscription.{}: each item is there", field.name));
        }
        wrong.extend(lacking(sdl, item, &ENVELOPE));
        let is_durable = item.ends_with("Event");
        let can_resume =
            field.arguments.iter().any(|it| it.node.name.node == "after" && it.node.ty.to_string() == "String");
        if is_durable != can_resume {
            wrong.push(format!("Subscription.{}: takes `after` exactly when its events are kept", field.name));
        }
        if !is_durable {
            continue;
        }
        let missing = markers.iter().filter(|marker| !sdl.implements(marker, item));
        wrong.extend(missing.map(|marker| format!("{marker}: does not speak in {item}")));
        let members = sdl.types.iter().filter(|(_, ty)| interfaces_of(ty).any(|name| name == item));
        let silent = members.filter(|(name, _)| !sdl.implements(name, "StreamEvent"));
        wrong.extend(silent.map(|(name, _)| format!("{name}: is missing from StreamEvent")));
    }
    wrong
}

#[test]
fn events_have_one_envelope() {
    keeps(odd_events);
    let envelope = "id: ID! cursor: String occurredAt: DateTime!";
    let good = format!(
        "type Subscription {{ jobChanged(after: String): JobEvent! typingChanged: Signal! }} type Signal {{ {envelope} }}
        interface JobEvent {{ {envelope} }} type JobPosted implements JobEvent & StreamEvent {{ {envelope} }}
        type StreamResumed implements JobEvent & StreamEvent {{ a: Int }}
        type StreamGap implements JobEvent & StreamEvent {{ a: Int }}
        type StreamCheckpoint implements JobEvent & StreamEvent {{ a: Int }}"
    );
    let bad = "type Subscription { jobChanged: JobEvent } interface JobEvent { id: ID! cursor: ID }
        type JobPosted implements JobEvent { id: ID! } type StreamGap implements JobEvent & StreamEvent { a: Int }
        type StreamResumed implements JobEvent & StreamEvent { a: Int }";
    let places = [
        "Subscription.jobChanged",
        "JobEvent.cursor",
        "JobEvent.occurredAt",
        "Subscription.jobChanged",
        "StreamCheckpoint",
        "JobPosted",
    ];
    tells(odd_events, &good, bad, &places);
}

fn odd_nodes(sdl: &Sdl) -> Vec<String> {
    let nodes = sdl.types.keys().filter(|name| sdl.implements(name, "Node"));
    let wrong = nodes.flat_map(|name| lacking(sdl, name, &NODE));
    // An object that changes and has an id can be fetched by it.
    let versioned = sdl
        .types
        .keys()
        .filter(|name| NODE.iter().all(|(field, _)| sdl.field(name, field).is_some()) && !sdl.implements(name, "Node"));
    wrong.chain(versioned.map(|name| format!("{name}: has an id and a version but is no Node"))).collect()
}

#[test]
fn objects_with_ids_have_their_instants_and_version() {
    keeps(odd_nodes);
    let all = "id: ID! createdAt: DateTime! updatedAt: DateTime! version: Int!";
    let good = format!("type Job implements Node {{ {all} }}");
    let bad =
        format!("type Job implements Node {{ id: ID! version: BigInt! createdAt: DateTime! }} type Offer {{ {all} }}");
    tells(odd_nodes, &good, &bad, &["Job.updatedAt", "Job.version", "Offer"]);
}

fn rows_at_roots(sdl: &Sdl) -> Vec<String> {
    let rule = |field: &async_graphql::parser::types::FieldDefinition| {
        let auth = field.directives.iter().find(|directive| directive.node.name.node == "auth")?;
        auth.node.get_argument("requires").map(|value| value.node.to_string())
    };
    let roots = ROOTS.iter().flat_map(|root| sdl.fields_of(root).map(move |field| (root, field)));
    let by_row = |name: Option<String>| {
        [Access::SelfOnly, Access::Party].iter().any(|access| name.as_deref() == Some(access.name()))
    };
    roots
        .filter(|(_, field)| by_row(rule(field)))
        .map(|(root, field)| format!("{root}.{}: has no row yet that could belong to somebody", field.name))
        .collect()
}

#[test]
fn roots_have_rules_about_the_viewer_alone() {
    keeps(rows_at_roots);
    let bad =
        "type Query { a: Int @auth(requires: SELF) b: Int @auth(requires: PARTY) c: Int @auth(requires: PUBLIC) }";
    tells(rows_at_roots, "type Job { a: Int @auth(requires: SELF) }", bad, &["Query.a", "Query.b"]);
}

#[test]
fn every_field_has_a_rule_and_no_interface_goes_around_it() {
    let index = SchemaIndex::from_sdl(&text()).unwrap();
    assert_eq!(index.fields_without_rule(), Vec::<String>::new());
    assert_eq!(index.interfaces_too_open(), Vec::<String>::new());
    let bare = "type Query { a: Int } interface Node @auth(requires: PUBLIC) { id: ID! }
        type Job implements Node @auth(requires: ADMIN) { id: ID! }";
    let index = SchemaIndex::from_sdl(bare).unwrap();
    assert_eq!(index.fields_without_rule(), ["Query.a"]);
    assert_eq!(index.interfaces_too_open(), ["Node.id < Job.id"]);
}
