//! What is printed.

use crate::meter::Measure;

/// One line, as soon as it is known.
pub fn say(measure: &Measure) {
    eprintln!(
        "{} {}: {:.0} {}s/s, p50 {:.2} ms, p99 {:.2} ms, {:.1} us/{} (PostgreSQL {:.1}, Redis {:.1}, generator {:.1})",
        measure.work,
        measure.peer,
        measure.per_second,
        measure.unit,
        measure.p50_ms,
        measure.p99_ms,
        measure.cpu_us,
        measure.unit,
        measure.postgres_us,
        measure.redis_us,
        measure.generator_us,
    );
}

/// Everything as a table in Markdown, each server beside gigwire.
pub fn print(found: &[Measure]) {
    println!(
        "| work | server | per second | p50 | p99 | server CPU each | against gigwire | PostgreSQL CPU each | memory |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for measure in found {
        let own = found.iter().find(|other| other.work == measure.work && other.peer == "gigwire");
        let ratio = own.map_or_else(String::new, |own| format!("{:.1}x", measure.cpu_us / own.cpu_us));
        println!(
            "| {} | {} | {:.0} {}s | {:.2} ms | {:.2} ms | {:.1} us | {ratio} | {:.0} us | {:.0} MB |",
            measure.work,
            measure.peer,
            measure.per_second,
            measure.unit,
            measure.p50_ms,
            measure.p99_ms,
            measure.cpu_us,
            measure.postgres_us,
            measure.memory as f64 / 1e6,
        );
    }
}
