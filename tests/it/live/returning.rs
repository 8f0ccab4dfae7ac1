//! Leaving and coming back while the stream goes on, as clients of a restarted instance do.

use gigwire::platform::streams::{Cursor, Place, StreamName};
use serde_json::{Value, json};

use crate::support::live::{App, Client, LISTEN};
use crate::support::redis::shared_url;

/// Announcements that are made meanwhile.
const MANY: usize = 300;

/// Leaves and comes back behind the last item until the last announcement is there: each comes once, in order, and never
/// does the stream seem to have taken another course.
async fn come_and_go(client: &mut Client, mut cursor: Value) {
    let mut seen = 0;
    for turn in 0.. {
        let (id, before) = (format!("turn {turn}"), seen);
        client.start(&id, LISTEN, json!({ "after": cursor })).await;
        while seen == before {
            let message = client.next().await;
            // What was on its way when the last turn ended comes again.
            if message["id"] != id {
                continue;
            }
            let item = &message["payload"]["data"]["announcementPublished"];
            assert!(item.is_object() && item["__typename"] != "StreamGap", "behind {seen}: {message}");
            cursor = item["cursor"].clone();
            if item["__typename"] == "AnnouncementAdded" {
                seen += 1;
                assert_eq!(item["number"], seen.to_string());
            }
        }
        client.send(json!({ "id": id, "type": "complete" })).await;
        if seen == MANY {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_and_goes_sees_no_other_course() {
    let (here, there) = App::pair(&shared_url()).await;
    let publisher = here.publisher().await;
    let mut client = there.open(json!({})).await;
    let publish = async {
        for title in 0..MANY {
            here.publish(&publisher, &title.to_string()).await;
        }
    };
    let start = Cursor::at(there.server.platform.hub.reader().epoch(), StreamName::announcements(), Place::default());
    tokio::join!(publish, come_and_go(&mut client, json!(start.encode())));
}
