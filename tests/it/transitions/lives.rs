//! The tables themselves: no state that is never reached, no end that goes on, no name that nobody knows.

use std::collections::BTreeSet;
use std::process::Command;

use gigwire::features::lives;
use gigwire::features::wallet::outcomes::{self, TABLE};
use gigwire::kernel::By;
use gigwire::kernel::life::{Chart, Line};

use crate::schema::Sdl;

/// States that the API knows already and nothing leads to yet, each with what is missing. A line goes with its reason.
const WAITING: [(&str, &str, &str); 2] =
    [("job", "DRAFT", "jobs are posted at once"), ("booking", "REQUESTED", "nothing is booked from a listing")];

/// The tasks that take steps.
const TASKS: [&str; 7] = [
    gigwire::features::jobs::model::EXPIRE,
    gigwire::features::offers::model::EXPIRE,
    gigwire::features::bookings::model::TIME_OUT,
    gigwire::features::bookings::model::LAPSE,
    gigwire::features::bookings::model::RELEASE,
    gigwire::features::changes::model::EXPIRE,
    gigwire::features::disputes::model::ESCALATE,
];

/// States that a life reaches from its beginnings.
fn reached(chart: &Chart) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    loop {
        let leads = |line: &&Line| line.from.is_empty() || line.from.iter().any(|from| found.contains(from));
        let next: Vec<_> = chart.lines.iter().filter(leads).map(|line| line.to).collect();
        let before = found.len();
        found.extend(next);
        if found.len() == before {
            return found;
        }
    }
}

/// Everything that is wrong with the form of a life.
fn faults(chart: &Chart, waiting: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let reached = reached(chart);
    for state in &chart.states {
        let goes_on = chart.lines.iter().any(|line| line.from.contains(state) && line.to != *state);
        let is_end = chart.ends.contains(state);
        let waits = waiting.contains(state);
        if reached.contains(state) == waits {
            wrong.push(format!("{state}: {}", if waits { "is reached, and waits" } else { "is never reached" }));
        }
        if goes_on && is_end {
            wrong.push(format!("{state}: is an end and goes on"));
        }
        if !goes_on && !is_end && !waits {
            wrong.push(format!("{state}: has no way on, and is no end"));
        }
    }
    for line in &chart.lines {
        if line.by.is_empty() || line.label.is_empty() || line.label.len() > 30 {
            wrong.push(format!("{}: is for somebody and has a short label", line.name));
        }
        if line.barred.iter().any(|state| line.from.contains(state)) {
            wrong.push(format!("{}: begins where it is refused", line.name));
        }
        let is_twin = |other: &&Line| {
            other.name == line.name
                && other.by.iter().any(|by| line.by.contains(by))
                && (other.from == line.from || other.from.iter().any(|from| line.from.contains(from)))
        };
        // What drives an object knows where it goes.
        if line.by != [By::Deal] && chart.lines.iter().filter(is_twin).count() > 1 {
            wrong.push(format!("{}: leads to two places", line.name));
        }
    }
    wrong
}

#[test]
fn every_state_is_reached_and_ends_end() {
    for chart in lives() {
        let waiting: Vec<_> =
            WAITING.iter().filter(|(noun, ..)| *noun == chart.noun).map(|(_, state, _)| *state).collect();
        assert_eq!(faults(&chart, &waiting), Vec::<String>::new(), "{}", chart.noun);
    }
}

#[test]
fn a_life_with_faults_is_noticed() {
    let line = |name, from: &[&'static str], to| Line {
        name,
        label: "Go on",
        from: from.to_vec(),
        to,
        by: &[By::Maker],
        barred: Vec::new(),
    };
    let chart = |lines| Chart { noun: "door", states: vec!["OPEN", "SHUT", "GONE"], ends: vec!["GONE"], lines };
    let good = vec![line("build", &[], "OPEN"), line("shut", &["OPEN"], "SHUT"), line("end", &["SHUT"], "GONE")];
    assert_eq!(faults(&chart(good.clone()), &[]), Vec::<String>::new());
    assert_eq!(faults(&chart(good.clone()), &["SHUT"]).len(), 1, "what waits is not reached");
    assert_eq!(faults(&chart(good[..1].to_vec()), &[]).len(), 4, "two never reached, two without a way on");
    let and = |more| chart(good.iter().cloned().chain([more]).collect());
    assert_eq!(faults(&and(line("back", &["GONE"], "OPEN")), &[]).len(), 1, "an end goes on");
    assert_eq!(faults(&and(line("sweep", &["GONE"], "GONE")), &[]), Vec::<String>::new(), "an end stays where it is");
    assert_eq!(faults(&and(line("shut", &["OPEN"], "GONE")), &[]).len(), 2, "two places for one name");
    assert_eq!(faults(&and(Line { barred: vec!["SHUT"], ..line("x", &["SHUT"], "GONE") }), &[]).len(), 1);
}

#[test]
fn names_are_mutations_or_tasks() {
    let api = Sdl::api();
    for chart in lives() {
        for line in &chart.lines {
            let is_task = line.by == [By::Timer];
            let is_known =
                if is_task { TASKS.contains(&line.name) } else { api.field("Mutation", line.name).is_some() };
            assert!(is_known, "{}: {} is no {}", chart.noun, line.name, if is_task { "task" } else { "mutation" });
        }
    }
    for task in TASKS {
        assert!(lives().iter().flat_map(|chart| chart.lines.clone()).any(|line| line.name == task), "{task}");
    }
}

/// The cases of all lives in which money can move: what drives another object moves its money there.
fn cases() -> BTreeSet<(&'static str, Option<&'static str>, &'static str)> {
    let mut cases = BTreeSet::new();
    for line in lives().into_iter().filter(|chart| chart.noun != "job").flat_map(|chart| chart.lines) {
        let froms: Vec<_> = if line.from.is_empty() { vec![None] } else { line.from.into_iter().map(Some).collect() };
        for by in line.by.iter().filter(|by| **by != By::Deal) {
            cases.extend(froms.iter().map(|from| (line.name, *from, by.name())));
        }
    }
    cases
}

#[test]
fn each_transition_says_what_it_does_to_the_money() {
    let cases = cases();
    for by in By::ALL {
        for (name, from, _) in cases.iter().filter(|(.., who)| *who == by.name()) {
            assert!(outcomes::of(name, *from, by).is_ok(), "{name} from {from:?} by the {}", by.name());
        }
    }
    let mut rows = BTreeSet::new();
    for row in TABLE {
        let froms: Vec<_> = if row.from.is_empty() { vec![None] } else { row.from.iter().copied().map(Some).collect() };
        for by in row.by {
            rows.extend(froms.iter().map(|from| (row.transition, *from, by.name())));
        }
    }
    assert_eq!(rows, cases, "the table of money holds the cases of the lives, no more and no less");
}

fn drawn(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_gigwire")).arg("lives").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[test]
fn the_documents_show_the_diagrams() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lives.md")).unwrap();
    for chart in lives() {
        let diagram = format!("```mermaid\n{}```", drawn(&[chart.noun, "--mermaid"]).unwrap());
        assert!(text.contains(&diagram), "docs/lives.md should show:\n\n{diagram}");
    }
}

#[test]
fn the_command_draws_each_life() {
    let all = drawn(&[]).unwrap();
    for chart in lives() {
        let one = drawn(&[chart.noun]).unwrap();
        assert!(all.contains(&one));
        for line in &chart.lines {
            assert!(one.lines().any(|drawn| drawn.contains(line.name) && drawn.contains(line.to)), "{one}");
        }
    }
    assert_eq!(drawn(&["door"]).unwrap_err(), "gigwire: Lives are those of: job, offer, booking, change, dispute.\n");
}
