//! Lines that show how figures grow, as SVG: sizes to the right, each ten times the one before at the same distance, and
//! figures upwards from zero.

use std::fmt::Write;

use crate::meter::Measure;

/// The picture, and where its axes stand.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 590.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 310.0;
/// Lines across at most.
const RULES: f64 = 5.0;

/// A server's colour, which is the same in every picture.
fn colour(peer: &str) -> &'static str {
    match peer {
        "gigwire" => "#0a7d4f",
        "socketio" => "#6b6b6b",
        "apollo" => "#7a3fc4",
        "mercurius" => "#c4622d",
        _ => "#b0b0b0",
    }
}

/// Figures of one server by size.
struct Curve<'a> {
    peer: &'a str,
    points: Vec<(f64, f64)>,
}

/// A picture of what one kind of growth does to a figure; nothing if it was not measured.
pub fn growth(found: &[Measure], work: &str, title: &str, sizes: &str, figure: fn(&Measure) -> f64) -> Option<String> {
    let mut curves: Vec<Curve> = Vec::new();
    for measure in found.iter().filter(|measure| measure.work == work) {
        let point = (measure.size as f64, figure(measure));
        match curves.iter_mut().find(|curve| curve.peer == measure.peer) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve { peer: &measure.peer, points: vec![point] }),
        }
    }
    if curves.is_empty() { None } else { Some(draw(&curves, title, sizes)) }
}

/// Where sizes and figures are in the picture.
struct Scale {
    smallest: f64,
    largest: f64,
    top: f64,
}

impl Scale {
    fn of(curves: &[Curve]) -> Self {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let most = points().map(|point| point.1).fold(0.0, f64::max);
        Scale {
            smallest: points().map(|point| point.0).fold(f64::INFINITY, f64::min),
            largest: points().map(|point| point.0).fold(0.0, f64::max),
            top: step(most) * (most / step(most)).ceil().max(1.0),
        }
    }

    fn x(&self, size: f64) -> f64 {
        let span = (self.largest / self.smallest).ln();
        if span == 0.0 { LEFT } else { LEFT + (RIGHT - LEFT) * (size / self.smallest).ln() / span }
    }

    fn y(&self, figure: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * figure / self.top
    }
}

/// A round distance between lines, so that there are few of them.
fn step(most: f64) -> f64 {
    let power = 10_f64.powf((most.max(1e-9) / RULES).log10().floor());
    let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| most / (power * factor) <= RULES);
    power * nice.unwrap_or(10.0)
}

fn draw(curves: &[Curve], title: &str, sizes: &str) -> String {
    let scale = Scale::of(curves);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
        <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
        <text x=\"{LEFT}\" y=\"24\" font-size=\"15\">{title}</text>\n\
        <text x=\"{RIGHT}\" y=\"{}\" text-anchor=\"end\" fill=\"#555555\">{sizes}</text>\n",
        BOTTOM + 36.0
    );
    let distance = step(scale.top);
    let mut figure = 0.0;
    while figure <= scale.top * 1.001 {
        let y = scale.y(figure);
        // Writing into a text cannot fail.
        let _ = writeln!(svg, "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>");
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555555\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            number(figure)
        );
        figure += distance;
    }
    let mut sizes: Vec<f64> = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.0)).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        let (x, y) = (scale.x(size), BOTTOM + 18.0);
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#555555\">{}</text>",
            number(size)
        );
    }
    let names = names(curves, &scale);
    for (curve, name_y) in curves.iter().zip(names) {
        let colour = colour(curve.peer);
        let points: Vec<_> = curve
            .points
            .iter()
            .map(|(size, figure)| format!("{:.1},{:.1}", scale.x(*size), scale.y(*figure)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
            points.join(" ")
        );
        for point in &points {
            let (x, y) = point.split_once(',').unwrap_or_default();
            let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{colour}\"/>");
        }
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{name_y:.1}\" fill=\"{colour}\">{}</text>", RIGHT + 12.0, curve.peer);
    }
    svg.push_str("</svg>\n");
    svg
}

/// The heights of the names behind the ends of the lines, none on top of another.
fn names(curves: &[Curve], scale: &Scale) -> Vec<f64> {
    let mut places: Vec<(usize, f64)> = curves
        .iter()
        .map(|curve| curve.points.last().map_or(BOTTOM, |point| scale.y(point.1) + 4.0))
        .enumerate()
        .collect();
    places.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
    for place in 1..places.len() {
        places[place].1 = places[place].1.max(places[place - 1].1 + 15.0);
    }
    places.sort_unstable_by_key(|place| place.0);
    places.into_iter().map(|place| place.1).collect()
}

/// A number as people read it.
fn number(value: f64) -> String {
    let digits = format!("{value:.0}");
    if value != 0.0 && value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_round_and_lines_few() {
        assert_eq!([3.0, 47.0, 100.0, 1_234.0, 0.4].map(step), [1.0, 10.0, 20.0, 500.0, 0.1]);
        assert_eq!([0.0, 0.5, 12.0, 1_234_567.0].map(number), ["0", "0.5", "12", "1,234,567"]);
    }

    #[test]
    fn names_do_not_cover_each_other() {
        let curve = |peer, figure| Curve { peer, points: vec![(1.0, 0.0), (10.0, figure)] };
        let curves = [curve("a", 100.0), curve("b", 99.0), curve("c", 100.0)];
        let mut heights = names(&curves, &Scale::of(&curves));
        heights.sort_unstable_by(f64::total_cmp);
        assert!(heights.windows(2).all(|two| two[1] - two[0] >= 15.0));
        assert!(draw(&curves, "t", "s").contains("<polyline points=\"70.0,310.0 590.0,44.0\""));
    }
}
