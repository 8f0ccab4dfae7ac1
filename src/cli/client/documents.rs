//! The documents that the client sends, as texts: it knows the API as any client does.

/// Who is signed in.
pub const WHO: &str = "{ viewer { email user { id displayName } } }";
/// Where the viewer's streams end now.
pub const START: &str = "{ viewer { streamCursor } }";
/// Signs in.
pub const SIGN_IN: &str = "mutation ($input: AccountSignInInput!) { accountSignIn(input: $input) { \
    session { accessToken refreshToken expiresAt } userErrors { code message } } }";
/// Opens an account and signs it in.
pub const SIGN_UP: &str = "mutation ($input: AccountSignUpInput!) { accountSignUp(input: $input) { \
    session { accessToken refreshToken expiresAt } userErrors { code message } } }";
/// Ends the session.
pub const SIGN_OUT: &str = "mutation { sessionSignOut(input: {}) { endedCount userErrors { code message } } }";
/// A fresh pair of tokens.
pub const REFRESH: &str = "mutation ($input: SessionRefreshInput!) { sessionRefresh(input: $input) { \
    session { accessToken refreshToken expiresAt } userErrors { code message } } }";
/// Puts a fresh token on the open socket.
pub const RENEW: &str = "mutation ($input: ConnectionRenewInput!) { connectionRenew(input: $input) { \
    expiresAt userErrors { code message } } }";
/// Sends a message.
pub const SAY: &str = "mutation ($input: MessageSendInput!) { messageSend(input: $input) { \
    message { id number } userErrors { code message } } }";
/// Says whether the viewer types.
pub const TYPE: &str = "mutation ($input: TypingSetInput!) { typingSet(input: $input) { \
    isTyping userErrors { code message } } }";

/// A subscription, and what is shown of its items.
pub struct View {
    /// Its field.
    pub name: &'static str,
    /// Signals are not stored: they have no cursor, and nothing is resumed.
    pub is_signal: bool,
    selection: &'static str,
}

const fn durable(name: &'static str, selection: &'static str) -> View {
    View { name, is_signal: false, selection }
}

/// The subscriptions of which more than the kind of an event is shown. `eventAppended` shows what all of them show.
pub const VIEWS: [View; 13] = [
    durable("announcementPublished", "... on AnnouncementAdded { announcement { id level title } }"),
    durable(
        "bookingChanged",
        "... on BookingCreated { booking { id status } } ... on BookingStatusChanged { booking { id status } } \
         ... on BookingCancelled { booking { id status } }",
    ),
    durable(
        "conversationChanged",
        "... on MessageCreated { message { id number content sender { displayName } } conversation { id unreadCount } } \
         ... on MessagesDelivered { messageNumber conversation { id } } \
         ... on MessagesRead { messageNumber conversation { id } reader { displayName } }",
    ),
    durable(
        "disputeChanged",
        "... on DisputeOpened { dispute { id status } } ... on DisputeProposed { dispute { id status } } \
         ... on DisputeProposalAccepted { dispute { id status } } ... on DisputeStatusChanged { dispute { id status } }",
    ),
    durable("earningChanged", "... on EarningCreated { earning { id amount { amount currency } } }"),
    durable("eventAppended", ""),
    durable(
        "jobChanged",
        "... on JobPosted { job { id status title } } ... on JobStatusChanged { job { id status title } }",
    ),
    durable(
        "notificationReceived",
        "... on NotificationReceived { notification { id title body } unreadCount } \
         ... on NotificationRead { notification { id } unreadCount } ... on NotificationsRead { unreadCount }",
    ),
    durable(
        "offerChanged",
        "... on OfferSent { offer { id status amount { amount currency } } } \
         ... on OfferStatusChanged { offer { id status amount { amount currency } } }",
    ),
    View {
        name: "presenceChanged",
        is_signal: true,
        selection: "user { id displayName } presence { isOnline lastSeenAt }",
    },
    durable(
        "reviewChanged",
        "... on ReviewPosted { review { id status rating } } ... on ReviewPublished { review { id status rating } } \
         ... on ReviewReplied { review { id status reply } }",
    ),
    View { name: "typingChanged", is_signal: true, selection: "isTyping user { displayName }" },
    durable(
        "walletChanged",
        "... on PaymentCompleted { payment { id status } wallet { available { amount currency } } } \
         ... on PaymentFailed { payment { id status } wallet { available { amount currency } } } \
         ... on WalletCredited { amount { amount currency } wallet { available { amount currency } } } \
         ... on WalletDebited { amount { amount currency } wallet { available { amount currency } } }",
    ),
];

/// What `join` follows of a thing: its subscriptions, each with the argument that takes the thing's id.
pub const JOINS: [(&str, &[(&str, &str)]); 4] = [
    ("booking", &[("bookingChanged", "bookingId")]),
    ("conversation", &[("conversationChanged", "conversationId"), ("typingChanged", "conversationId")]),
    ("dispute", &[("disputeChanged", "disputeId")]),
    ("job", &[("jobChanged", "jobId")]),
];

/// Whether it is a subscription of signals.
pub fn is_signal(name: &str) -> bool {
    VIEWS.iter().any(|view| view.name == name && view.is_signal)
}

/// The document that follows a subscription. One that is not in [`VIEWS`] is taken for durable, and only its kinds of
/// events are shown.
pub fn watch(name: &str, arguments: &[(String, String)]) -> String {
    let is_signal = is_signal(name);
    let position = if is_signal { "" } else { "after: $after" };
    let given = arguments.iter().map(|(key, value)| format!("{key}: {}", literal(value)));
    let given = [position.to_owned()].into_iter().chain(given).filter(|part| !part.is_empty());
    let given = given.collect::<Vec<_>>().join(", ");
    let given = if given.is_empty() { given } else { format!("({given})") };
    let head = if is_signal { "subscription" } else { "subscription ($after: String)" };
    let gap = if is_signal { "" } else { "... on StreamGap { reason }" };
    format!("{head} {{ {name}{given} {{ __typename id cursor occurredAt {gap} {} }} }}", selection(name))
}

fn selection(name: &str) -> String {
    let shown = |view: &&View| view.name == name || (name == "eventAppended" && !view.is_signal);
    VIEWS.iter().filter(shown).map(|view| view.selection).collect::<Vec<_>>().join(" ")
}

/// A value as it stands in a document: numbers, booleans and null as they are, everything else as a text.
fn literal(value: &str) -> String {
    let is_plain = serde_json::from_str::<serde_json::Value>(value)
        .is_ok_and(|value| value.is_number() || value.is_boolean() || value.is_null());
    if is_plain { value.to_owned() } else { serde_json::Value::from(value).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durable_views_take_a_cursor_and_signals_do_not() {
        let wallet = watch("walletChanged", &[]);
        assert!(wallet.starts_with("subscription ($after: String) { walletChanged(after: $after) {"), "{wallet}");
        let typing = watch("typingChanged", &[("conversationId".into(), "conv_1".into())]);
        assert!(typing.starts_with("subscription { typingChanged(conversationId: \"conv_1\") {"), "{typing}");
        assert!(!typing.contains("after"), "{typing}");
    }

    #[test]
    fn values_cannot_leave_their_place() {
        assert_eq!(["7", "true", "null"].map(literal), ["7", "true", "null"]);
        assert_eq!(literal("a\") { b }"), r#""a\") { b }""#);
    }
}
