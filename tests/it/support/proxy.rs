//! A bad network: a TCP proxy between any two ends, which may be slow, stand still, or cut everybody off.
//!
//! ```ignore
//! let network = Proxy::to("127.0.0.1:6379").await;
//! let url = network.via("redis://127.0.0.1:6379");
//! network.set(Weather::Still); // nothing comes through any more, and nobody is told
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

/// Bytes that are read at once.
const PIECE: usize = 16 << 10;
/// Pieces that are under way in one direction: behind them the sender is held up.
const UNDER_WAY: usize = 64;

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// It arrives at once.
    Clear,
    /// It arrives after this time, each way, in order.
    Slow(Duration),
    /// It does not arrive, ends of connections neither, until this is over. Either end is half-open to the other.
    Still,
}

/// The network in front of one server. Dropping it ends what goes through it.
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    cuts: watch::Sender<()>,
    _serving: DropGuard,
}

impl Proxy {
    /// A clear way to this address.
    pub async fn to(target: impl Into<String>) -> Self {
        let target = target.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, cuts) = (watch::Sender::new(Weather::Clear), watch::Sender::new(()));
        let (sky, cut) = (weather.subscribe(), cuts.subscribe());
        let stop = CancellationToken::new();
        let serving = async move {
            let ended = CancellationToken::new();
            let _end_with_us = ended.clone().drop_guard();
            while let Ok((client, _)) = listener.accept().await {
                let carried = carry(client, target.clone(), sky.clone(), cut.clone());
                tokio::spawn(ended.clone().run_until_cancelled_owned(carried));
            }
        };
        tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
        Proxy { address, weather, cuts, _serving: stop.drop_guard() }
    }

    /// A clear way to the server that a URL names.
    pub async fn before(url: &str) -> Self {
        let url: Url = url.parse().unwrap();
        Self::to(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap())).await
    }

    /// Where to connect.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// A URL that goes this way.
    pub fn via(&self, url: &str) -> String {
        let mut url: Url = url.parse().unwrap();
        url.set_ip_host(self.address.ip()).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.into()
    }

    /// Changes the weather, for open connections as well.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Resets all open connections, at both ends, and says how many there were.
    pub fn cut(&self) -> usize {
        self.cuts.send_replace(());
        // One more waits for the next connection.
        self.cuts.receiver_count() - 1
    }
}

/// One connection, from both ends' point of view.
async fn carry(client: TcpStream, target: String, weather: watch::Receiver<Weather>, mut cuts: watch::Receiver<()>) {
    cuts.mark_unchanged();
    let Ok(server) = TcpStream::connect(target).await else { return };
    let mut ends = [client, server];
    let [client, server] = &mut ends;
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    let there = relay(from_client, to_server, weather.clone());
    let back = relay(from_server, to_client, weather);
    let is_cut = tokio::select! {
        _ = async { tokio::join!(there, back) } => false,
        cut = cuts.changed() => cut.is_ok(),
    };
    if is_cut {
        // Closed like this, a socket says RST instead of goodbye.
        ends.iter().for_each(|end| end.set_zero_linger().unwrap());
    }
}

/// One direction, until its end has arrived.
async fn relay(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut weather: watch::Receiver<Weather>,
) {
    let (under_way, mut arriving) = mpsc::channel(UNDER_WAY);
    let send = async move {
        let mut piece = vec![0; PIECE];
        while let Ok(count @ 1..) = from.read(&mut piece).await {
            if under_way.send((Instant::now(), piece[..count].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let receive = async move {
        while let Some((sent_at, piece)) = arriving.recv().await {
            let Ok(sky) = weather.wait_for(|sky| *sky != Weather::Still).await.map(|sky| *sky) else { return };
            if let Weather::Slow(time) = sky {
                sleep_until(sent_at + time).await;
            }
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = weather.wait_for(|sky| *sky != Weather::Still).await;
        let _ = to.shutdown().await;
    };
    tokio::join!(send, receive);
}
