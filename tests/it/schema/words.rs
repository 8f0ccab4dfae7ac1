//! Names and descriptions.

use async_graphql::parser::types::TypeKind;

use super::{ROOTS, Sdl, keeps, named, said, tells};

/// What mutations and subscriptions are about: the nouns of the features.
const NOUNS: [&str; 19] = [
    "account",
    "adminAlert",
    "announcement",
    "booking",
    "connection",
    "conversation",
    "deposit",
    "dispute",
    "email",
    "job",
    "message",
    "notification",
    "offer",
    "review",
    "profile",
    "session",
    "typing",
    "upload",
    "user",
];
/// What only subscriptions are about.
const STREAMS: [&str; 5] = ["adminStats", "earning", "event", "presence", "wallet"];
/// What has happened, at the end of a subscription's name.
const PARTICIPLES: [&str; 5] = ["Appended", "Changed", "Published", "Raised", "Received"];
/// Booleans that are words of the specification of connections or of a switch in an input.
const BOOLEANS: [&str; 2] = ["NotificationMarkReadInput.all", "SessionSignOutInput.all"];
/// Instants that are called by a word of their own.
const INSTANTS: [&str; 3] = ["Transition.deadline", "UserBlock.blockUntil", "UserBlockInput.blockUntil"];
/// Ids that are no references into the API: keys of clients and of logs.
const FOREIGN_IDS: [&str; 2] = ["clientMessageId", "requestId"];

fn undescribed(sdl: &Sdl) -> Vec<String> {
    let silent = |is_silent: bool, place: String| is_silent.then(|| format!("{place}: has no description"));
    let types = sdl.types.iter().map(|(name, ty)| silent(said(&ty.description).is_none(), name.clone()));
    let fields = sdl.fields().map(|(ty, it)| silent(said(&it.description).is_none(), format!("{ty}.{}", it.name)));
    let inputs = sdl.inputs().into_iter().map(|(place, it)| silent(said(&it.description).is_none(), place));
    let values = sdl.values().into_iter().map(|(ty, value, text)| silent(text.is_none(), format!("{ty}.{value}")));
    let directives = sdl.directives.iter().map(|it| silent(said(&it.description).is_none(), format!("@{}", it.name)));
    types.chain(fields).chain(inputs).chain(values).chain(directives).flatten().collect()
}

#[test]
fn everything_is_described() {
    keeps(undescribed);
    let good = r#""A." directive @a("B." b: Int) on OBJECT "Q." type Query { "A." a("B." b: Int): C } "C." enum C { "D." D }
        "I." input I { "A." a: Int } "S." scalar S"#;
    let bad =
        r#"directive @a(b: Int) on OBJECT type Query { a(b: Int): C } "  " enum C { D } input I { a: Int } scalar S"#;
    let places = ["C", "I", "Query", "S", "Query.a", "Query.a(b:)", "I.a", "@a(b:)", "C.D", "@a"];
    tells(undescribed, good, bad, &places);
}

fn unspecified_scalars(sdl: &Sdl) -> Vec<String> {
    let scalars = sdl.types.iter().filter(|(_, ty)| matches!(ty.kind, TypeKind::Scalar));
    scalars
        .flat_map(|(name, ty)| {
            let is_specified = ty.directives.iter().any(|directive| directive.node.name.node == "specifiedBy");
            let has_example = said(&ty.description).is_some_and(|text| text.matches('`').count() >= 2);
            [
                (!is_specified).then(|| format!("{name}: has no @specifiedBy")),
                (!has_example).then(|| format!("{name}: shows no example in backticks")),
            ]
        })
        .flatten()
        .collect()
}

#[test]
fn scalars_name_their_form_and_an_example() {
    keeps(unspecified_scalars);
    let good = r#""A day: `2026-03-01`." scalar Date @specifiedBy(url: "https://example.org")"#;
    tells(unspecified_scalars, good, r#""A day." scalar Date"#, &["Date", "Date"]);
}

fn misnamed_operations(sdl: &Sdl) -> Vec<String> {
    let verb = |name: &str, nouns: &[&str]| {
        let rest = nouns.iter().find_map(|noun| name.strip_prefix(noun))?;
        rest.starts_with(|first: char| first.is_ascii_uppercase()).then(|| rest.to_owned())
    };
    let mutations = sdl.fields_of("Mutation").filter(|field| verb(&field.name.node, &NOUNS).is_none());
    let mut wrong: Vec<_> =
        mutations.map(|field| format!("Mutation.{}: begins with no noun of a feature", field.name)).collect();
    let nouns = [&NOUNS[..], &STREAMS[..]].concat();
    for field in sdl.fields_of("Subscription") {
        let participle = verb(&field.name.node, &nouns);
        if !participle.is_some_and(|participle| PARTICIPLES.contains(&participle.as_str())) {
            wrong.push(format!("Subscription.{}: is no noun with a participle", field.name));
        }
    }
    wrong
}

#[test]
fn operations_begin_with_their_noun() {
    keeps(misnamed_operations);
    let good = "type Mutation { jobPost: Int } type Subscription { jobChanged: Int walletChanged: Int }";
    let bad =
        "type Mutation { postJob: Int jobs: Int walletFill: Int } type Subscription { onJob: Int jobChange: Int }";
    let places =
        ["Mutation.postJob", "Mutation.jobs", "Mutation.walletFill", "Subscription.onJob", "Subscription.jobChange"];
    tells(misnamed_operations, good, bad, &places);
}

/// Whether a name in camel case holds a word.
fn has_word(name: &str, word: &str) -> bool {
    name.match_indices(word).any(|(at, _)| !name[at + word.len()..].starts_with(|c: char| c.is_ascii_lowercase()))
}

fn padded_names(sdl: &Sdl) -> Vec<String> {
    let types = sdl.types.keys().filter(|name| ["Enum", "Type"].iter().any(|word| has_word(name, word)));
    let types = types.map(|name| format!("{name}: says what it is, not what it means"));
    let getters = sdl.fields().filter(|(_, field)| {
        let name = &field.name.node;
        ["get", "fetch", "list"].iter().any(|verb| {
            name.strip_prefix(verb).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
        })
    });
    types.chain(getters.map(|(ty, field)| format!("{ty}.{}: reading needs no verb", field.name))).collect()
}

#[test]
fn names_carry_no_padding() {
    keeps(padded_names);
    let good = "type Typing { getter: Int } enum Enumeration { A }";
    let bad = "type JobType { getJob: Int } enum EnumJob { A } enum JobEnum { A }";
    tells(padded_names, good, bad, &["EnumJob", "JobEnum", "JobType", "JobType.getJob"]);
}

/// The places that hold values, as (place, name, type, whether it is a list).
fn places(sdl: &Sdl) -> Vec<(String, &str, &str)> {
    let fields = sdl.fields().map(|(ty, it)| (format!("{ty}.{}", it.name), it.name.node.as_str(), named(&it.ty.node)));
    let inputs = sdl.inputs().into_iter().map(|(place, it)| (place, it.name.node.as_str(), named(&it.ty.node)));
    fields.chain(inputs).collect()
}

fn misnamed_values(sdl: &Sdl) -> Vec<String> {
    let mut wrong = Vec::new();
    for (place, name, ty) in places(sdl) {
        let asks = ["is", "has", "can"].iter().any(|word| {
            name.strip_prefix(word).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
        });
        let why = match ty {
            "Boolean" if !asks && !BOOLEANS.contains(&place.as_str()) => "a boolean begins with is, has or can",
            "DateTime" if !name.ends_with("At") && name != "at" && !INSTANTS.contains(&place.as_str()) => {
                "an instant ends in At"
            }
            "Date" if !name.ends_with("On") => "a day ends in On",
            "String" | "Int" | "BigInt" | "Float" if name.ends_with("At") => "an instant is a DateTime",
            "ID" | "Boolean" | "DateTime" | "Date" => continue,
            _ if (name == "id" || name == "ids" || name.ends_with("Id") || name.ends_with("Ids"))
                && !FOREIGN_IDS.contains(&name) =>
            {
                "an id is of the type ID"
            }
            _ => continue,
        };
        wrong.push(format!("{place}: {why}"));
    }
    wrong
}

#[test]
fn names_tell_the_kind_of_a_value() {
    keeps(misnamed_values);
    let good = "type A { isOpen: Boolean hasMore: Boolean sentAt: DateTime bornOn: Date id: ID requestId: String
        job(jobId: ID, ids: [ID!]): Int }";
    let bad = "type A { open: Boolean issue: Boolean sent: DateTime sentAt: String id: Int job(jobId: String): Int }";
    tells(misnamed_values, good, bad, &["A.open", "A.issue", "A.sent", "A.sentAt", "A.id", "A.job(jobId:)"]);
}

fn quiet_enum_values(sdl: &Sdl) -> Vec<String> {
    let is_loud = |value: &str| {
        value.starts_with(|first: char| first.is_ascii_uppercase())
            && value.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && !value.contains("__")
            && !value.ends_with('_')
    };
    let values = sdl.values();
    let quiet = values.iter().filter(|(_, value, _)| !is_loud(value));
    quiet.map(|(ty, value, _)| format!("{ty}.{value}: enum values are in SCREAMING_CASE")).collect()
}

#[test]
fn enum_values_scream() {
    keeps(quiet_enum_values);
    tells(quiet_enum_values, "enum A { OPEN TO_DO V2 }", "enum A { Open TODO_ }", &["A.Open", "A.TODO_"]);
}

fn misspelt(sdl: &Sdl) -> Vec<String> {
    let is_camel = |name: &str, is_upper: bool| {
        let starts = |first: char| if is_upper { first.is_ascii_uppercase() } else { first.is_ascii_lowercase() };
        name.starts_with(starts) && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let types = sdl.types.keys().filter(|name| !is_camel(name, true));
    let types = types.map(|name| format!("{name}: types are in PascalCase"));
    let values = places(sdl).into_iter().filter(|(_, name, _)| !is_camel(name, false));
    types.chain(values.map(|(place, ..)| format!("{place}: names are in camelCase"))).collect()
}

#[test]
fn names_have_one_spelling() {
    keeps(misspelt);
    tells(
        misspelt,
        "type Job { budgetAtLeast(a2: Int): Int }",
        "type job { Id: Int a_b: Int }",
        &["job", "job.Id", "job.a_b"],
    );
}

#[test]
fn the_lists_of_words_hold_nothing_that_is_gone() {
    let api = Sdl::api();
    let is_used = |noun: &str| {
        let mut roots = ROOTS[1..].iter().flat_map(|root| api.fields_of(root));
        roots.any(|field| field.name.node.starts_with(noun))
    };
    for noun in NOUNS.iter().chain(&STREAMS) {
        assert!(is_used(noun), "{noun}");
    }
    for place in BOOLEANS.iter().chain(&INSTANTS) {
        assert!(places(&api).iter().any(|(known, ..)| known == *place), "{place}");
    }
    for id in FOREIGN_IDS {
        assert!(places(&api).iter().any(|(_, name, _)| *name == id), "{id}");
    }
}
