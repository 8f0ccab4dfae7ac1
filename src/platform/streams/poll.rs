//! Reading streams without a watch: one page behind a cursor, for clients that come and ask.

use super::{Cursor, Event, Gap, Place, Reader, StreamName};
use crate::kernel::Result;

/// What lies behind a cursor, the events of several streams in one order.
#[derive(Debug)]
pub struct Polled {
    /// Where reading begins: at the cursor; at the streams' ends if there was none, or none to go on from.
    pub start: String,
    /// Why the cursor cannot be gone on from.
    pub gap: Option<Gap>,
    /// The events, each with the cursor behind it.
    pub events: Vec<(Event, String)>,
    /// The cursor behind all that was looked at.
    pub end: String,
    /// How many events lie behind the start.
    pub behind: i64,
    /// Whether there are more than these.
    pub has_next: bool,
}

impl Reader {
    /// Up to `limit` events behind a cursor, at most [`super::PAGE`]. Without a cursor none: reading begins now.
    pub async fn poll(&self, streams: &[StreamName], after: Option<&str>, limit: usize) -> Result<Polled> {
        let heads: Vec<Place> = self.heads(streams).await?.into_iter().map(|(_, place)| place).collect();
        let Some(cursor) = after else { return Ok(self.polled(streams, &heads, &heads, Vec::new(), None)) };
        let mut places = Vec::with_capacity(streams.len());
        for (stream, head) in streams.iter().zip(&heads) {
            match self.resume(cursor, stream, *head).await? {
                Ok(place) => places.push(place),
                Err(gap) => return Ok(self.polled(streams, &heads, &heads, Vec::new(), Some(gap))),
            }
        }
        let mut pages = Vec::with_capacity(streams.len());
        for ((stream, head), place) in streams.iter().zip(&heads).zip(&places) {
            pages.push(match place == head {
                true => Vec::new(),
                false => match self.page(stream, *place).await? {
                    Ok(events) => events,
                    Err(gap) => return Ok(self.polled(streams, &heads, &heads, Vec::new(), Some(gap))),
                },
            });
        }
        let mut events = interleave(pages, |event: &Event| event.occurred_at);
        events.truncate(limit);
        Ok(self.polled(streams, &heads, &places, events, None))
    }

    fn polled(
        &self,
        streams: &[StreamName],
        heads: &[Place],
        from: &[Place],
        events: Vec<(usize, Event)>,
        gap: Option<Gap>,
    ) -> Polled {
        let mut places = from.to_vec();
        let cursor = |places: &[Place]| {
            let places = streams.iter().cloned().zip(places.iter().copied()).collect();
            Cursor { epoch: self.epoch(), places }.encode()
        };
        let missing = |places: &[Place]| heads.iter().zip(places).map(|(head, at)| (head.seq - at.seq).max(0)).sum();
        let (start, behind) = (cursor(&places), missing(&places));
        let mut shown = Vec::with_capacity(events.len());
        for (index, event) in events {
            places[index] = event.place();
            shown.push((event, cursor(&places)));
        }
        let left: i64 = missing(&places);
        // What came after the heads were read is on the page already.
        let behind = behind.max(i64::try_from(shown.len()).unwrap_or(i64::MAX));
        Polled { start, gap, events: shown, end: cursor(&places), behind, has_next: left > 0 }
    }
}

/// The entries of several lists in one: each list keeps its order, and of what comes next the smallest goes first. Each
/// entry says which list it is from.
pub fn interleave<T, K: Ord>(lists: Vec<Vec<T>>, key: impl Fn(&T) -> K) -> Vec<(usize, T)> {
    let mut merged = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    let mut lists: Vec<_> = lists.into_iter().map(|list| list.into_iter().peekable()).collect();
    loop {
        let next = lists.iter_mut().enumerate().filter_map(|(index, list)| Some((key(list.peek()?), index)));
        let Some((_, index)) = next.min() else { return merged };
        merged.extend(lists[index].next().map(|entry| (index, entry)));
    }
}

#[cfg(test)]
mod tests {
    use super::interleave;

    #[test]
    fn lists_keep_their_order_in_the_merged_one() {
        // The 9 is out of order in its own list, and stays where it is.
        let merged = interleave(vec![vec![1, 9, 4], vec![], vec![2, 2, 5]], |entry| *entry);
        assert_eq!(merged, [(0, 1), (2, 2), (2, 2), (2, 5), (0, 9), (0, 4)]);
    }
}
