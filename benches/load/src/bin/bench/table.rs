//! What is printed, and what is kept.

use std::fmt::Write;
use std::path::Path;

use load::Outcome;
use load::report::bytes;

use crate::meter::Measure;
use crate::plot;

/// The file of the results.
const RESULTS: &str = "bench.json";

/// The order of the tables that are kept; what is not named comes last.
const WORKS: [&str; 6] = ["chat", "broadcast", "page", "accept", "memory", "start"];
/// The order of their rows.
const PEERS: [&str; 5] = ["gigwire", "socketio", "apollo", "mercurius", "ceiling"];

fn place(order: &[&str], name: &str) -> usize {
    order.iter().position(|known| *known == name).unwrap_or(order.len())
}

/// One line, as soon as it is known.
pub fn say(measure: &Measure) {
    let Measure { work, peer, size, per_second, unit, p50_ms, p99_ms, cpu_us, .. } = measure;
    eprintln!(
        "{work} {peer} ({size}): {per_second:.0} {unit}/s, p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms, CPU of each {cpu_us:.1} us \
        (PostgreSQL {:.1}, Redis {:.1}, generator {:.1}), memory {} ({:.0} B each)",
        measure.postgres_us,
        measure.redis_us,
        measure.generator_us,
        bytes(measure.memory as i64),
        measure.bytes_each,
    );
}

/// All that was found as tables in Markdown, one for each workload, everybody beside gigwire.
pub fn markdown(found: &[Measure]) -> String {
    let mut text = String::new();
    let mut works: Vec<&str> = Vec::new();
    for measure in found {
        if !works.contains(&measure.work.as_str()) {
            works.push(&measure.work);
        }
    }
    for work in works {
        let rows: Vec<_> = found.iter().filter(|measure| measure.work == work).collect();
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{}", head(work));
        for row in &rows {
            let own = rows.iter().find(|other| other.peer == "gigwire" && other.size == row.size);
            let _ = writeln!(text, "{}", line(work, row, own.copied()));
        }
        text.push('\n');
    }
    text
}

fn head(work: &str) -> String {
    match work {
        "start" => "| start | until ready | memory at rest |\n|---|---:|---:|".to_owned(),
        "memory" => {
            "| memory | sockets | each | against gigwire | the whole server |\n|---|---:|---:|---:|---:|".to_owned()
        }
        _ => format!(
            "| {work} | size | per second | against gigwire | p50 | p99 | server CPU of each | against gigwire | \
            PostgreSQL CPU of each | memory |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        ),
    }
}

fn line(work: &str, row: &Measure, own: Option<&Measure>) -> String {
    let against = |figure: fn(&Measure) -> f64| match own.map(figure) {
        Some(own) if own > 0.0 => format!("{:.2}x", figure(row) / own),
        _ => String::new(),
    };
    let peer = &row.peer;
    let memory = bytes(row.memory as i64);
    match work {
        "start" => format!("| {peer} | {:.0} ms | {memory} |", row.p50_ms),
        "memory" => {
            let each = bytes(row.bytes_each as i64);
            format!("| {peer} | {} | {each} | {} | {memory} |", row.size, against(|row| row.bytes_each))
        }
        _ => {
            let pace = format!("{:.0} {} | {}", row.per_second, row.unit, against(|row| row.per_second));
            let times = format!("{:.2} ms | {:.2} ms", row.p50_ms, row.p99_ms);
            // Where there is no server, it costs nothing.
            let (own, memory) = match row.memory {
                0 => ("|".to_owned(), String::new()),
                _ => (format!("{:.1} us | {}", row.cpu_us, against(|row| row.cpu_us)), memory),
            };
            format!("| {peer} | {} | {pace} | {times} | {own} | {:.1} us | {memory} |", row.size, row.postgres_us)
        }
    }
}

/// Keeps results and pictures in a folder. What was measured again replaces what was there of it.
pub fn keep(folder: &Path, found: &[Measure]) -> Outcome<()> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(RESULTS);
    let mut all: Vec<Measure> = match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Vec::new(),
    };
    let is_same = |a: &Measure, b: &Measure| (&a.work, &a.peer, a.size) == (&b.work, &b.peer, b.size);
    all.retain(|old| !found.iter().any(|new| is_same(old, new)));
    all.extend(found.iter().cloned());
    all.sort_by_key(|measure| (place(&WORKS, &measure.work), place(&PEERS, &measure.peer), measure.size));
    std::fs::write(&path, serde_json::to_string_pretty(&all)? + "\n")?;
    std::fs::write(folder.join("bench.md"), markdown(&all))?;
    let cpu: fn(&Measure) -> f64 = |measure| measure.cpu_us;
    let rate: fn(&Measure) -> f64 = |measure| measure.per_second;
    let median: fn(&Measure) -> f64 = |measure| measure.p50_ms;
    let pictures = [
        ("chat", "growth/chat", "Messages per second", "pairs of people", rate),
        ("chat-cpu", "growth/chat", "Server CPU of a message, microseconds", "pairs of people", cpu),
        ("broadcast", "growth/broadcast", "Deliveries per second", "subscribers", rate),
        ("broadcast-cpu", "growth/broadcast", "Server CPU of a delivery, microseconds", "subscribers", cpu),
        ("page", "growth/page", "Pages per second", "open jobs", rate),
        ("resume", "growth/resume", "Resuming a stream 10 events behind, milliseconds", "events in the stream", median),
        ("instances", "growth/instances", "Messages per second", "instances", rate),
    ];
    for (name, work, title, sizes, figure) in pictures {
        if let Some(svg) = plot::growth(&all, work, title, sizes, figure) {
            std::fs::write(folder.join(format!("{name}.svg")), svg)?;
        }
    }
    Ok(())
}
