//! What permessage-deflate would save and cost, on frames as clients get them. It prints the figures that stand in
//! docs/streams.md, with the reason against it:
//!
//! `cargo nextest run live::compression --no-capture`

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::write::DeflateEncoder;
use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};

use crate::support::app::TestApp;

/// Whole objects, as a cache wants them.
const EVERYTHING: &str = "subscription { eventAppended { __typename id cursor occurredAt
    ... on BookingStatusChanged { from to booking { id status version amount { amount currency } job { id title } } }
    ... on JobStatusChanged { from to job { id title status version } }
    ... on OfferSent { offer { id status version amount { amount currency } job { id title } } }
    ... on WalletCredited { wallet { currency available { amount } held { amount } escrow { amount } } }
    ... on WalletDebited { wallet { currency available { amount } held { amount } escrow { amount } } } } }";
/// What a quiet socket with a live operation is to cost.
const SOCKET_BYTES: usize = 5_000;
/// Compressors that are made at once to see what one takes.
const COMPRESSORS: usize = 64;

/// Bytes of memory that this process holds.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1_024
}

/// The frames of a few deals, as one side gets them.
async fn frames() -> Vec<String> {
    let app = TestApp::sqlite().await;
    let (ada, bob) = (app.sign_up(&["CUSTOMER"]).await, app.sign_up(&["CONTRACTOR"]).await);
    let mut socket = app.socket(&ada, &Value::Null).await;
    socket.start("1", EVERYTHING, json!({})).await;
    socket.run("q", "{ __typename }").await;
    for _ in 0..5 {
        app.deposit(&ada, "200.00").await;
        app.deal(&ada, &bob).await;
    }
    let mut frames = Vec::new();
    while let Ok(frame) = tokio::time::timeout(Duration::from_secs(1), socket.next()).await {
        assert!(frame["payload"]["errors"].is_null(), "{frame}");
        frames.push(frame.to_string());
    }
    frames
}

/// Bytes behind, and time for all frames, when `pack` packs each.
fn packed(frames: &[String], mut pack: impl FnMut(&str) -> usize) -> (usize, Duration) {
    let begun = Instant::now();
    (frames.iter().map(|frame| pack(frame)).sum(), begun.elapsed())
}

#[tokio::test]
async fn a_window_costs_more_than_the_socket() {
    let frames = frames().await;
    let bytes: usize = frames.iter().map(String::len).sum();
    assert!(frames.len() > 50, "{} frames", frames.len());

    // Each frame by itself, as without context takeover: no memory stays behind.
    let (alone, alone_time) = packed(&frames, |frame| {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(frame.as_bytes()).unwrap();
        encoder.finish().unwrap().len()
    });
    // All of a socket through one window.
    let mut window = Compress::new(Compression::fast(), false);
    let mut out = Vec::with_capacity(64 << 10);
    let (taken_over, taken_over_time) = packed(&frames, |frame| {
        out.clear();
        window.compress_vec(frame.as_bytes(), &mut out, FlushCompress::Sync).unwrap();
        out.len()
    });
    let before = resident();
    let mut compressors: Vec<_> = (0..COMPRESSORS).map(|_| Compress::new(Compression::fast(), false)).collect();
    for compressor in &mut compressors {
        out.clear();
        frames.iter().for_each(|frame| drop(compressor.compress_vec(frame.as_bytes(), &mut out, FlushCompress::Sync)));
    }
    let each = (resident() - before) / COMPRESSORS;
    drop(compressors);

    let (per, count) = (|total: usize| total / frames.len(), u32::try_from(frames.len()).unwrap());
    println!("{count} frames of {} bytes on average", per(bytes));
    println!("each by itself: {} bytes, {:?} each", per(alone), alone_time / count);
    println!("in one window: {} bytes, {:?} each, {each} bytes of memory", per(taken_over), taken_over_time / count);
    assert!(taken_over < alone && alone < bytes, "it does compress");
    assert!(each > 10 * SOCKET_BYTES, "a window has only {each} bytes: think again about permessage-deflate");
}
